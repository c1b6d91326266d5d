import type { RawPath } from '../model.ts';
import type { Change, Totals } from './scan.ts';

/** How many of the largest new or changed files are named. */
const LARGEST = 10;

/** What a scan found, counted. Sizes are bytes and upper bounds: sparse files count in full. */
export interface Tally {
  readonly newFiles: number;
  readonly newBytes: number;
  readonly newDirectories: number;
  /** Links, devices, sockets and other entries without data. */
  readonly newOther: number;
  /** The same, replaced: a link that points elsewhere, a device with another mode. */
  readonly changedOther: number;
  /** Files whose content is to come again. */
  readonly changedFiles: number;
  readonly changedBytes: number;
  /** Files copied again only because of owner, mode, times, ACL or xattrs. */
  readonly attributeFiles: number;
  readonly attributeBytes: number;
  readonly changedDirectories: number;
  readonly deletedFiles: number;
  readonly deletedDirectories: number;
  readonly largest: readonly { readonly path: RawPath; readonly size: number }[];
}

export const EMPTY_TALLY: Tally = {
  newFiles: 0,
  newBytes: 0,
  newDirectories: 0,
  newOther: 0,
  changedOther: 0,
  changedFiles: 0,
  changedBytes: 0,
  attributeFiles: 0,
  attributeBytes: 0,
  changedDirectories: 0,
  deletedFiles: 0,
  deletedDirectories: 0,
  largest: [],
};

type Counts = {
  -readonly [K in keyof Tally]: K extends 'largest' ? { path: RawPath; size: number }[] : Tally[K];
};

/** Counts changes one by one, so that no list of them is ever held in memory. */
export function tallier(): { add(change: Change): void; get(): Tally } {
  const counts: Counts = { ...EMPTY_TALLY, largest: [] };
  return { add: (change) => addTo(counts, change), get: () => ({ ...counts, largest: [...counts.largest] }) };
}

function addTo(counts: Counts, change: Change): void {
  const isNew = change.item.includes('+');
  const kind = change.item[1];
  if (change.item === '*deleting') {
    if (change.directory) counts.deletedDirectories += 1;
    else counts.deletedFiles += 1;
  } else if (kind === 'd') {
    if (isNew) counts.newDirectories += 1;
    else counts.changedDirectories += 1;
  } else if (kind !== 'f' || change.item[0] === 'h') {
    if (isNew) counts.newOther += 1;
    else counts.changedOther += 1;
  } else if (isNew) {
    counts.newFiles += 1;
    counts.newBytes += change.size;
    noteLarge(counts, change);
  } else if (change.item[0] === '.') {
    counts.attributeFiles += 1;
    counts.attributeBytes += change.size;
  } else {
    counts.changedFiles += 1;
    counts.changedBytes += change.size;
    noteLarge(counts, change);
  }
}

function noteLarge(counts: Counts, change: Change): void {
  const last = counts.largest.at(-1);
  if (counts.largest.length >= LARGEST && last !== undefined && change.size <= last.size) return;
  counts.largest.push({ path: change.path, size: change.size });
  counts.largest.sort((a, b) => b.size - a.size);
  counts.largest.length = Math.min(counts.largest.length, LARGEST);
}

/** Bytes that have to be written, attribute-only copies included. */
export function bytesToWrite(tally: Tally): number {
  return tally.newBytes + tally.changedBytes + tally.attributeBytes;
}

/** Bytes that have to come from the client: rsync copies attribute-only changes from the reference. */
export function bytesToFetch(tally: Tally): number {
  return tally.newBytes + tally.changedBytes;
}

/** Files that the transfer creates. */
export function filesToWrite(tally: Tally): number {
  return tally.newFiles + tally.changedFiles + tally.attributeFiles + tally.newOther + tally.changedOther;
}

/** Whether nothing at all differs from the reference. */
export function isUnchanged(tally: Tally): boolean {
  return filesToWrite(tally) + tally.newDirectories + tally.changedDirectories + deleted(tally) === 0;
}

/** What two scans of one source found together. */
export function sumOf(a: Tally, b: Tally): Tally {
  const both = Object.entries(a).map(([name, value]) => {
    const other = b[name as keyof Tally];
    return [name, typeof value === 'number' && typeof other === 'number' ? value + other : value];
  });
  const largest = [...a.largest, ...b.largest].sort((one, other) => other.size - one.size).slice(0, LARGEST);
  return { ...(Object.fromEntries(both) as Tally), largest };
}

export function deleted(tally: Tally): number {
  return tally.deletedFiles + tally.deletedDirectories;
}

/** Entries of the reference that are no directories, reckoned from the source's totals and the changes. */
export function referenceFiles(tally: Tally, totals: Totals): number {
  const now = totals.entries - totals.directories;
  return Math.max(0, now - tally.newFiles - tally.newOther + tally.deletedFiles);
}
