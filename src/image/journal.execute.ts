import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Where } from '../commands/spec.ts';
import type { LoadedBranch } from '../config/load.ts';
import { stateDirectory } from '../config/state.ts';
import { kindOf, messageOf, type ErrorKind } from '../errors.ts';
import { readIfThere, syncDirectory, writeDurably, writeSynced } from '../exec/files.ts';
import { advanced, parseClock, type Clock } from '../time/clock.ts';
import { isAbsence } from './absence.ts';
import type { MadeImage } from './make.execute.ts';

/** How the last run of a branch ended, good or bad. It is a log: nothing but `status` depends on it. */
export interface LastRun {
  readonly schema: 1;
  readonly vault: string;
  readonly branch: string;
  /** Seconds since the epoch. */
  readonly ended: number;
  readonly result: 'good' | 'partial' | 'held' | 'absent' | ErrorKind;
  readonly image?: string;
  /** Why it failed. A client that is away, and may be, is no failure. */
  readonly message?: string;
}

/** Runs `make` and notes how it ended, whichever way; `by` tells who asked for it. */
export async function noteRun(
  where: Where,
  loaded: Pick<LoadedBranch, 'vault' | 'branch' | 'settings'>,
  make: () => Promise<MadeImage>,
  by: 'hand' | 'night' = 'hand',
): Promise<MadeImage> {
  const common = { schema: 1, vault: loaded.vault, branch: loaded.branch } as const;
  try {
    const made = await make();
    const { verdict, completed } = made.completion;
    await write(where, { ...common, ended: completed, result: verdict, image: made.plan.name });
    return made;
  } catch (error) {
    // A slip on the command line was no run; at night it is one in a configuration file.
    if (kindOf(error) === 'usage' && by === 'hand') throw error;
    const ended = Math.floor(Date.now() / 1000);
    if (isAbsence(loaded.settings, error)) {
      await write(where, { ...common, ended, result: 'absent' });
      throw error;
    }
    await write(where, { ...common, ended, result: kindOf(error), message: messageOf(error) });
    throw error;
  }
}

/** A journal that can't be written must not fail a night. */
async function write(where: Where, last: LastRun): Promise<void> {
  const directory = join(stateDirectory(where), 'runs');
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeDurably(
      join(directory, `${last.vault}:${last.branch}.json`),
      `${JSON.stringify(last)}\n`,
      0o600,
    );
    const now = Math.floor(Date.now() / 1000);
    await writeClock(where, advanced(await readClock(where), now));
  } catch {
    return;
  }
}

/** The last run of every branch that this server ever ran. */
export async function lastRuns(where: Where): Promise<LastRun[]> {
  const directory = join(stateDirectory(where), 'runs');
  const names = await readdir(directory).catch((): string[] => []);
  const runs: LastRun[] = [];
  for (const name of names.filter((each) => each.endsWith('.json'))) {
    const text = await readIfThere(join(directory, name));
    const parsed = text === undefined ? undefined : parseRun(text);
    if (parsed !== undefined) runs.push(parsed);
  }
  return runs;
}

function parseRun(text: string): LastRun | undefined {
  try {
    const parsed: LastRun = JSON.parse(text);
    return parsed.schema === 1 && typeof parsed.vault === 'string' ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** What is known of this server's clock; undefined where it never ran. */
export async function readClock(where: Where): Promise<Clock | undefined> {
  const text = await readIfThere(join(stateDirectory(where), 'clock.json'));
  const known = text === undefined ? undefined : parseClock(text);
  if (known !== undefined) return known;
  const ended = (await lastRuns(where)).map((each) => each.ended);
  return ended.length === 0 ? undefined : { schema: 1, last: Math.max(...ended) };
}

/** Several runs may end at once: each writes a file of its own, and the last one stays. */
export async function writeClock(where: Where, clock: Clock): Promise<void> {
  const directory = stateDirectory(where);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const fresh = join(directory, `clock.json.${randomUUID()}`);
  await writeSynced(fresh, `${JSON.stringify(clock)}\n`, 0o600);
  await rename(fresh, join(directory, 'clock.json'));
  await syncDirectory(directory);
}
