import type { RawPath } from '../model.ts';
import type { Change } from './scan.ts';

const SLASH = 47;

/**
 * The paths of a change that have to leave the clone. Directories and deletions go first (`structure`), so that
 * afterwards every parent in the clone is either a real directory or gone.
 */
export function removals(change: Change, pass: 'structure' | 'entries'): readonly RawPath[] {
  const structural = change.item === '*deleting' || (change.directory && change.item.includes('+'));
  if (pass === 'structure') return structural ? [change.path] : [];
  if (structural || change.directory) return [];
  // A link to an unchanged file would become a copy, if that file were not made anew together with it.
  return change.target === undefined ? [change.path] : [change.path, change.target];
}

/** The paths of a change that rsync has to create, or whose attributes it has to bring. */
export function additions(change: Change): readonly RawPath[] {
  if (change.item === '*deleting') return [];
  return change.target === undefined ? [change.path] : [change.path, change.target];
}

/** The directory of a path; undefined for entries of the tree's root. */
export function parentOf(path: RawPath): RawPath | undefined {
  const slash = path.lastIndexOf(SLASH);
  return slash < 0 ? undefined : path.subarray(0, slash);
}

/** All directories above a path, from the top; not the tree's root. */
export function ancestorsOf(path: RawPath): RawPath[] {
  const parent = parentOf(path);
  return parent === undefined ? [] : [...ancestorsOf(parent), parent];
}

export function isRoot(path: RawPath): boolean {
  return path.length === 1 && path[0] === 46;
}

/** Messages of `cp -al` about entries that cannot be linked: at the link limit, immutable. Others are failures. */
export function isUnlinkable(line: string): boolean {
  return /: (Too many links|Operation not permitted|Invalid cross-device link)$/.test(line);
}

/** NUL-separated `./path`: names beginning with `#`, `;` or `-` are nothing special then. */
export function listEntry(path: RawPath): Buffer {
  return Buffer.concat([Buffer.from('./'), path, Buffer.from([0])]);
}

/** The attributes that xattr.conf(5) has `cp -a` skip, as a regular expression for getfattr; undefined for none. */
export function skippedXattrs(conf: string): string | undefined {
  const patterns = conf
    .split('\n')
    .flatMap((line) => /^\s*([^#\s]\S*)\s+skip\b/.exec(line)?.[1] ?? [])
    .map((glob) =>
      glob
        .replace(/[.+^$(){}|\\]/g, '\\$&')
        .replace(/\*/g, '.*')
        .replace(/\?/g, '.'),
    );
  return patterns.length === 0 ? undefined : `^(${patterns.join('|')})$`;
}

/** A clone that takes less than this share of what is free is made before the scan is judged. */
const CHEAP_SHARE = 0.05;

/**
 * Whether a clone of so many directories takes next to nothing of the free space: each is an inode and a block.
 * Unknown counts (a reference that dirvish made) are not cheap.
 */
export function cloneIsCheap(
  directories: number | undefined,
  space: { readonly freeBytes: number; readonly freeInodes: number | undefined; readonly blockSize: number },
): boolean {
  if (directories === undefined) return false;
  const inodes = space.freeInodes ?? Number.POSITIVE_INFINITY;
  return (
    directories * space.blockSize <= space.freeBytes * CHEAP_SHARE && directories <= inodes * CHEAP_SHARE
  );
}
