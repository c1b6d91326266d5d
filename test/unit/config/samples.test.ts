import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyStatement, emptyDraft } from '../../../src/config/apply.ts';
import type { Draft } from '../../../src/config/apply.ts';
import { GROUP_HEADINGS, isReserved } from '../../../src/config/option.ts';
import type { Group, Layer, Option } from '../../../src/config/option.ts';
import { findEntry, OPTIONS } from '../../../src/config/options.ts';
import { parseText } from '../../../src/config/parse.ts';
import { isList } from '../../../src/config/values.ts';
import { formatDuration } from '../../../src/time/duration.ts';

const CONF = join(import.meta.dirname, '../../../conf');

interface Sample {
  readonly layer: Layer;
  readonly head: string;
  /** What is not commented out. */
  readonly live: Readonly<Record<string, readonly string[]>>;
}

const SAMPLES: Readonly<Record<string, Sample>> = {
  'master.conf': {
    layer: 'master',
    head: `The master file: what holds for all vaults. It belongs to /etc/vault/master.conf.
What clients, vaults and branches say in their own files comes later and wins; the values of lists add up.
Lines that are commented out show the default, or an example where there is none.
A "#" opens a comment at the start of a line or after white space; "vault config check" tells mistakes.`,
    live: {
      bank: ['/backup/bank'],
      exclude: ['lost+found/', '/proc/*', '/sys/*', '/tmp/*', '/var/cache/apt/archives/*.deb'],
      'image-default': ['%Y%m%d-%H%M'],
      Runall: ['laptop-root 22:00'],
      'expire-default': ['+15 days'],
      'expire-rule': [
        '# MIN HOUR DAY MONTH WEEKDAY  DATE',
        '*   *    *   *     sun      +3 months',
        '*   *    1-7 *     sun      +1 year',
        '*   *    1-7 1,7   sun      never',
      ],
    },
  },
  'vault-default.conf': {
    layer: 'vault',
    head: `A vault: one directory tree of one client. It belongs to BANK/VAULT/dirvish/default.conf.
What stands here adds to the master file, and wins over it.
Lines that are commented out show the default, or an example where there is none.`,
    live: { client: ['laptop'], tree: ['/'], xdev: ['1'], exclude: ['/var/tmp/*'], index: ['gzip'] },
  },
};

/** A whole sample file, made of the option table. */
function sampleText({ layer, head, live }: Sample): string {
  const parts = [comment(head)];
  for (const group of Object.keys(GROUP_HEADINGS)) {
    const names = Object.keys(OPTIONS).filter((name) => isOffered(name, layer) && groupOf(name) === group);
    if (names.length > 0) parts.push(comment(`---- ${GROUP_HEADINGS[groupOf(names[0] ?? '')]} ----`));
    for (const name of names) parts.push(optionText(name, live[name]));
  }
  return `${parts.join('\n\n')}\n`;
}

function optionText(name: string, live: readonly string[] | undefined): string {
  const entry = findEntry(name)?.entry;
  if (entry === undefined || isReserved(entry)) throw new Error(`no option ${name}`);
  const list = 'type' in entry && isList(entry);
  const values = live ?? ['type' in entry ? (entry.example ?? defaultText(entry)) : entry.example];
  const lines = list ? [`${name}:`, ...values.map((value) => `\t${value}`)] : [`${name}: ${values[0]}`];
  return [comment(entry.doc), ...(live === undefined ? lines.map((line) => `#${line}`) : lines)].join('\n');
}

function defaultText(option: Option): string {
  const { default: value } = option;
  if (typeof value === 'number') return option.type === 'duration' ? formatDuration(value) : String(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'object' && value !== null && 'format' in value) return String(value.format);
  return Array.isArray(value) ? value.join(' ') : String(value);
}

function isOffered(name: string, layer: Layer): boolean {
  const entry = findEntry(name)?.entry;
  return entry !== undefined && !isReserved(entry) && entry.layers.includes(layer);
}

function groupOf(name: string): Group {
  return findEntry(name)?.entry.group ?? 'later';
}

function comment(text: string): string {
  return text
    .split('\n')
    .map((line) => `# ${line}`)
    .join('\n');
}

function load(text: string, file: string, layer: Layer): Draft {
  const draft = emptyDraft();
  const parsed = parseText(text, file);
  draft.problems.push(...parsed.problems);
  for (const statement of parsed.statements) applyStatement(draft, statement, layer, file);
  return draft;
}

describe.each(Object.entries(SAMPLES))('conf/%s', (name, sample) => {
  it('is what the option table makes it', async () => {
    await expect(sampleText(sample)).toMatchFileSnapshot(join(CONF, name));
  });

  it('loads', () => {
    const draft = load(readFileSync(join(CONF, name), 'utf8'), name, sample.layer);
    expect(draft.problems).toEqual([]);
    expect([...draft.values.keys()].toSorted()).toEqual(Object.keys(sample.live).toSorted());
  });

  it('loads with every option switched on', () => {
    const all = readFileSync(join(CONF, name), 'utf8').replace(/^#(?=[A-Za-z-]+:|\t)/gm, '');
    const draft = load(all, name, sample.layer);
    expect(draft.problems).toEqual([]);
    for (const option of Object.keys(OPTIONS).filter((each) => isOffered(each, sample.layer))) {
      expect(all).toMatch(new RegExp(`^${option}:`, 'm'));
    }
  });
});
