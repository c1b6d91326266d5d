import { lstatSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { spaceOf } from '../disk/bank.execute.ts';
import { VaultError } from '../errors.ts';
import { appender } from '../exec/files.ts';
import type { RawPath } from '../model.ts';
import { removeChanged } from './clone.execute.ts';
import { ancestorsOf } from './clone.ts';
import { markAttempt } from './heal.execute.ts';
import { judge, type Finding, type Judgement } from './judge.ts';
import type { Means } from './means.ts';
import { allTolerated, fileErrors, pathOfError } from './outcome.ts';
import type { ImagePlan } from './plan.ts';
import { startClone } from './early.execute.ts';
import { reconcile } from './reconcile.execute.ts';
import { refuse } from './refuse.ts';
import { plainArgv } from './rsync.ts';
import { newNonce, runListing, scan, type Listing } from './scan.execute.ts';
import type { Totals } from './scan.ts';
import { bytesToFetch, deleted, filesToWrite, isUnchanged, sumOf, type Tally } from './tally.ts';
import { transfer } from './transfer.execute.ts';
import {
  BrokenConnection,
  endError,
  excludesFile,
  follower,
  keep,
  linkDests,
  withTotals,
  type Work,
} from './work.execute.ts';

/** What one attempt made; or, for a broken connection, nothing but the reason. */
export type Attempted = Made | { readonly kind: 'broken'; readonly reason: string };

export interface Made {
  readonly kind: 'made';
  readonly command: string;
  readonly tally: Tally;
  readonly totals: Totals | undefined;
  readonly findings: readonly Finding[];
  readonly held: boolean;
  /** Some files could not be read. */
  readonly partial: boolean;
  readonly missing: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Makes the tree of an image in its work directory, up to the point where it could be committed. The directory may
 * be there already, with what hooks have put into it. The log begins with `preamble`.
 */
export async function attempt(
  means: Means,
  plan: ImagePlan,
  earlier: string | undefined,
  preamble: readonly string[] = [],
): Promise<Attempted> {
  const directory = plan.workDirectory;
  await mkdir(means.vault.at(directory), { recursive: true, mode: 0o700 });
  await markAttempt(means, directory, plan.reference?.directory);
  if (plan.settings.exclude.length > 0) {
    await writeFile(
      means.vault.at(`${directory}/exclude`),
      plan.settings.exclude.map((line) => `${line}\n`).join(''),
    );
  }
  const log = await appender(
    means.vault.at(`${directory}/log`),
    Number.parseInt(plan.settings['meta-perm'], 8),
  );
  const work: Work = { means, plan, earlier, log, listings: [] };
  log.add(Buffer.from(preamble.map((line) => `${line}\n`).join('')));
  try {
    return plan.engine.engine === 'delta' ? await deltaAttempt(work) : await plainAttempt(work);
  } catch (error) {
    // A client that left in the middle is a broken connection, not the end.
    if (error instanceof BrokenConnection) return { kind: 'broken', reason: error.message };
    throw error;
  } finally {
    await writeErrors(work);
    await log.close();
  }
}

/** Scan, judge, clone, transfer. */
async function deltaAttempt(work: Work): Promise<Made> {
  const { means, plan } = work;
  const directory = plan.workDirectory;
  const spool = `${directory}/changes`;
  means.progress.phase('scanning');
  const reference = `./${plan.reference?.directory ?? ''}/tree`;
  const request = { reference, excludesFrom: excludesFile(work), onlyListed: false };
  const clone = await startClone(work);
  let scanned: Listing;
  let judged: Judgement;
  try {
    scanned = await keep(work, scan(means, plan.setup, request, { spool }));
    judged = await judgeScan(work, scanned);
  } catch (error) {
    await clone.giveUp();
    throw error;
  }
  means.progress.phase('cloning');
  const unlinked = await clone.finish();
  const cost = await costOfUnlinked(work, unlinked);
  await removeChanged(means, spool, directory);
  const isSame = isUnchanged(scanned.tally) && unlinked.length === 0;
  const { command } = isSame ? scanned : await transferChanges(work, scanned, unlinked);
  const { rescanned, whole, ...gone } = await reconcile(work, spool);
  const last = rescanned === undefined ? judged : await judgeAgain(work, scanned, rescanned, whole);
  const findings = [...last.findings, ...cost];
  return made(work, { command, scanned, findings, held: last.verdict === 'hold', ...gone });
}

async function transferChanges(work: Work, scanned: Listing, unlinked: readonly RawPath[]): Promise<Listing> {
  const { means, plan } = work;
  means.progress.phase('transferring', {
    files: filesToWrite(scanned.tally),
    bytes: bytesToFetch(scanned.tally),
  });
  const request = {
    spool: `${plan.workDirectory}/changes`,
    directory: plan.workDirectory,
    linkDests: linkDests(work),
    unlinked,
  };
  return keep(work, transfer(means, plan.setup, request, follower(work)));
}

/** One plain rsync into a fresh directory; judged before by a dry run, where a second connection is harmless. */
async function plainAttempt(work: Work): Promise<Made> {
  const { means, plan } = work;
  const directory = plan.workDirectory;
  let scanned: Listing | undefined;
  let judged: Judgement | undefined;
  if (plan.setup.source.kind !== 'daemon') {
    means.progress.phase('scanning');
    const reference = `./${plan.reference?.directory ?? directory}/tree`;
    const request = { reference, excludesFrom: excludesFile(work), onlyListed: false };
    scanned = await keep(work, scan(means, plan.setup, request, { spool: undefined }));
    judged = await judgeScan(work, scanned);
  }
  await mkdir(means.vault.at(`${directory}/tree`), { mode: 0o700 });
  const totals = scanned && { files: filesToWrite(scanned.tally), bytes: bytesToFetch(scanned.tally) };
  means.progress.phase('transferring', totals);
  const nonce = newNonce();
  const argv = plainArgv(plan.setup, linkDests(work), `./${directory}/tree`, excludesFile(work), nonce);
  const listing = await keep(work, runListing(means, plan.setup, argv, nonce, follower(work)));
  judged ??= await judgeScan(work, withDeletions(plan, listing), true);
  const { findings } = judged;
  const held = judged.verdict === 'hold';
  const { command } = listing;
  return made(work, { command, scanned: scanned ?? listing, findings, held, lost: [], strays: new Set() });
}

/** A plain run lists no deletions: they are reckoned from what the reference had. */
function withDeletions(plan: ImagePlan, listing: Listing): Listing {
  const before = plan.reference?.files;
  if (before === undefined || listing.totals === undefined) return listing;
  const now = listing.totals.entries - listing.totals.directories;
  const deletedFiles = Math.max(0, before - (now - listing.tally.newFiles - listing.tally.newOther));
  return { ...listing, tally: { ...listing.tally, deletedFiles } };
}

async function judgeScan(work: Work, scanned: Listing, afterwards = false): Promise<Judgement> {
  return judgement(work.means, work.plan, scanned, afterwards);
}

/** A source that went away between scan and transfer is as empty, or as thinned out, as one that was so before. */
async function judgeAgain(
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

async function judgement(
  means: Means,
  plan: ImagePlan,
  scanned: Listing,
  afterwards: boolean,
): Promise<Judgement> {
  const space = await spaceOf(means.vault.at('.'), process.geteuid?.() === 0);
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
async function costOfUnlinked(work: Work, unlinked: readonly RawPath[]): Promise<Finding[]> {
  if (unlinked.length === 0) return [];
  const { means, plan } = work;
  const tree = `${plan.reference?.directory ?? ''}/tree`;
  let bytes = 0;
  for (const path of unlinked) {
    const found = lstatSync(means.vault.atBytes(tree, path), { throwIfNoEntry: false });
    if (found?.isFile()) bytes += found.size;
  }
  const message = 'files of the reference cannot be linked again (link limit or immutable) and are copied';
  return [{ level: 'note', code: 'links', message, files: unlinked.length, bytes }];
}

/** A dry run's result. */
export interface Rehearsal {
  readonly plan: ImagePlan;
  readonly listing: Listing;
  readonly judgement: Judgement;
}

/** Scans and judges, and writes nothing. Fails where the run itself would. */
export async function rehearse(means: Means, plan: ImagePlan): Promise<Rehearsal> {
  means.progress.phase('scanning');
  const stdin = (async function* () {
    yield Buffer.from(plan.settings.exclude.map((line) => `${line}\n`).join(''));
  })();
  const reference = `./${plan.reference?.directory ?? plan.workDirectory}/tree`;
  const request = { reference, excludesFrom: '-', onlyListed: false };
  const listing = await scan(means, plan.setup, request, { spool: undefined, stdin });
  const { outcome } = listing.end;
  if (outcome === 'interrupted') throw new VaultError('interrupted', 'Interrupted.');
  if (outcome !== 'good' && outcome !== 'vanished' && outcome !== 'partial') {
    throw endError(plan, listing.end, listing.messages);
  }
  return { plan, listing, judgement: await judgement(means, plan, withTotals(listing), false) };
}

interface Result {
  readonly command: string;
  readonly scanned: Listing;
  readonly findings: readonly Finding[];
  readonly held: boolean;
  readonly lost: readonly string[];
  readonly strays: ReadonlySet<string>;
}

function made(work: Work, { command, scanned, findings, held, lost, strays }: Result): Made {
  const { plan, listings } = work;
  const errors = listings
    .filter((listing) => listing.end.outcome === 'partial')
    .map((listing) => fileErrors(listing.messages))
    .map((all) =>
      strays.size === 0 ? all : all.filter((error) => !isBelow(pathOfError(error), plan, strays)),
    );
  const bad = strays.size === 0 ? errors : errors.filter((each) => each.length > 0);
  const partial = bad.some((each) => !allTolerated(each, plan.settings.tolerate));
  const unread = new Set(bad.flat().map((error) => error.path));
  const warnings: string[] = [];
  if (!partial && unread.size > 0) warnings.push(`${unread.size} tolerated paths could not be read`);
  if (!partial && lost.length > 0) {
    const more = lost.length === 1 ? '' : ` and ${lost.length - 1} more`;
    warnings.push(`vanished during the run: ${lost[0]}${more}`);
  } else if (listings.some((listing) => listing.end.outcome === 'vanished')) {
    warnings.push('some files vanished before they could be read');
  }
  for (const finding of findings) if (finding.level === 'warn') warnings.push(finding.message);
  const { tally, totals } = scanned;
  return { kind: 'made', command, tally, totals, findings, held, partial, missing: [...unread], warnings };
}

/** Whether a path on the client lies below one of these directories of the tree (latin1). */
function isBelow(path: string, plan: ImagePlan, directories: ReadonlySet<string>): boolean {
  const base = `${Buffer.from(plan.setup.source.path).toString('latin1')}/`;
  if (!path.startsWith(base)) return false;
  return ancestorsOf(Buffer.from(path.slice(base.length), 'latin1')).some((each) =>
    directories.has(each.toString('latin1')),
  );
}

/** All that rsync complained of, as dirvish keeps it: `rsync_error`, only when there is something. */
async function writeErrors(work: Work): Promise<void> {
  const lines = work.listings.flatMap((listing) => listing.messages);
  if (lines.length === 0) return;
  const path = work.means.vault.at(`${work.plan.workDirectory}/rsync_error`);
  const mode = Number.parseInt(work.plan.settings['meta-perm'], 8);
  await writeFile(path, Buffer.from(`${lines.join('\n')}\n`, 'latin1'), { mode }).catch(() => undefined);
}
