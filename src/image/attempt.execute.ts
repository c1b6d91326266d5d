import { lstatSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { spaceOf } from '../disk/bank.execute.ts';
import { VaultError } from '../errors.ts';
import { appender } from '../exec/files.ts';
import type { RawPath } from '../model.ts';
import { cloneTree, removeChanged } from './clone.execute.ts';
import { isRoot, listEntry, parentOf } from './clone.ts';
import { distrust, markAttempt } from './heal.execute.ts';
import { judge, type Finding, type Judgement } from './judge.ts';
import type { Means } from './means.ts';
import { allTolerated, fileErrors, type RsyncEnd } from './outcome.ts';
import type { ImagePlan } from './plan.ts';
import { refuse } from './refuse.ts';
import { plainArgv } from './rsync.ts';
import { newNonce, runListing, scan, type Listing } from './scan.execute.ts';
import { escapeName, type Change, type Totals } from './scan.ts';
import { bytesToFetch, filesToWrite, isUnchanged, type Tally } from './tally.ts';
import { missingAfterTransfer, transfer } from './transfer.execute.ts';

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

/** More vanished paths than this are counted, not named. */
const NAMED = 1_000;

interface Work {
  readonly means: Means;
  readonly plan: ImagePlan;
  /** `.incomplete-…` of an earlier attempt, whose files need not come again. */
  readonly earlier: string | undefined;
  readonly log: Awaited<ReturnType<typeof appender>>;
  readonly listings: Listing[];
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

class BrokenConnection extends Error {}

function linkDests(work: Work): string[] {
  const { reference } = work.plan;
  const trees = [...(reference ? [reference.directory] : []), ...(work.earlier ? [work.earlier] : [])];
  // Relative to the new tree, so that they work through the open directory.
  return trees.map((name) => `../../${name}/tree`);
}

function excludesFile(work: Work): string {
  return `./${work.plan.workDirectory}/exclude`;
}

/** Scan, judge, clone, transfer. */
async function deltaAttempt(work: Work): Promise<Made> {
  const { means, plan } = work;
  const directory = plan.workDirectory;
  const spool = `${directory}/changes`;
  means.progress.phase('scanning');
  const reference = `./${plan.reference?.directory ?? ''}/tree`;
  const request = { reference, excludesFrom: excludesFile(work), onlyListed: false };
  const scanned = await keep(work, scan(means, plan.setup, request, { spool }));
  const judged = await judgeScan(work, scanned);
  means.progress.phase('cloning');
  const from = plan.reference?.directory ?? '';
  const unlinked = await cloneTree(means, from, directory, plan.setup.xattrs);
  const cost = await costOfUnlinked(work, unlinked);
  await removeChanged(means, spool, directory);
  if (!isUnchanged(scanned.tally) || unlinked.length > 0) await transferChanges(work, scanned, unlinked);
  const lost = await reconcile(work, spool);
  return made(work, scanned, [...judged.findings, ...cost], judged.verdict === 'hold', lost);
}

async function transferChanges(work: Work, scanned: Listing, unlinked: readonly RawPath[]): Promise<void> {
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
  await keep(work, transfer(means, plan.setup, request, follower(work)));
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
  return made(work, scanned ?? listing, judged.findings, judged.verdict === 'hold', []);
}

/** A plain run lists no deletions: they are reckoned from what the reference had. */
function withDeletions(plan: ImagePlan, listing: Listing): Listing {
  const before = plan.reference?.files;
  if (before === undefined || listing.totals === undefined) return listing;
  const now = listing.totals.entries - listing.totals.directories;
  const deletedFiles = Math.max(0, before - (now - listing.tally.newFiles - listing.tally.newOther));
  return { ...listing, tally: { ...listing.tally, deletedFiles } };
}

/** Waits for an rsync, notes what it said, and stops everything unless something usable came of it. */
async function keep(work: Work, running: Promise<Listing>): Promise<Listing> {
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
function withTotals(listing: Listing): Listing {
  if (listing.totals !== undefined) return listing;
  throw new VaultError('failed', 'rsync printed no statistics, so that nothing can be said of what it did.', {
    hint: 'Is there an rsync-option that silences it?',
  });
}

function endError(plan: ImagePlan, end: RsyncEnd, messages: readonly string[]): VaultError {
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

async function judgeScan(work: Work, scanned: Listing, afterwards = false): Promise<Judgement> {
  return judgement(work.means, work.plan, scanned, afterwards);
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

/** Writes the names of what comes to the log, and the progress. */
function follower(work: Work): { onChange: (change: Change) => void; drain: () => Promise<void> } {
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

/**
 * What vanished or changed its type between scan and transfer may have come back under another name: the parents
 * of such paths are looked at once more. Gives the paths that are still missing then.
 */
async function reconcile(work: Work, spool: string): Promise<string[]> {
  const { means, plan } = work;
  const first = await missing(work, spool);
  if (first.count === 0) return [];
  const parents = [...new Map(first.paths.map((path) => parentKey(path))).values()];
  const again = `${spool}.again`;
  const request = {
    reference: `./${plan.workDirectory}/tree`,
    excludesFrom: excludesFile(work),
    onlyListed: true,
  };
  means.progress.phase('scanning again');
  const stdin = (async function* () {
    yield Buffer.concat(
      parents.map((parent) => (parent === undefined ? Buffer.from('./\0') : listEntry(parent))),
    );
  })();
  const scanned = await keep(work, scan(means, plan.setup, request, { spool: again, stdin }));
  if (isUnchanged(scanned.tally)) return first.names;
  await removeChanged(means, again, plan.workDirectory);
  const second = { spool: again, directory: plan.workDirectory, linkDests: linkDests(work), unlinked: [] };
  await keep(work, transfer(means, plan.setup, second, follower(work)));
  const left = await missing(work, again);
  return [...new Set([...first.names, ...left.names])];
}

function parentKey(path: RawPath): [string, RawPath | undefined] {
  const parent = parentOf(path);
  return [parent?.toString('latin1') ?? '', parent];
}

async function missing(
  work: Work,
  spool: string,
): Promise<{ count: number; paths: RawPath[]; names: string[] }> {
  const paths: RawPath[] = [];
  let count = 0;
  const errors = work.listings.flatMap((listing) => fileErrors(listing.messages));
  const complained = new Set(errors.map((error) => error.path));
  const base = Buffer.from(`${work.plan.setup.source.path}/`);
  await missingAfterTransfer(work.means, spool, work.plan.workDirectory, (path) => {
    // Unreadable files stay unreadable: rsync has named them.
    if (complained.has(Buffer.concat([base, escapeName(path)]).toString('latin1'))) return;
    count += 1;
    if (!isRoot(path) && paths.length < NAMED) paths.push(path);
  });
  return { count, paths, names: paths.map((path) => escapeName(path).toString()) };
}

function made(
  work: Work,
  scanned: Listing,
  findings: readonly Finding[],
  held: boolean,
  lost: string[],
): Made {
  const { plan, listings } = work;
  const bad = listings.filter((listing) => listing.end.outcome === 'partial');
  const partial = bad.some((listing) => !allTolerated(listing.messages, plan.settings.tolerate));
  const unread = new Set(bad.flatMap((listing) => fileErrors(listing.messages).map((error) => error.path)));
  const warnings: string[] = [];
  if (!partial && bad.length > 0) warnings.push(`${unread.size} tolerated paths could not be read`);
  if (!partial && lost.length > 0) warnings.push(`${lost.length} paths vanished during the run: ${lost[0]}`);
  else if (listings.some((listing) => listing.end.outcome === 'vanished')) {
    warnings.push('some files vanished before they could be read');
  }
  for (const finding of findings) if (finding.level === 'warn') warnings.push(finding.message);
  return {
    kind: 'made',
    command: listings.at(-1)?.command ?? '',
    tally: scanned.tally,
    totals: listings.findLast((listing) => listing.totals !== undefined)?.totals && scanned.totals,
    findings,
    held,
    partial,
    missing: [...unread],
    warnings,
  };
}

/** All that rsync complained of, as dirvish keeps it: `rsync_error`, only when there is something. */
async function writeErrors(work: Work): Promise<void> {
  const lines = work.listings.flatMap((listing) => listing.messages);
  if (lines.length === 0) return;
  const path = work.means.vault.at(`${work.plan.workDirectory}/rsync_error`);
  const mode = Number.parseInt(work.plan.settings['meta-perm'], 8);
  await writeFile(path, Buffer.from(`${lines.join('\n')}\n`, 'latin1'), { mode }).catch(() => undefined);
}
