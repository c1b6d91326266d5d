import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { expireFor } from '../../../src/config/rules.ts';
import { formatLocal } from '../../../src/time/local.ts';
import { dirvish } from '../../support/dirvish.ts';
import { needs } from '../../support/needs.ts';
import { mustSync } from '../../support/process.ts';
import { makePlace } from '../run/place.ts';
import { makeGround, PAST, AHEAD, type Ground } from './ground.ts';

needs('root', 'dirvish', 'perl', 'faketime');

const ZONE = 'Europe/Vienna';
const DAYS = 3 * 365 + 1;
const START = Date.UTC(2026, 0, 1, 21) / 1000;
const DAY = 86_400;
const RULES = readFileSync(join(import.meta.dirname, '../../../fixtures/expire/rules.txt'), 'utf8')
  .split('\n')
  .filter((line) => !line.startsWith('#'))
  .join('\n')
  .trim()
  .split('\n\n')
  .map((set) => set.split('\n'));

/** dirvish's own Perl modules, asked by one process: the date for each moment, and which rule gave it. */
function perlDates(rules: readonly string[], times: readonly number[]): string[] {
  const input = JSON.stringify({ rules, times, standard: '+15 days' });
  const out = mustSync(['perl', join(import.meta.dirname, 'dates.pl')], { input, env: { TZ: ZONE } });
  return out.toString().split('\n').slice(0, -1);
}

describe('every day of three years', () => {
  it.each(RULES.map((rules, index) => ({ rules, index })))(
    "is stamped with the date that dirvish's modules give it: set $index",
    ({ rules }) => {
      const times = Array.from({ length: DAYS }, (_, day) => START + day * DAY + ((day * 7919) % DAY));
      const settings = { expire: undefined, 'expire-rule': rules, 'expire-default': '+15 days' };
      const ours = times.map((time) => expireFor(settings, time, ZONE).expire);
      expect(ours).toEqual(perlDates(rules, times));
      expect(new Set(ours.map((text) => text.split(' ==')[0])).size).toBeGreaterThan(2);
    },
  );

  it('sixty of them by dirvish itself', { timeout: 120_000 }, async () => {
    expect(RULES).toHaveLength(5);
    const wrong: unknown[] = [];
    for (let check = 0; check < 60; check += 1) {
      const rules = RULES[check % 5] ?? [];
      const time = START + ((check * 6151) % DAYS) * DAY + check * 613;
      const master = `bank:\n\t/nowhere\nexpire-default: +15 days\nexpire-rule:\n${rules.map((rule) => `\t${rule}\n`).join('')}`;
      const ours = expireFor(
        { expire: undefined, 'expire-rule': rules, 'expire-default': '+15 days' },
        time,
        ZONE,
      );
      const theirs = await stampedBy(master, formatLocal(time, ZONE));
      if (theirs.expire !== ours.expire || theirs.rule !== ours.rule?.trim())
        wrong.push({ check, ours, theirs });
    }
    expect(wrong).toEqual([]);
  });
});

let stamps: ReturnType<typeof makePlace> | undefined;

/** What dirvish writes into a summary for an image of that time; it makes none. */
async function stampedBy(master: string, local: string) {
  const place = (stamps ??= makePlace({ client: hostname() }));
  const text = master.replace('/nowhere', place.bank);
  const args = ['--vault', 'v', '--init', '--no-run', '--image-time', local];
  const { out, err } = await dirvish('dirvish', args, { master: text, env: { TZ: ZONE } });
  const value = (key: string) => new RegExp(`^${key}: *(.*)$`, 'm').exec(out)?.[1];
  const expire = value('Expire');
  if (expire === undefined) throw new Error(`${out}\n${err}`);
  return { expire, rule: value('Expire-rule')?.trim() };
}

describe('dirvish-expire', () => {
  let ground: Ground;
  beforeEach(() => {
    ground = makeGround();
  });
  /** The images that dirvish-expire would delete. */
  const theirs = async () => {
    const { out } = await dirvish('dirvish-expire', ['--no-run'], { master: ground.master });
    return [...out.matchAll(/^v:\w+ +(\S+) +\d{4}-/gm)].map(([, image = '']) => image).toSorted();
  };
  const ours = async () => {
    const { plan } = await ground.expire('--dry-run', '--time', 'now');
    return [...plan]
      .filter(([, { action }]) => action === 'delete')
      .map(([image]) => image)
      .toSorted();
  };

  it('deletes what vault deletes, where both are right', async () => {
    ground.written('a', { completed: '2026-01-01 22:00:00' });
    ground.written('b', { completed: '2026-01-02 22:00:00', expire: 'Never' });
    ground.written('c', { completed: '2026-01-03 22:00:00', status: 'error (23) -- partial' });
    ground.written('d', { completed: '2026-01-04 22:00:00', expire: AHEAD });
    expect(await theirs()).toEqual(['a', 'c']);
    expect(await ours()).toEqual(['a', 'c']);
  });

  it('respects a pin of ours, and what is left when it is gone', async () => {
    ground.written('a', { completed: '2026-01-01 22:00:00' });
    ground.written('b', { completed: '2026-01-02 22:00:00', expire: AHEAD });
    expect((await ground.call(['pin', 'v@a'])).code).toBe(0);
    await dirvish('dirvish-expire', [], { master: ground.master });
    expect(ground.images()).toEqual(['a', 'b']);
    expect((await ground.call(['unpin', 'v@a'])).code).toBe(0);
    await dirvish('dirvish-expire', [], { master: ground.master });
    expect(ground.images()).toEqual(['b']);
  });

  it('understands our trees that went alone, and a vault that vault has expired', async () => {
    ground.written('a', { completed: '2026-01-01 22:00:00' });
    ground.written('b', { completed: '2026-01-02 22:00:00', expire: AHEAD });
    await ground.expire('--tree', '--time', 'now');
    expect(await theirs()).toEqual(['a']);
    await ground.expire('--time', 'now');
    expect(await theirs()).toEqual([]);
  });
});

describe("dirvish's mistakes, which vault does not make", () => {
  let ground: Ground;
  beforeEach(() => {
    ground = makeGround();
  });
  const expireTheirs = (...args: readonly string[]) =>
    dirvish('dirvish-expire', args, { master: ground.master });

  it('with everything expired it keeps the oldest image, for its list is sorted upside down', async () => {
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      ground.written(name, { completed: `2026-01-0${index + 1} 22:00:00` });
    }
    mustSync(['cp', '-a', ground.bank, `${ground.bank}.saved`]);
    await expireTheirs();
    expect(ground.images()).toEqual(['a']);
    mustSync(['sh', '-c', `rm -r ${ground.bank} && mv ${ground.bank}.saved ${ground.bank}`]);
    await ground.expire('--time', 'now');
    expect(ground.images()).toEqual(['c']);
  });

  it('an image with a vanished-file warning never counts as good, so that nothing goes beside it', async () => {
    ground.written('a', { completed: '2026-01-01 22:00:00' });
    ground.written('b', {
      completed: '2026-01-02 22:00:00',
      expire: AHEAD,
      status: 'warning (24) -- vanished',
    });
    expect((await expireTheirs('--no-run')).out).toContain('cannot expire v:default:a');
    await ground.expire('--time', 'now');
    expect(ground.images()).toEqual(['b']);
  });

  it('a branch whose dates are mistyped is full for ever, and nobody is told: exit 0', async () => {
    for (const [index, name] of ['a', 'b'].entries()) {
      const expire = '+3 mons == someday';
      ground.written(name, { completed: `2026-01-0${index + 1} 22:00:00`, expire });
    }
    expect((await expireTheirs('--no-run')).code).toBe(0);
    const { code, err } = await ground.expire('--time', 'now');
    expect([code, /v@a: its date can't be read: "\+3 mons == someday"/.test(err)]).toEqual([3, true]);
  });

  it('a name with a space has it delete something else', async () => {
    const spaced = makeGround();
    spaced.written('a b', { completed: '2026-01-01 22:00:00' });
    spaced.written('c', { completed: '2026-01-02 22:00:00', expire: AHEAD });
    await dirvish('dirvish-expire', [], { master: spaced.master, cwd: spaced.home });
    expect(existsSync(`${spaced.vault}/a b/tree`)).toBe(true);
    expect((await spaced.expire('--time', 'now')).outcomes.get('a b')).toBe('deleted');
    expect(spaced.images()).toEqual(['c']);
  });

  it('a directory anywhere that has a summary is an image to it, though it lies in no vault', async () => {
    ground.written('a', { completed: '2026-01-01 22:00:00' });
    ground.written('b', { completed: '2026-01-02 22:00:00', expire: AHEAD });
    mkdirSync(`${ground.bank}/notes/deep`, { recursive: true });
    writeFileSync(`${ground.bank}/notes/deep/summary`, readFileSync(`${ground.vault}/a/summary`));
    mkdirSync(`${ground.bank}/notes/deep/tree`);
    await ground.expire('--time', 'now');
    expect(existsSync(`${ground.bank}/notes/deep/tree`)).toBe(true);
    await expireTheirs();
    expect(existsSync(`${ground.bank}/notes/deep`)).toBe(false);
  });

  it('with only unfinished images left, a pin on none of them, it and vault both delete nothing', async () => {
    ground.written('a', { completed: '2026-01-01 22:00:00', status: 'error (23) -- partial', expire: PAST });
    ground.written('b', {
      completed: '2026-01-02 22:00:00',
      status: 'fatal error (12) -- gone',
      expire: PAST,
    });
    expect((await expireTheirs('--no-run')).out).toContain('cannot expire');
    expect((await ground.expire('--time', 'now')).outcomes.size).toBe(0);
  });
});
