import type { appender } from '../exec/files.ts';
import { VaultError } from '../errors.ts';
import { distrust } from './heal.execute.ts';
import type { Means } from './means.ts';
import type { RsyncEnd } from './outcome.ts';
import type { ImagePlan } from './plan.ts';
import type { Listing } from './scan.execute.ts';
import { escapeName, type Change } from './scan.ts';

/** One attempt at an image, as its steps share it. */
export interface Work {
  readonly means: Means;
  readonly plan: ImagePlan;
  /** `.incomplete-…` of an earlier attempt, whose files need not come again. */
  readonly earlier: string | undefined;
  readonly log: Awaited<ReturnType<typeof appender>>;
  readonly listings: Listing[];
}

/** The connection broke: it may be tried again. */
export class BrokenConnection extends Error {}

/** Where files may be linked from, seen from the new tree. */
export function linkDests(work: Work): string[] {
  const { reference } = work.plan;
  const trees = [...(reference ? [reference.directory] : []), ...(work.earlier ? [work.earlier] : [])];
  // Relative to the new tree, so that they work through the open directory.
  return trees.map((name) => `../../${name}/tree`);
}

/** The user's patterns, seen from the vault. */
export function excludesFile(work: Work): string {
  return `./${work.plan.workDirectory}/exclude`;
}

/** Waits for an rsync, notes what it said, and stops everything unless something usable came of it. */
export async function keep(work: Work, running: Promise<Listing>): Promise<Listing> {
  const listing = await running;
  work.listings.push(listing);
  work.log.add(Buffer.from(`\nACTION: ${listing.command}\n${listing.remarks.join('\n')}\n`, 'latin1'));
  const { outcome, message } = listing.end;
  if (outcome === 'good' || outcome === 'vanished' || outcome === 'partial') return withTotals(listing);
  if (outcome === 'connection') throw new BrokenConnection(message);
  if (outcome === 'interrupted') throw new VaultError('interrupted', 'Interrupted.');
  await distrust(work.means, work.plan.workDirectory);
  throw endError(work.plan, listing.end, listing.messages);
}

/** Without statistics nobody can tell an empty source from a good one. */
export function withTotals(listing: Listing): Listing {
  if (listing.totals !== undefined) return listing;
  throw new VaultError('failed', 'rsync printed no statistics, so that nothing can be said of what it did.', {
    hint: 'Is there an rsync-option that silences it?',
  });
}

/** An rsync that came to nothing, in the user's words. */
export function endError(plan: ImagePlan, end: RsyncEnd, messages: readonly string[]): VaultError {
  const detail = messages.find((line) => line.startsWith('rsync:')) ?? messages[0] ?? '';
  if (end.outcome === 'unreachable') return new VaultError('unreachable', `${plan.client}: ${end.message}`);
  if (end.outcome === 'full') {
    return new VaultError(
      'failed',
      `No space left on ${plan.bank}: the image was given up, nothing older was touched.`,
      {
        hint: 'Expire old images, or use a larger disk.',
      },
    );
  }
  return new VaultError('failed', `${end.message}${detail === '' ? '' : ` (${detail})`}`);
}

/** Writes the names of what comes to the log, and the progress. */
export function follower(work: Work): { onChange: (change: Change) => void; drain: () => Promise<void> } {
  let files = 0;
  let bytes = 0;
  const onChange = (change: Change) => {
    if (change.directory) return;
    files += 1;
    bytes += change.size;
    work.log.add(Buffer.concat([escapeName(change.path), Buffer.from('\n')]));
    work.means.progress.update(files, bytes);
  };
  return { onChange, drain: work.log.drain };
}
