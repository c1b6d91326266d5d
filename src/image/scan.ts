import type { RawPath } from '../model.ts';
import { VaultError } from '../errors.ts';

/** One line of rsync's itemised list, parsed. */
export interface Change {
  /** rsync's eleven letters (`>f+++++++++`), or `*deleting`. See `--itemize-changes` in rsync(1). */
  readonly item: string;
  /** Bytes of the file as rsync names it; 0 for deletions. */
  readonly size: number;
  /** Relative to the tree, without a trailing slash; `.` for the tree itself. */
  readonly path: RawPath;
  /** For hard links (`h…` items): the entry of the list that this one is a link to. */
  readonly target: RawPath | undefined;
  readonly directory: boolean;
}

const NEWLINE = 10;
const SLASH = 47;
/** All blanks mean that nothing of the entry changes; but a hard link that only gets another partner is made anew. */
const ITEM = /^([<>ch.*][fdLDS][.+?cstTpoguaxbn]{9}|h[fLDS] {9}|\*deleting {2,})$/;
const SEPARATOR = Buffer.from('//');
const HARD_LINK = Buffer.from(' => ');

/** The `--out-format` whose lines {@link parseLine} reads: the nonce tells them from whatever a client prints. */
export function listFormat(nonce: string): string {
  // `//` cannot occur in a name, so the first one ends it.
  return `${nonce} %i %l %n//%L`;
}

/**
 * One line of the list. Undefined for everything that is not one: statistics, messages, a line a client made up.
 * Fails (`failed`) when a name leaves the tree: only a hostile client sends such.
 */
export function parseLine(line: Buffer, nonce: string): Change | undefined {
  const head = nonce.length + 1;
  if (line.length < head + 14 || line.toString('latin1', 0, head) !== `${nonce} `) return undefined;
  const item = line.toString('latin1', head, head + 11);
  const sizeEnd = line.indexOf(32, head + 12);
  if (!ITEM.test(item) || sizeEnd < 0) return undefined;
  const nameEnd = line.indexOf(SEPARATOR, sizeEnd + 1);
  if (nameEnd < 0) return undefined;
  const path = unescapeName(line.subarray(sizeEnd + 1, nameEnd));
  let rest = line.subarray(nameEnd + 2);
  const directory = rest[0] === SLASH;
  if (directory) rest = rest.subarray(1);
  assertInside(path);
  const linked = item[0] === 'h' && rest.subarray(0, 4).equals(HARD_LINK);
  const target = linked ? unescapeName(rest.subarray(4)) : undefined;
  if (target) assertInside(target);
  const size = Number(line.toString('latin1', head + 12, sizeEnd));
  return { item: item.trimEnd(), size, path, target, directory: directory || isDirectoryItem(item) };
}

/** The second letter of an item is its type; that of `*deleting` is none. */
function isDirectoryItem(item: string): boolean {
  return item[0] !== '*' && item[1] === 'd';
}

/** Undoes rsync's `\#ooo` for unprintable bytes. */
export function unescapeName(name: Buffer): RawPath {
  if (name.indexOf('\\#') < 0) return Buffer.from(name);
  const text = name.toString('latin1', 0, name.length);
  const plain = text.replace(/\\#([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
  return Buffer.from(plain, 'latin1');
}

/** A name on one line: control bytes as `\\#ooo`, as rsync shows them. */
export function escapeName(name: RawPath): Buffer {
  if (name.every((byte) => byte >= 32 && byte !== 127)) return name;
  const text = name.toString('latin1');
  const escaped = text.replace(
    /[\0-\x1f\x7f]/g,
    (char) => `\\#${char.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return Buffer.from(escaped, 'latin1');
}

function assertInside(path: RawPath): void {
  if (path.length === 1 && path[0] === 46) return;
  const parts = path.toString('latin1', 0, path.length).split('/');
  if (parts.every((part) => part !== '' && part !== '..' && part !== '.' && !part.includes('\0'))) return;
  throw leadsOut();
}

/** The failure that a list of a hostile client is. */
export function leadsOut(): VaultError {
  return new VaultError('failed', 'The client sent a file name that leads out of the tree.', {
    hint: 'No image was made. Look at the client: no honest rsync does this.',
  });
}

/** Cuts a stream of bytes into lines; call with each chunk, then once with undefined for the last line. */
export function lineCutter(onLine: (line: Buffer) => void): (chunk: Buffer | undefined) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    if (chunk === undefined) {
      if (rest.length > 0) onLine(rest);
      return;
    }
    const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let from = 0;
    for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, from)) {
      onLine(data.subarray(from, at));
      from = at + 1;
    }
    rest = Buffer.from(data.subarray(from));
  };
}

/** Entries of the source as `--stats` counts them. */
export interface Totals {
  readonly entries: number;
  readonly directories: number;
  readonly regular: number;
  readonly bytes: number;
}

/** Reads `Number of files: 12,345 (reg: 10,000, dir: 2,345)` and `Total file size`; undefined where they are missing. */
export function parseTotals(lines: readonly string[]): Totals | undefined {
  const number = (text: string | undefined) => (text === undefined ? 0 : Number(text.replace(/[,.]/g, '')));
  const files = lines.findLast((line) => line.startsWith('Number of files: '));
  const size = lines.findLast((line) => line.startsWith('Total file size: '));
  const entries = /^Number of files: ([\d,.]+)/.exec(files ?? '')?.[1];
  const bytes = /^Total file size: ([\d,.]+) bytes/.exec(size ?? '')?.[1];
  if (files === undefined || entries === undefined || bytes === undefined) return undefined;
  return {
    entries: number(entries),
    directories: number(/\bdir: ([\d,.]+)/.exec(files)?.[1]),
    regular: number(/\breg: ([\d,.]+)/.exec(files)?.[1]),
    bytes: number(bytes),
  };
}

/** The spool's form of a change: two NUL-terminated fields, `ITEM SIZE PATH` and the hard link's target. */
export function encodeChange(change: Change): Buffer {
  const item = (change.directory && change.item === '*deleting' ? '*deleting/' : change.item).padEnd(11);
  return Buffer.concat([
    Buffer.from(`${item} ${change.size} `),
    change.path,
    Buffer.from([0]),
    change.target ?? Buffer.alloc(0),
    Buffer.from([0]),
  ]);
}

/** The changes of a spool, from its chunks. */
export async function* decodeChanges(chunks: AsyncIterable<Buffer>): AsyncGenerator<Change> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let from = 0;
    for (;;) {
      const end = data.indexOf(0, from);
      const second = end < 0 ? -1 : data.indexOf(0, end + 1);
      if (second < 0) break;
      yield decodeOne(data.subarray(from, end), data.subarray(end + 1, second));
      from = second + 1;
    }
    rest = Buffer.from(data.subarray(from));
  }
}

function decodeOne(first: Buffer, target: Buffer): Change {
  const field = first.toString('latin1', 0, 11).trimEnd();
  const space = first.indexOf(32, 12);
  return {
    item: field === '*deleting/' ? '*deleting' : field,
    size: Number(first.toString('latin1', 12, space)),
    path: Buffer.from(first.subarray(space + 1)),
    target: target.length > 0 ? Buffer.from(target) : undefined,
    directory: field === '*deleting/' || isDirectoryItem(field),
  };
}
