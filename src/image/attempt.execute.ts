import { mkdir, writeFile } from 'node:fs/promises';
import { VaultError } from '../errors.ts';
import { appender } from '../exec/files.ts';
import type { RawPath } from '../model.ts';
import { removeChanged } from './clone.execute.ts';
import { entriesOf } from './count.execute.ts';
import { startClone } from './early.execute.ts';
import { allowedOption } from './engine.ts';
import { markAttempt } from './heal.execute.ts';
import { judgeCount, type Judgement } from './judge.ts';
import { costOfUnlinked, judgeAgain, judgement, judgeScan, withDeletions } from './judging.execute.ts';
import type { Means } from './means.ts';
import type { ImagePlan } from './plan.ts';
import { reconcile } from './reconcile.execute.ts';
import { incomplete } from './refuse.ts';
import { resultOf, type Made, type Uncounted } from './result.ts';
import { plainArgv } from './rsync.ts';
import { newNonce, runListing, scan, type Listing } from './scan.execute.ts';
import { bytesToFetch, filesToWrite, isUnchanged } from './tally.ts';
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
    const result = plan.engine.engine === 'delta' ? await deltaAttempt(work) : await plainAttempt(work);
    return await countTree(work, result);
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
async function deltaAttempt(work: Work): Promise<Uncounted> {
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
  return resultOf(work, { command, scanned, findings, held: last.verdict === 'hold', ...gone });
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
async function plainAttempt(work: Work): Promise<Uncounted> {
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
  const result = resultOf(work, {
    command,
    scanned: scanned ?? listing,
    findings,
    held,
    lost: [],
    strays: new Set(),
  });
  const changed = scanned !== undefined && scanned.totals?.entries !== listing.totals?.entries;
  // What an option beyond the proven ones leaves out is listed all the same.
  const odd = !plan.setup.devices || !plan.setup.userOptions.every(allowedOption);
  return { ...result, explained: result.explained || changed || odd };
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

/** Counts what is really there, and judges it: an image is good only if all that the client listed is in it. */
async function countTree(work: Work, { explained, ...result }: Uncounted): Promise<Made> {
  const { means, plan } = work;
  const { totals } = result;
  const found = await entriesOf(means, `${plan.workDirectory}/tree`);
  if (totals === undefined || found === undefined) return result;
  const count = { listed: totals.entries, found: found.entries, explained };
  const finding = judgeCount(count, plan.settings['max-delete-percent']);
  const counted = { ...result, totals: { ...totals, ...found } };
  if (finding === undefined) return counted;
  if (finding.level === 'refuse') throw incomplete(plan, finding);
  const warnings = finding.level === 'warn' ? [...result.warnings, finding.message] : result.warnings;
  const held = result.held || finding.level === 'hold';
  return { ...counted, held, warnings, findings: [...result.findings, finding] };
}

/** All that rsync complained of, as dirvish keeps it: `rsync_error`, only when there is something. */
async function writeErrors(work: Work): Promise<void> {
  const lines = work.listings.flatMap((listing) => listing.messages);
  if (lines.length === 0) return;
  const path = work.means.vault.at(`${work.plan.workDirectory}/rsync_error`);
  const mode = Number.parseInt(work.plan.settings['meta-perm'], 8);
  await writeFile(path, Buffer.from(`${lines.join('\n')}\n`, 'latin1'), { mode }).catch(() => undefined);
}
