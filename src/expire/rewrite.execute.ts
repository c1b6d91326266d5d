import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSummary } from '../catalog/summary.ts';
import { VaultError } from '../errors.ts';
import type { Run } from '../exec/command.ts';
import { readIfThere, writeDurably } from '../exec/files.ts';
import { takeLock } from '../exec/lock.ts';
import { field } from '../catalog/summary.ts';
import type { Vault } from '../model.ts';

/** Waiting for `dirvish/` is waiting for somebody's rename: seconds at most. */
const SHORT_WAIT = 60;

/** One summary to be replaced. `rewrite` gets its text as it is under the lock. */
export interface Rewriting {
  readonly directory: string;
  /** The `Image:` that must still be there. */
  readonly name: string;
  readonly rewrite: (text: string) => string;
}

/**
 * Replaces summaries of one vault as a whole, durably, under the lock that runs commit and expiry renames under. Gives
 * the names of those that changed. Fails (`usage`) when an image is not there any more.
 */
export async function rewriteSummaries(
  run: Run,
  vault: Vault,
  rewritings: readonly Rewriting[],
  signal: AbortSignal,
): Promise<string[]> {
  const base = join(vault.bank, vault.name);
  const what = `the history of vault ${vault.name}`;
  const request = { path: join(base, 'dirvish'), mode: 'exclusive', wait: SHORT_WAIT, what } as const;
  const lock = await takeLock(run, request, signal);
  const changed: string[] = [];
  try {
    for (const { directory, name, rewrite } of rewritings) {
      const path = join(base, directory, 'summary');
      const text = await readIfThere(path);
      if (text === undefined || (field(parseSummary(text), 'Image') ?? directory) !== name) {
        throw new VaultError('usage', `Image ${vault.name}@${name} is gone.`);
      }
      const next = rewrite(text);
      if (next === text) continue;
      await writeDurably(path, next, (await stat(path)).mode & 0o777);
      changed.push(name);
    }
  } finally {
    await lock.release();
  }
  return changed;
}
