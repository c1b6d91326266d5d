import { bytesToWrite, deleted, filesToWrite, referenceFiles, type Tally } from './tally.ts';
import type { Totals } from './scan.ts';

/** Below both of these a change is never suspicious: small vaults turn over quickly. */
const SUSPICIOUS_FILES = 1_000;
const SUSPICIOUS_BYTES = 1e9;
/** From here on the image is good, with a warning and its branch frozen for {@link FREEZE_DAYS}. */
const WARN_DELETE_PERCENT = 25;
const WARN_CHANGE_PERCENT = 30;
export const FREEZE_DAYS = 7;
/** A storm: so many files are copied again only for owner, mode or times. */
const STORM_PERCENT = 10;

export interface Space {
  readonly freeBytes: number;
  /** Undefined on file systems that make inodes as they go (btrfs). */
  readonly freeInodes: number | undefined;
  readonly blockSize: number;
}

export interface Case {
  readonly tally: Tally;
  /** Of the source; undefined when rsync printed none (then shares of the tree can't be judged). */
  readonly totals: Totals | undefined;
  readonly hasReference: boolean;
  /** Bytes of the reference's tree, where its summary tells. */
  readonly referenceBytes: number | undefined;
  readonly space: Space;
  readonly ignoreSpace: boolean;
  /** Percent from which on an image is held. */
  readonly maxDeletePercent: number;
  readonly maxChangePercent: number;
  /** The reference lacks ACLs and xattrs that this run adds: its attribute storm is expected. */
  readonly gainsAttributes: boolean;
}

export interface Finding {
  readonly level: 'note' | 'warn' | 'hold' | 'refuse';
  readonly code:
    | 'empty'
    | 'space'
    | 'inodes'
    | 'deleted'
    | 'rewritten'
    | 'attributes'
    | 'links'
    | 'incomplete';
  /** In the user's words; sizes are left to `bytes` for whoever shows it. */
  readonly message: string;
  readonly bytes?: number;
  readonly files?: number;
  readonly percent?: number;
}

export interface Judgement {
  readonly verdict: 'allow' | 'warn' | 'hold' | 'refuse';
  readonly findings: readonly Finding[];
  /** Upper bounds of what the image needs. */
  readonly needBytes: number;
  readonly needInodes: number;
}

/** Looks at what a scan found before anything is written. Thresholds: DESIGN 4 and the options' documentation. */
export function judge(input: Case): Judgement {
  const need = needOf(input);
  const findings = [
    ...emptySource(input),
    ...room(input, need),
    ...massDeletion(input),
    ...massRewrite(input),
    ...attributeStorm(input),
  ];
  const levels = new Set(findings.map((finding) => finding.level));
  const verdict = levels.has('refuse')
    ? 'refuse'
    : levels.has('hold')
      ? 'hold'
      : levels.has('warn')
        ? 'warn'
        : 'allow';
  return { verdict, findings, needBytes: need.bytes, needInodes: need.inodes };
}

/** Every directory of an image is new: it costs an inode and a block, whether it changed or not. */
function needOf({ tally, totals, space }: Case): { bytes: number; inodes: number } {
  const directories = totals?.directories ?? tally.newDirectories;
  const files = filesToWrite(tally);
  const rounding = (files * space.blockSize) / 2;
  return {
    bytes: Math.ceil(bytesToWrite(tally) + rounding + directories * space.blockSize),
    inodes: directories + files,
  };
}

function emptySource({ totals }: Case): Finding[] {
  if (totals === undefined || totals.entries > 1) return [];
  return [{ level: 'refuse', code: 'empty', message: 'the source is empty' }];
}

function room({ space, ignoreSpace }: Case, need: { bytes: number; inodes: number }): Finding[] {
  const level = ignoreSpace ? 'note' : 'refuse';
  const findings: Finding[] = [];
  if (need.bytes > space.freeBytes) {
    findings.push({ level, code: 'space', message: 'not enough free space on the bank', bytes: need.bytes });
  }
  if (space.freeInodes !== undefined && need.inodes > space.freeInodes) {
    findings.push({
      level,
      code: 'inodes',
      message: 'not enough free inodes on the bank',
      files: need.inodes,
    });
  }
  return findings;
}

/** The level for a share, by count or bytes, whichever is larger; undefined when too little is concerned. */
function suspicion(
  share: { files: number; ofFiles: number; bytes: number; ofBytes: number },
  warnFrom: number,
  holdFrom: number,
): { level: 'warn' | 'hold'; percent: number } | undefined {
  if (share.files < SUSPICIOUS_FILES && share.bytes < SUSPICIOUS_BYTES) return undefined;
  const byFiles = share.files >= SUSPICIOUS_FILES ? percentOf(share.files, share.ofFiles) : 0;
  const byBytes = share.bytes >= SUSPICIOUS_BYTES ? percentOf(share.bytes, share.ofBytes) : 0;
  const percent = Math.max(byFiles, byBytes);
  if (percent >= holdFrom) return { level: 'hold', percent };
  if (percent >= Math.min(warnFrom, holdFrom)) return { level: 'warn', percent };
  return undefined;
}

function percentOf(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.min(100, (100 * part) / whole);
}

function massDeletion(input: Case): Finding[] {
  const { tally, totals, referenceBytes } = input;
  if (!input.hasReference || totals === undefined) return [];
  const files = referenceFiles(tally, totals);
  // What the reference had and the source no longer has; changed files are taken to have kept their size.
  const lost = referenceBytes === undefined ? 0 : Math.max(0, referenceBytes + tally.newBytes - totals.bytes);
  const share = { files: tally.deletedFiles, ofFiles: files, bytes: lost, ofBytes: referenceBytes ?? 0 };
  const found = suspicion(share, WARN_DELETE_PERCENT, input.maxDeletePercent);
  if (found === undefined) return [];
  const percent = Math.floor(found.percent);
  const message = `${percent}% of the reference has disappeared from the source`;
  return [{ level: found.level, code: 'deleted', message, files: deleted(tally), bytes: lost, percent }];
}

function massRewrite(input: Case): Finding[] {
  const { tally, totals } = input;
  if (!input.hasReference || totals === undefined) return [];
  const ofBytes = input.referenceBytes ?? totals.bytes;
  const share = {
    files: tally.changedFiles,
    ofFiles: referenceFiles(tally, totals),
    bytes: tally.changedBytes,
    ofBytes,
  };
  const found = suspicion(share, WARN_CHANGE_PERCENT, input.maxChangePercent);
  if (found === undefined) return [];
  const percent = Math.floor(found.percent);
  const message = `${percent}% of the reference has been rewritten`;
  return [
    {
      level: found.level,
      code: 'rewritten',
      message,
      files: tally.changedFiles,
      bytes: tally.changedBytes,
      percent,
    },
  ];
}

function attributeStorm(input: Case): Finding[] {
  const { tally, totals } = input;
  if (!input.hasReference || totals === undefined) return [];
  const percent = Math.floor(percentOf(tally.attributeFiles, referenceFiles(tally, totals)));
  if (tally.attributeFiles < SUSPICIOUS_FILES && tally.attributeBytes < SUSPICIOUS_BYTES) return [];
  if (percent < STORM_PERCENT && tally.attributeBytes < SUSPICIOUS_BYTES) return [];
  const message = input.gainsAttributes
    ? 'files are copied again to add ACLs and extended attributes that the reference was made without'
    : 'files are copied again only because owner, mode, times, ACLs or extended attributes changed';
  return [
    {
      level: 'note',
      code: 'attributes',
      message,
      files: tally.attributeFiles,
      bytes: tally.attributeBytes,
      percent,
    },
  ];
}

/** What the client listed, and what is in the new tree. */
export interface Count {
  readonly listed: number;
  readonly found: number;
  /** Whether rsync, or the look after it, told of anything that vanished or could not be read. */
  readonly explained: boolean;
}

/**
 * Judges a finished tree by its number of entries: what the client listed has to be there. Fewer without a reason
 * mean that the reference was changed under us; many fewer with one, that the source went away in the middle.
 */
export function judgeCount(count: Count, maxDeletePercent: number): Finding | undefined {
  const files = count.listed - count.found;
  if (files <= 0) return undefined;
  const percent = Math.floor(percentOf(files, count.listed));
  if (count.found <= 1)
    return { level: 'refuse', code: 'empty', message: 'the source was emptied during the run' };
  const message = `${percent}% of what the client listed was gone before it could be read`;
  if (!count.explained) return { level: 'refuse', code: 'incomplete', message, files, percent };
  if (files < SUSPICIOUS_FILES) return undefined;
  if (percent >= maxDeletePercent) return { level: 'hold', code: 'incomplete', message, files, percent };
  return percent >= WARN_DELETE_PERCENT
    ? { level: 'warn', code: 'incomplete', message, files, percent }
    : undefined;
}
