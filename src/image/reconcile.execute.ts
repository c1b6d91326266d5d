import type { RawPath } from '../model.ts';
import { cloneDirectories, removeChanged, spooled } from './clone.execute.ts';
import { additions, ancestorsOf, isRoot, listEntry, parentOf } from './clone.ts';
import { fileErrors, pathOfError } from './outcome.ts';
import { directoriesArgv } from './rsync.ts';
import { newNonce, runListing, scan, type Listing } from './scan.execute.ts';
import { escapeName, type Change } from './scan.ts';
import { isUnchanged } from './tally.ts';
import { missingAfterTransfer, transfer } from './transfer.execute.ts';
import { excludesFile, follower, keep, linkDests, type Work } from './work.execute.ts';

/** More vanished paths than this are counted, not named. */
const NAMED = 1_000;
/** More directories than this are not looked at one by one: the whole tree is. */
const SCATTERED = 10_000;
const ROOT_ENTRY = Buffer.from('./\0');

export interface Reconciled {
  /** What the scan had listed and was gone when its turn came. */
  readonly lost: readonly string[];
  /** What the second look found; undefined when none was needed. */
  readonly rescanned: Listing | undefined;
  /** Whether the second look was at everything. */
  readonly whole: boolean;
  /** The directories that became something else (latin1): errors about what was below them mean nothing. */
  readonly strays: ReadonlySet<string>;
}

/**
 * What vanished or changed its type between scan and transfer may have come back under another name: the directories
 * it was in are looked at once more, and what differs there is transferred.
 */
export async function reconcile(work: Work, spool: string): Promise<Reconciled> {
  const { means, plan } = work;
  const first = await missing(work, spool);
  const strays = new Set([...first.strays, ...(await strayDirectories(work, spool))]);
  const places = placesToLookAt(first.parents, strays);
  if (places.length === 0) {
    return { lost: first.names, rescanned: undefined, whole: false, strays: new Set() };
  }
  const whole = places[0] === ROOT_ENTRY;
  const again = `${spool}.again`;
  const reference = `./${plan.workDirectory}/tree`;
  const request = { reference, excludesFrom: excludesFile(work), onlyListed: true };
  means.progress.phase('scanning again');
  const stdin = (async function* () {
    yield Buffer.concat(places);
  })();
  const rescanned = await keep(work, scan(means, plan.setup, request, { spool: again, stdin }));
  const gone = [...strays]
    .slice(0, NAMED)
    .map((stray) => escapeName(Buffer.from(stray, 'latin1')).toString());
  const lost = [...first.names, ...gone];
  if (isUnchanged(rescanned.tally)) return { lost: [...new Set(lost)], rescanned, whole, strays };
  await removeChanged(means, again, plan.workDirectory);
  const second = { spool: again, directory: plan.workDirectory, linkDests: linkDests(work), unlinked: [] };
  await keep(work, transfer(means, plan.setup, second, follower(work)));
  const left = await missing(work, again);
  return { lost: [...new Set([...lost, ...left.names])], rescanned, whole, strays };
}

/**
 * The directories that something was transferred to or through, and that are gone now, or something else (latin1).
 * rsync follows a symbolic link in the middle of a listed path: what came that way may be from anywhere.
 */
async function strayDirectories(work: Work, spool: string): Promise<Set<string>> {
  const { means, plan } = work;
  const strays = new Set<string>();
  if (!(await hasAny(directoriesOf(work, spool)))) return strays;
  const nonce = newNonce();
  const argv = directoriesArgv(plan.setup, `./${plan.workDirectory}/tree`, nonce);
  const onChange = (change: Change) => {
    const isThere = change.directory && !change.item.includes('+') && change.item !== '*deleting';
    if (!isThere) strays.add(change.path.toString('latin1'));
  };
  const handlers = { onChange, stdin: directoriesOf(work, spool) };
  await keep(work, runListing(means, plan.setup, argv, nonce, handlers));
  return strays;
}

async function hasAny(chunks: AsyncIterable<Buffer>): Promise<boolean> {
  for await (const _ of chunks) return true;
  return false;
}

/** Every directory on the way to a change of the spool, as a list for rsync. It comes sorted, so few come twice. */
async function* directoriesOf(work: Work, spool: string): AsyncGenerator<Buffer> {
  const clone = cloneDirectories(work.means, work.plan.workDirectory);
  let known = new Set<string>();
  for await (const change of spooled(work.means, spool)) {
    const deleted = change.item === '*deleting' && clone.isReal(parentOf(change.path));
    const directories = (deleted ? [change.path] : additions(change)).flatMap(ancestorsOf);
    if (change.directory && change.item !== '*deleting' && !isRoot(change.path))
      directories.push(change.path);
    const fresh = directories.filter((path) => !known.has(path.toString('latin1')));
    known = new Set(directories.map((path) => path.toString('latin1')));
    if (fresh.length > 0) yield Buffer.concat(fresh.map(listEntry));
  }
}

/** List entries of the directories to look at: those that missing paths and strays were in, where they still are. */
function placesToLookAt(parents: ReadonlySet<string>, strays: ReadonlySet<string>): Buffer[] {
  const wanted = new Set([
    ...parents,
    ...[...strays].map((stray) => parentKey(Buffer.from(stray, 'latin1'))),
  ]);
  const isStray = (path: RawPath) => strays.has(path.toString('latin1'));
  const places = [...wanted].map((key) => Buffer.from(key, 'latin1'));
  const there = places.filter((path) => ![...ancestorsOf(path), path].some(isStray));
  if (there.length > SCATTERED || there.some((path) => path.length === 0)) return [ROOT_ENTRY];
  return there.map(listEntry);
}

/** The directory of a path as latin1; empty for the tree's root. */
function parentKey(path: RawPath): string {
  return parentOf(path)?.toString('latin1') ?? '';
}

interface Missing {
  /** The directories that they were in (latin1). */
  readonly parents: ReadonlySet<string>;
  /** Directories that are something else (latin1). */
  readonly strays: ReadonlySet<string>;
  readonly names: readonly string[];
}

async function missing(work: Work, spool: string): Promise<Missing> {
  const parents = new Set<string>();
  const strays = new Set<string>();
  const names: string[] = [];
  const errors = work.listings.flatMap((listing) => fileErrors(listing.messages));
  const complained = new Set(errors.map(pathOfError));
  const base = Buffer.from(`${work.plan.setup.source.path}/`).toString('latin1');
  await missingAfterTransfer(work.means, spool, work.plan.workDirectory, (path, directory) => {
    const key = path.toString('latin1');
    if (directory) strays.add(key);
    // Unreadable files stay unreadable: rsync has named them.
    else if (complained.has(base + key)) return;
    parents.add(parentKey(path));
    if (names.length < NAMED) names.push(escapeName(path).toString());
  });
  return { parents, strays, names };
}
