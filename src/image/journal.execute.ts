import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Where } from '../commands/spec.ts';
import { stateDirectory } from '../config/state.ts';
import { kindOf, messageOf, type ErrorKind } from '../errors.ts';
import { readIfThere, writeDurably } from '../exec/files.ts';
import type { MadeImage } from './make.execute.ts';

/** How the last run of a branch ended, good or bad. It is a log: nothing but `status` depends on it. */
export interface LastRun {
  readonly schema: 1;
  readonly vault: string;
  readonly branch: string;
  /** Seconds since the epoch. */
  readonly ended: number;
  readonly result: 'good' | 'partial' | 'held' | ErrorKind;
  readonly image?: string;
  readonly message?: string;
}

/** Runs `make` and notes how it ended, whichever way. */
export async function noteRun(
  where: Where,
  place: { readonly vault: string; readonly branch: string },
  make: () => Promise<MadeImage>,
): Promise<MadeImage> {
  const common = { schema: 1, vault: place.vault, branch: place.branch } as const;
  try {
    const made = await make();
    const { verdict, completed } = made.completion;
    await write(where, { ...common, ended: completed, result: verdict, image: made.plan.name });
    return made;
  } catch (error) {
    const ended = Math.floor(Date.now() / 1000);
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
