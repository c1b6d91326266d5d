import { chmodSync, createReadStream } from 'node:fs';
import { succeeded, describeEnd } from '../exec/command.ts';
import { lookAt, readIfThere } from '../exec/files.ts';
import { VaultError } from '../errors.ts';
import type { RawPath } from '../model.ts';
import { additions, isRoot, isUnlinkable, listEntry, parentOf, removals, skippedXattrs } from './clone.ts';
import { inVault, type Means } from './means.ts';
import { decodeChanges, leadsOut, type Change } from './scan.ts';

/**
 * Hard-links the tree of `reference` into `directory`. Gives the paths that could not be linked (link limit,
 * immutable files): they have to be transferred. Both are directories of images in the vault.
 */
export async function cloneTree(
  means: Means,
  reference: string,
  directory: string,
  xattrs: boolean,
): Promise<RawPath[]> {
  const complete = await linkTree(means, reference, directory);
  if (xattrs) await copyDroppedXattrs(means, `${reference}/tree`, `${directory}/tree`);
  return complete ? [] : missingFrom(means, `${reference}/tree`, `${directory}/tree`);
}

/** Whether everything could be linked. */
async function linkTree(means: Means, reference: string, directory: string): Promise<boolean> {
  const argv = ['cp', '-al', '--', `./${reference}/tree`, `./${directory}/tree`];
  const unexpected: string[] = [];
  let refused = 0;
  const result = await means.run(
    inVault(means, argv),
    {
      stderr: (line) => {
        if (isUnlinkable(line.toString('latin1'))) refused += 1;
        else if (unexpected.length < 20) unexpected.push(line.toString('latin1'));
      },
    },
    means.signal,
  );
  if (means.signal.aborted) throw new VaultError('interrupted', 'Interrupted while cloning the reference.');
  if (succeeded(result)) return true;
  if (refused === 0 || unexpected.length > 0 || result.code !== 1) {
    throw new VaultError(
      'failed',
      `Cloning ${reference} failed: cp ${describeEnd(result)}: ${unexpected[0] ?? ''}`,
    );
  }
  return false;
}

/**
 * `cp -a` leaves out the extended attributes that /etc/xattr.conf tells it to skip, which rsync copies. Files are
 * linked and have theirs; a clone's directories are new, and the scan says nothing of them.
 */
async function copyDroppedXattrs(means: Means, tree: string, clone: string): Promise<void> {
  const skipped = skippedXattrs((await readIfThere('/etc/xattr.conf')) ?? '');
  if (skipped === undefined) return;
  const list = 'find . -type d -print0 | xargs -0 -r getfattr -h -d -e hex -m "$3" --';
  const script = `set -o pipefail; (cd "$1" && ${list}) | (cd "$2" && setfattr -h --restore=-)`;
  const argv = ['bash', '-c', script, 'bash', `./${tree}`, `./${clone}`, skipped];
  const result = await means.run(inVault(means, argv), {}, means.signal);
  if (means.signal.aborted) throw new VaultError('interrupted', 'Interrupted while cloning the reference.');
  if (succeeded(result)) return;
  const why = result.stderr.toString('latin1').split('\n')[0] ?? '';
  throw new VaultError('failed', `Cloning the attributes of ${tree} failed: ${why || describeEnd(result)}`, {
    hint: 'vault needs the programs getfattr and setfattr of the package attr.',
  });
}

/** The entries of one tree that another lacks. */
async function missingFrom(means: Means, tree: string, other: string): Promise<RawPath[]> {
  const list = (name: string) => `find "${name}" -mindepth 1 -printf '%P\\0' | sort -z`;
  const script = `set -o pipefail; comm -z -23 <(${list('$1')}) <(${list('$2')})`;
  const chunks: Buffer[] = [];
  const argv = ['bash', '-c', script, 'bash', `./${tree}`, `./${other}`];
  const result = await means.run(
    inVault(means, argv),
    { stdout: (chunk) => void chunks.push(chunk) },
    means.signal,
  );
  if (!succeeded(result)) {
    throw new VaultError('failed', `Comparing the clone with ${tree} failed: ${describeEnd(result)}.`);
  }
  return splitAtNul(Buffer.concat(chunks));
}

function splitAtNul(data: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = data.indexOf(0); at >= 0; at = data.indexOf(0, from)) {
    parts.push(data.subarray(from, at));
    from = at + 1;
  }
  return parts;
}

/** The changes that a scan spooled. */
export function spooled(means: Means, spool: string): AsyncGenerator<Change> {
  return decodeChanges(createReadStream(means.vault.at(spool)));
}

/** Takes the changed and deleted paths of a spool out of a clone. Only directory entries go: no inode is touched. */
export async function removeChanged(means: Means, spool: string, directory: string): Promise<void> {
  for (const pass of ['structure', 'entries'] as const) {
    const argv = ['xargs', '-0', '-r', 'rm', '-rf', '--one-file-system', '--'];
    const stdin = pathsToRemove(means, spool, directory, pass);
    const result = await means.run(inVault(means, argv, `${directory}/tree`), { stdin }, means.signal);
    if (means.signal.aborted) throw new VaultError('interrupted', 'Interrupted while preparing the clone.');
    if (!succeeded(result)) {
      const why = result.stderr.toString('latin1').split('\n')[0] ?? '';
      throw new VaultError(
        'failed',
        `Removing changed paths from the clone failed: ${why || describeEnd(result)}`,
      );
    }
  }
}

async function* pathsToRemove(
  means: Means,
  spool: string,
  directory: string,
  pass: 'structure' | 'entries',
): AsyncGenerator<Buffer> {
  const clone = cloneDirectories(means, directory);
  let batch: Buffer[] = [];
  for await (const change of spooled(means, spool)) {
    // By the second pass whatever stood in the way of a new directory is gone.
    if (pass === 'entries') assertReachable(clone, change);
    for (const path of removals(change, pass)) {
      if (!isRoot(path) && clone.isReal(parentOf(path), true)) batch.push(listEntry(path));
    }
    if (batch.length >= 2_000) {
      yield Buffer.concat(batch);
      batch = [];
    }
  }
  if (batch.length > 0) yield Buffer.concat(batch);
}

/**
 * A client could list `link/name` where `link` is a symbolic link in the reference: rsync would take the link for a
 * directory, and give its times to the link, which is the reference's too.
 */
function assertReachable(clone: CloneDirectories, change: Change): void {
  for (const path of additions(change)) {
    if (!isRoot(path) && clone.kindOf(parentOf(path)) === 'other') throw leadsOut();
  }
}

export type CloneDirectories = ReturnType<typeof cloneDirectories>;

/**
 * Tells whether a path of the clone is a directory reached through real directories only (`real`), or else what the
 * first thing on the way is that is none: something that exists (`other`) or nothing (`none`).
 */
export function cloneDirectories(means: Means, directory: string) {
  type Kind = 'real' | 'other' | 'none';
  // The list comes sorted, so remembering the last chain answers nearly all questions.
  let chain: { path: string; kind: Kind }[] = [];
  const look = (path: string, makeWritable: boolean): Kind => {
    const full = means.vault.atBytes(`${directory}/tree`, Buffer.from(path, 'latin1'));
    const found = lookAt(full);
    if (!found?.isDirectory()) return found === undefined ? 'none' : 'other';
    // Without root's rights a read-only directory lets nothing go; the transfer brings its mode back.
    if (makeWritable && process.geteuid?.() !== 0 && (found.mode & 0o300) !== 0o300) {
      chmodSync(full, (found.mode & 0o7777) | 0o700);
    }
    return 'real';
  };
  const kindOf = (path: RawPath | undefined, makeWritable = false): Kind => {
    if (path === undefined) return look('.', makeWritable);
    const text = path.toString('latin1');
    while (chain.length > 0 && !isPrefix(chain.at(-1)?.path ?? '', text)) chain = chain.slice(0, -1);
    while (chain.at(-1)?.path !== text) {
      const last = chain.at(-1);
      if (last && last.kind !== 'real') return last.kind;
      const from = last === undefined ? 0 : last.path.length + 1;
      const slash = text.indexOf('/', from);
      const next = slash < 0 ? text : text.slice(0, slash);
      chain = [...chain, { path: next, kind: look(next, makeWritable) }];
    }
    return chain.at(-1)?.kind ?? 'none';
  };
  return {
    kindOf,
    isReal: (path: RawPath | undefined, makeWritable = false) => kindOf(path, makeWritable) === 'real',
  };
}

function isPrefix(ancestor: string, path: string): boolean {
  return path === ancestor || (path.startsWith(ancestor) && path[ancestor.length] === '/');
}
