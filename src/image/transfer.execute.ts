import { setImmediate as nextTurn } from 'node:timers/promises';
import { lookAt } from '../exec/files.ts';
import type { RawPath } from '../model.ts';
import { cloneDirectories, spooled } from './clone.execute.ts';
import { additions, isRoot, listEntry, parentOf } from './clone.ts';
import type { Means } from './means.ts';
import { rootOnlyArgv, transferArgv, type RsyncSetup } from './rsync.ts';
import { newNonce, runListing, type Listing } from './scan.execute.ts';
import type { Change } from './scan.ts';

export interface TransferRequest {
  readonly spool: string;
  readonly directory: string;
  /** Relative to the new tree: the reference's tree, partial images of earlier attempts. */
  readonly linkDests: readonly string[];
  /** Paths that the clone could not link. */
  readonly unlinked: readonly RawPath[];
}

/** Creates the changed paths in the clone; none of them exists there any more. */
export async function transfer(
  means: Means,
  setup: RsyncSetup,
  request: TransferRequest,
  handlers: { readonly onChange: (change: Change) => void; readonly drain: () => Promise<void> },
): Promise<Listing> {
  const nonce = newNonce();
  const destination = `./${request.directory}/tree`;
  if (!(await listsAnything(means, request))) {
    return runListing(means, setup, rootOnlyArgv(setup, destination, nonce), nonce, handlers);
  }
  const argv = transferArgv(setup, request.linkDests, destination, nonce);
  return runListing(means, setup, argv, nonce, { ...handlers, stdin: pathsToCreate(means, request) });
}

async function listsAnything(means: Means, request: TransferRequest): Promise<boolean> {
  for await (const _ of pathsToCreate(means, request)) return true;
  return false;
}

async function* pathsToCreate(means: Means, request: TransferRequest): AsyncGenerator<Buffer> {
  const clone = cloneDirectories(means, request.directory);
  let batch: Buffer[] = [];
  const unlinked = new Map(request.unlinked.map((path) => [path.toString('latin1'), path]));
  let lastParent: RawPath | undefined;
  for await (const change of spooled(means, request.spool)) {
    for (const path of additions(change)) if (!isRoot(path)) batch.push(listEntry(path));
    if (change.item === '*deleting') {
      // What is gone or excluded now must not come back for having been no link.
      if (unlinked.size > 0) unlinked.delete(change.path.toString('latin1'));
      // A directory that lost an entry has a new time in the clone; the source's own has to come again.
      const parent = parentOf(change.path);
      if (parent && !(lastParent && parent.equals(lastParent)) && clone.isReal(parent))
        batch.push(listEntry(parent));
      lastParent = parent;
    }
    if (batch.length >= 2_000) {
      yield Buffer.concat(batch);
      batch = [];
    }
  }
  batch.push(...[...unlinked.values()].map(listEntry));
  if (batch.length > 0) yield Buffer.concat(batch);
}

/**
 * Looks whether what the scan listed is now in the new tree with the type it had: what is missing vanished between
 * scan and transfer, or could not be read; what changed its type may lack its contents.
 */
export async function missingAfterTransfer(
  means: Means,
  spool: string,
  directory: string,
  onMissing: (path: RawPath, directory: boolean) => void,
): Promise<void> {
  let seen = 0;
  for await (const change of spooled(means, spool)) {
    for (const path of additions(change)) {
      if (isRoot(path)) continue;
      const found = lookAt(means.vault.atBytes(`${directory}/tree`, path));
      if (found === undefined || found.isDirectory() !== change.directory) onMissing(path, change.directory);
    }
    seen += 1;
    // Leaves room for signals and progress.
    if (seen % 4_096 === 0) await nextTurn();
  }
}
