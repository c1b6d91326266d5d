import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ran } from '../../support/process.ts';
import { fill, makePlace, type Place, type PlaceOptions, type RunOptions } from '../run/place.ts';

/** The hooks that come with the program. */
export const HOOKS = join(import.meta.dirname, '../../../hooks');

export const STAGES = ['pre-server', 'pre-client', 'post-client', 'post-server'] as const;
export type Stage = (typeof STAGES)[number];

/** What a hook of the test does after it has recorded what it was given. */
export type Behaviour = 'pass' | 'fail' | 'hang' | 'none';

export interface HookPlace extends Place {
  /** Runs `vault run v --image NAME`, with the hooks recording. */
  readonly go: (name: string, options?: RunOptions) => Promise<Ran>;
  /** What hooks/template has recorded, a map for each hook, in the order they were run. */
  readonly records: () => ReadonlyMap<string, string>[];
  /** Environment for hooks that record. */
  readonly env: Readonly<Record<string, string>>;
}

const ENDS: Readonly<Record<Exclude<Behaviour, 'none'>, string>> = {
  pass: '',
  fail: '; exit 3',
  hang: '; echo hanging; exec sleep 600',
};

/** The lines of a configuration with hooks that record and then behave. */
export function hookLines(behaviours: Partial<Record<Stage, Behaviour>>): string {
  return STAGES.flatMap((stage) => {
    const how = behaviours[stage] ?? 'pass';
    return how === 'none' ? [] : [`${stage}: ${HOOKS}/template ${stage}${ENDS[how]}\n`];
  }).join('');
}

/** A place whose hooks record. */
export function makeHookPlace(options: PlaceOptions = {}): HookPlace {
  const place = makePlace(options);
  fill(place.source);
  const file = `${place.home}/record`;
  const env = { HOOK_RECORD: file };
  return {
    ...place,
    env,
    go: (name, how = {}) =>
      place.call(['run', 'v', '--image', name], { ...how, env: { ...env, ...how.env } }),
    records: () => (existsSync(file) ? parseRecords(readFileSync(file, 'utf8')) : []),
  };
}

function parseRecords(text: string): ReadonlyMap<string, string>[] {
  const records: Map<string, string>[] = [];
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [key = '', ...rest] = line.split(' ');
    if (key === 'hook') records.push(new Map());
    records.at(-1)?.set(key, rest.join(' '));
  }
  return records;
}

/** The hooks in the summary of an image, by name. */
export function hooksOf(image: string): Readonly<Record<string, string>> {
  const text = readFileSync(`${image}/summary`, 'utf8');
  const list = /^Vault-hook:\n((?:\t.*\n)*)/m.exec(text)?.[1] ?? '';
  const lines = list.split('\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) =>
      line
        .trim()
        .split(/: (.*)/)
        .slice(0, 2),
    ),
  );
}
