import { join } from 'node:path';
import { VaultError } from '../errors.ts';
import type { Run } from '../exec/command.ts';
import { readIfThere, writeDurably } from '../exec/files.ts';
import { takeLock } from '../exec/lock.ts';
import type { Image } from '../model.ts';
import { formatLocal } from '../time/local.ts';
import { stat } from 'node:fs/promises';
import { withHistoryLine } from './history.ts';
import { acceptedSummary, parseSummary, verdictOf } from './summary.ts';

/**
 * Declares a held image good: its summary is replaced as a whole, then its line is added to the history. Looks
 * again, under the lock, that it is still held. `now` is in seconds since the epoch.
 */
export async function acceptImage(
  run: Run,
  image: Image,
  world: { readonly now: number; readonly zone: string; readonly wait: number; readonly signal: AbortSignal },
): Promise<void> {
  const vault = join(image.bank, image.vault);
  const request = { path: join(vault, 'dirvish'), mode: 'exclusive', wait: world.wait } as const;
  const lock = await takeLock(run, { ...request, what: `the history of vault ${image.vault}` }, world.signal);
  try {
    const path = join(vault, image.directory, 'summary');
    const text = await readIfThere(path);
    if (text === undefined || verdictOf(parseSummary(text)) !== 'held') {
      throw new VaultError('usage', `Image ${image.vault}@${image.name} is not held any more.`);
    }
    const { mode } = await stat(path);
    await writeDurably(path, acceptedSummary(text, world.now, world.zone), mode & 0o777);
    const history = join(vault, 'dirvish', `${image.branch}.hist`);
    const line = {
      image: image.name,
      created: formatLocal(image.completed ?? world.now, world.zone),
      reference: image.reference ?? '-',
      expires: image.expire,
    };
    await writeDurably(history, withHistoryLine((await readIfThere(history)) ?? '', line), 0o600);
  } finally {
    await lock.release();
  }
}
