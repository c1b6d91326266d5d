import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, readdirSync, readlinkSync, type BigIntStats } from 'node:fs';
import { mustSync } from './process.ts';

export type EntryType = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'char' | 'block';

/** All that can be seen of one path. Numbers beyond 2^53 are decimal strings, so that a tree can be kept as JSON. */
export interface Entry {
  readonly type: EntryType;
  /** Permission bits, setuid, setgid and sticky included (`07777`). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: string;
  readonly ctime: string;
  readonly rdev: string;
  readonly nlink: number;
  /** `DEVICE:INODE`. */
  readonly inode: string;
  readonly blocks: number;
  /** SHA-256 of a file's content. */
  readonly content: string;
  /** A symbolic link's target, latin1. */
  readonly target: string;
  /** Every extended attribute of every name space, ACLs among them, `NAME=HEX` sorted, joined by a newline. */
  readonly xattrs: string;
  /** The first path of the tree with the same inode; itself where there is no other. */
  readonly group: string;
}

/** By path, relative, bytes as latin1; the root is the empty string. Sorted. */
export type Tree = ReadonlyMap<string, Entry>;

export type Field = keyof Entry;

/** Fields that a faithful copy has; the others differ between any two copies. */
const COPIED: readonly Field[] = [
  'type',
  'mode',
  'uid',
  'gid',
  'size',
  'mtime',
  'rdev',
  'content',
  'target',
  'xattrs',
  'group',
];

/** What an image that nobody touched keeps, beside the above; not its ctimes and link counts. */
const KEPT: readonly Field[] = [...COPIED, 'inode', 'blocks'];

/** Everything there is in a tree; times of access are not. Does not follow links nor cross into other mounts' types. */
export function snapshotTree(directory: string | Buffer): Tree {
  const root = Buffer.from(directory);
  const found = new Map<string, { path: Buffer; stat: BigIntStats }>();
  walk(root, '', found);
  const xattrs = readXattrs(root);
  const groups = new Map<string, string>();
  const tree = new Map<string, Entry>();
  for (const name of [...found.keys()].toSorted()) {
    const item = found.get(name);
    if (item === undefined) continue;
    const inode = `${item.stat.dev}:${item.stat.ino}`;
    if (!groups.has(inode)) groups.set(inode, name);
    const linked = item.stat.isDirectory() ? name : (groups.get(inode) ?? name);
    tree.set(name, entryOf(item.path, item.stat, xattrs.get(name) ?? '', linked));
  }
  return tree;
}

function walk(path: Buffer, name: string, found: Map<string, { path: Buffer; stat: BigIntStats }>): void {
  const stat = lstatSync(path, { bigint: true });
  found.set(name, { path, stat });
  if (!stat.isDirectory()) return;
  for (const child of readdirSync(path, { encoding: 'buffer' })) {
    const below = child.toString('latin1');
    walk(Buffer.concat([path, Buffer.from('/'), child]), name === '' ? below : `${name}/${below}`, found);
  }
}

function entryOf(path: Buffer, stat: BigIntStats, xattrs: string, group: string): Entry {
  const type = typeOf(stat);
  return {
    type,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: type === 'directory' ? 0 : Number(stat.size),
    mtime: String(stat.mtimeNs),
    ctime: String(stat.ctimeNs),
    rdev: type === 'char' || type === 'block' ? String(stat.rdev) : '0',
    nlink: Number(stat.nlink),
    inode: `${stat.dev}:${stat.ino}`,
    blocks: type === 'directory' ? 0 : Number(stat.blocks),
    content: type === 'file' ? createHash('sha256').update(readFileSync(path)).digest('hex') : '',
    target: type === 'symlink' ? readlinkSync(path, { encoding: 'buffer' }).toString('latin1') : '',
    xattrs,
    group,
  };
}

/** What kind of thing an lstat found. */
export function typeOf(stat: BigIntStats): EntryType {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isSocket()) return 'socket';
  return stat.isCharacterDevice() ? 'char' : 'block';
}

/** One getfattr for a whole tree. */
function readXattrs(root: Buffer): Map<string, string> {
  const listing = mustSync(['getfattr', '-R', '-h', '-d', '-m', '-', '-e', 'hex', '--', '.'], {
    cwd: root.toString(),
  });
  const found = new Map<string, string>();
  for (const block of listing.toString('latin1').split('\n\n')) {
    const [head = '', ...lines] = block.split('\n');
    if (!head.startsWith('# file: ')) continue;
    const name = unescape(head.slice('# file: '.length));
    found.set(
      name === '.' ? '' : name,
      lines
        .filter((line) => line !== '')
        .map(unescape)
        .toSorted()
        .join('\n'),
    );
  }
  return found;
}

function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

export interface Comparison {
  /** Fields that may differ. */
  readonly ignore?: readonly Field[];
  /** Fields that must agree too, which two copies need not share (`inode`, `blocks`, `nlink`, `ctime`). */
  readonly also?: readonly Field[];
}

/** All differences between two trees that should be copies of each other, in words; empty when there are none. */
export function compareTrees(a: Tree, b: Tree, { ignore = [], also = [] }: Comparison = {}): string[] {
  const fields = [...COPIED, ...also].filter((field) => !ignore.includes(field));
  const names = [...new Set([...a.keys(), ...b.keys()])].toSorted();
  return names.flatMap((name) => compareEntries(name, a.get(name), b.get(name), fields));
}

/** What has changed in one tree between two looks at it: everything but ctimes and link counts counts. */
export function changesSince(before: Tree, now: Tree): string[] {
  return compareTrees(before, now, { also: KEPT.filter((field) => !COPIED.includes(field)) });
}

function compareEntries(
  name: string,
  a: Entry | undefined,
  b: Entry | undefined,
  fields: readonly Field[],
): string[] {
  const shown = JSON.stringify(name === '' ? '.' : name);
  if (a === undefined || b === undefined) {
    return [a === undefined ? `${shown} is only in the second` : `${shown} is only in the first`];
  }
  return fields.flatMap((field) =>
    a[field] === b[field] ? [] : [`${shown} ${field}: ${showValue(field, a)} != ${showValue(field, b)}`],
  );
}

function showValue(field: Field, entry: Entry): string {
  return field === 'mode' ? `0${entry.mode.toString(8)}` : JSON.stringify(entry[field]);
}

/** The paths, other than directories, that are the same inode in both trees. */
export function sharedInodes(a: Tree, b: Tree): string[] {
  return [...a].flatMap(([name, entry]) => {
    const other = b.get(name);
    return entry.type !== 'directory' && other !== undefined && other.inode === entry.inode ? [name] : [];
  });
}
