import { lstatSync } from 'node:fs';
import { spaceOf } from '../disk/bank.execute.ts';
import type { RawPath } from '../model.ts';
import { bytesOnlyIn } from './count.execute.ts';
import { judge, type Finding, type Judgement } from './judge.ts';
import type { Means } from './means.ts';
import type { ImagePlan } from './plan.ts';
import { noRoomForCopies, refuse } from './refuse.ts';
import type { Listing } from './scan.execute.ts';
import { deleted, sumOf } from './tally.ts';
import type { Work } from './work.execute.ts';

/** A plain run lists no deletions: they are reckoned from what the reference had. */
export function withDeletions(plan: ImagePlan, listing: Listing): Listing {
  const before = plan.reference?.files;
  if (before === undefined || listing.totals === undefined) return listing;
  const now = listing.totals.entries - listing.totals.directories;
  const deletedFiles = Math.max(0, before - (now - listing.tally.newFiles - listing.tally.newOther));
  return { ...listing, tally: { ...listing.tally, deletedFiles } };
}

/** Judges a scan of the source; throws where nothing is to be made. */
export async function judgeScan(work: Work, scanned: Listing, afterwards = false): Promise<Judgement> {
  return judgement(work.means, work.plan, scanned, afterwards, work.earlier);
}

/** A source that went away between scan and transfer is as empty, or as thinned out, as one that was so before. */
export async function judgeAgain(
  work: Work,
  scanned: Listing,
  rescanned: Listing,
  whole: boolean,
): Promise<Judgement> {
  const tally = sumOf(scanned.tally, rescanned.tally);
  const left = Math.max(0, (scanned.totals?.entries ?? 0) - deleted(rescanned.tally));
  const totals = whole ? rescanned.totals : scanned.totals && { ...scanned.totals, entries: left };
  const judged = await judgement(work.means, work.plan, { ...scanned, tally, totals }, true);
  const isRoom = (finding: Finding) => finding.code === 'space' || finding.code === 'inodes';
  // Most of it is written by now.
  return { ...judged, findings: judged.findings.filter((finding) => !isRoom(finding)) };
}

/** Judges a listing against what is free now. */
export async function judgement(
  means: Means,
  plan: ImagePlan,
  scanned: Listing,
  afterwards: boolean,
  earlier?: string,
): Promise<Judgement> {
  const free = await spaceOf(means.vault.at('.'), process.geteuid?.() === 0);
  // What an earlier attempt brought is linked, not written again; and what it holds in vain goes afterwards.
  const credit = earlier === undefined ? 0 : await bytesOnlyIn(means, `${earlier}/tree`);
  const space = { ...free, freeBytes: free.freeBytes + credit };
  const judged = judge({
    tally: scanned.tally,
    totals: scanned.totals,
    hasReference: plan.reference !== undefined,
    referenceBytes: plan.reference?.bytes,
    space,
    ignoreSpace: plan.settings['ignore-space'] || afterwards,
    maxDeletePercent: plan.settings['max-delete-percent'],
    maxChangePercent: plan.settings['max-change-percent'],
    gainsAttributes: plan.gainsAttributes,
  });
  if (judged.verdict === 'refuse') throw refuse(plan, judged, scanned, space);
  return judged;
}

/** What the link limit costs; refused when there is no room for it. */
export async function costOfUnlinked(work: Work, unlinked: readonly RawPath[]): Promise<Finding[]> {
  if (unlinked.length === 0) return [];
  const { means, plan } = work;
  const tree = `${plan.reference?.directory ?? ''}/tree`;
  let bytes = 0;
  for (const path of unlinked) {
    const found = lstatSync(means.vault.atBytes(tree, path), { throwIfNoEntry: false });
    if (found?.isFile()) bytes += found.size;
  }
  const { freeBytes } = await spaceOf(means.vault.at('.'), process.geteuid?.() === 0);
  if (bytes > freeBytes && !plan.settings['ignore-space']) throw noRoomForCopies(plan, bytes, freeBytes);
  const message = 'files of the reference cannot be linked again (link limit or immutable) and are copied';
  return [{ level: 'note', code: 'links', message, files: unlinked.length, bytes }];
}
