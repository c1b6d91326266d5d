import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { applyStatement, emptyDraft } from '../../../src/config/apply.ts';
import { settingsFrom } from '../../../src/config/options.ts';
import { parseText } from '../../../src/config/parse.ts';
import { expireFor, expirySource } from '../../../src/config/rules.ts';
import { readExpiry, type ExpiringImage } from '../../../src/expire/image.ts';
import { planExpire, type BranchPolicy } from '../../../src/expire/plan.ts';
import { expireText } from '../../../src/show/expire.ts';
import { parseDate } from '../../../src/time/parse-date.ts';
import { imageAt, NOW, vaultOf } from './images.ts';

const GOLDEN = join(import.meta.dirname, '../../../fixtures/expire/golden');
const ZONE = 'Europe/Vienna';
const UNITS: Readonly<Record<string, number>> = { minutes: 60, hours: 3600, days: 86_400 };
const TIME = '(\\d{4}-\\d\\d-\\d\\d(?: \\d\\d:\\d\\d)?)';

/**
 * A policy in the configuration's own language. Its comments tell which images there are, one or many a line:
 * `nightly TIME FIRST LAST`, `every N UNIT FIRST LAST` or a single moment, then what is odd about them.
 */
function read(name: string) {
  const text = readFileSync(join(GOLDEN, `${name}.conf`), 'utf8');
  const draft = emptyDraft();
  const config = text.replace(/^mode: tree\n/, '\n');
  for (const statement of parseText(config, 'master.conf').statements) {
    applyStatement(draft, statement, 'master', 'master.conf');
  }
  expect(draft.problems).toEqual([]);
  const settings = settingsFrom(draft.values);
  const lines = (option: 'keep' | 'expire-rule') =>
    settings[option].map((each, index) => ({ text: each, ...draft.itemOrigins.get(option)?.[index] }));
  const standard = settings['expire-default'];
  const policy: BranchPolicy = {
    zone: ZONE,
    keep: lines('keep'),
    rules: lines('expire-rule'),
    standard: standard === undefined ? undefined : { text: standard, ...draft.origins.get('expire-default') },
    always: undefined,
  };
  const inUse: string[] = [];
  const images = [...text.matchAll(/^# image: (.*)$/gm)].flatMap(([, line = '']) =>
    momentsOf(line).map((at): ExpiringImage => {
      const image = imageAt(at, ZONE);
      if (/in-use/.test(line)) inUse.push(image.directory);
      return { ...image, ...oddities(line, at) };
    }),
  );
  function oddities(line: string, at: number): Partial<ExpiringImage> {
    const stamped = expireFor(settings, at, ZONE);
    const expire = /expire=(.*)$/.exec(line)?.[1] ?? stamped.expire;
    const pinned = /pinned/.test(line);
    const frozen = /frozen=(\S+)/.exec(line)?.[1];
    const verdict = (['partial', 'failed', 'incomplete', 'held'] as const).find((word) =>
      line.includes(word),
    );
    return {
      expire: pinned ? 'Never' : expire,
      date: readExpiry(expire, ZONE),
      rule: stamped.rule,
      from: /dirvish/.test(line) ? undefined : expirySource(settings, stamped.rule),
      pinned,
      setAside: pinned ? expire : undefined,
      verdict: verdict ?? 'good',
      hasTree: !/no-tree/.test(line),
      branch: /branch=(\S+)/.exec(line)?.[1] ?? 'default',
      frozenUntil: frozen === undefined ? undefined : moment(frozen),
    };
  }
  const mode = config === text ? ('image' as const) : ('tree' as const);
  return planExpire({ vaults: [vaultOf(images, policy, inUse)], now: NOW, mode });
}

function momentsOf(line: string): number[] {
  const nightly = new RegExp(`^nightly (\\d\\d:\\d\\d) ${TIME} ${TIME}`).exec(line);
  const [, hour = '', first = '', last = ''] = nightly ?? [];
  if (nightly !== null) return range(moment(`${first} ${hour}`), moment(`${last} ${hour}`), 86_400);
  const every = new RegExp(`^every (\\d+) (\\w+) ${TIME} ${TIME}`).exec(line);
  const [, count = '', unit = '', from = '', to = ''] = every ?? [];
  if (every !== null) return range(moment(from), moment(to), Number(count) * (UNITS[unit] ?? Number.NaN));
  return [moment(new RegExp(`^${TIME}`).exec(line)?.[1] ?? '')];
}

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}

function moment(text: string): number {
  const result = parseDate(text, NOW, ZONE);
  if ('message' in result) throw new Error(result.message);
  return result.date.seconds;
}

const NAMES = readdirSync(GOLDEN)
  .filter((name) => name.endsWith('.conf'))
  .map((name) => name.replace('.conf', ''));

it.each(NAMES)('%s', async (name) => {
  const plan = read(name);
  const text = expireText({ plan, freed: undefined, zoneOf: () => ZONE }, { columns: 100, color: false });
  await expect(`${text}\n`).toMatchFileSnapshot(join(GOLDEN, `${name}.txt`));
});

it('are enough to tell by', () => {
  expect(NAMES.length).toBeGreaterThanOrEqual(20);
});
