import { describeEnd, type Result } from '../exec/command.ts';
import { unescapeName } from './scan.ts';

/** How an rsync run ended, judged by code, signal and messages together. */
export interface RsyncEnd {
  /**
   * `good`; `vanished` (24: good with a warning); `partial` (23: some files could not be read or written);
   * `full` (no space); `connection` (may be tried again); `unreachable` (the client or its key refused us);
   * `interrupted`; `failed` (all else, unknown codes and signals included).
   */
  readonly outcome:
    | 'good'
    | 'vanished'
    | 'partial'
    | 'full'
    | 'connection'
    | 'unreachable'
    | 'interrupted'
    | 'failed';
  readonly message: string;
}

/** rsync(1), EXIT VALUES. */
const MEANINGS: Readonly<Record<number, string>> = {
  1: 'syntax or usage error',
  2: 'protocol incompatibility',
  3: 'errors selecting input or output files',
  4: 'requested action not supported',
  5: 'error starting the client-server protocol',
  6: 'daemon unable to append to its log file',
  10: 'error in socket I/O',
  11: 'error in file I/O',
  12: 'error in the protocol data stream',
  13: 'errors with program diagnostics',
  14: 'error in IPC code',
  20: 'received SIGUSR1 or SIGINT',
  21: 'some error returned by waitpid()',
  22: 'error allocating memory',
  23: 'partial transfer: some files could not be read',
  24: 'some files vanished before they could be read',
  25: 'the --max-delete limit stopped deletions',
  30: 'timeout in data send or receive',
  35: 'timeout waiting for the daemon connection',
  124: 'the command run by ssh failed',
  125: 'the command run by ssh was killed',
  126: 'the command run by ssh cannot be run',
  127: 'the command run by ssh is not found: is rsync installed on the client?',
  255: 'ssh failed',
};

const CONNECTION_CODES = new Set([10, 12, 30, 35, 255]);
/** What ssh says when trying again cannot help. */
const REFUSED =
  /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|Permission denied \(|Could not resolve hostname|Connection refused|No route to host|Too many authentication failures/;

/** Judges the end of one rsync. `lines` are its messages (stderr). */
export function judgeEnd(result: Result, lines: readonly string[], aborted: boolean): RsyncEnd {
  if (aborted) return { outcome: 'interrupted', message: 'interrupted' };
  if (result.spawnError !== undefined || result.timedOut || result.signal !== null) {
    return { outcome: 'failed', message: `rsync ${describeEnd(result)}` };
  }
  const code = result.code ?? -1;
  const message = `rsync ${code}: ${MEANINGS[code] ?? 'an exit code that rsync does not document'}`;
  if (code === 0) return { outcome: 'good', message: 'success' };
  if (lines.some(isFullDisk)) return { outcome: 'full', message: 'no space left on the bank' };
  if (code === 24) return { outcome: 'vanished', message };
  if (code === 23) return { outcome: 'partial', message };
  if (code === 255 && lines.some((line) => REFUSED.test(line))) {
    return {
      outcome: 'unreachable',
      message: `${message}: ${lines.find((line) => REFUSED.test(line)) ?? ''}`,
    };
  }
  if (CONNECTION_CODES.has(code)) return { outcome: 'connection', message };
  return { outcome: 'failed', message };
}

/** A full disk; but not an extended attribute that is too large for ext4 without `ea_inode`. */
function isFullDisk(line: string): boolean {
  return (
    /No space left on device|Disk quota exceeded/.test(line) && !/xattr|acl_set|rsync_xal_set/i.test(line)
  );
}

/** A message about one file. */
export interface FileError {
  /** As rsync prints it: absolute on the client, control characters as `\#ooo`. */
  readonly path: string;
  readonly line: string;
}

/** The messages that name a file which could not be read or written. */
export function fileErrors(lines: readonly string[]): FileError[] {
  const found: FileError[] = [];
  for (const line of lines) {
    if (line.startsWith('file has vanished: ')) continue;
    const path = FORMS.map((form) => form.exec(line)?.[1]).find((each) => each !== undefined);
    if (path !== undefined) found.push({ path, line });
  }
  return found;
}

/** How rsync names the file that a message is about. */
const FORMS = [
  /^(?:rsync: |IO error |skipping |symlink |cannot )[^"]*"(.+?)"(?: \(in .+\))?(?:[:, )]|$)/,
  /^ERROR: (.+) failed verification/,
  /sys_acl_\w+\((.+), (?:ACL_|\w+\))/,
];
/** What rsync says at its end, or of a consequence, about no file in particular. */
const GENERAL = /^rsync error: |^IO error encountered -- skipping|^rsync: connection /;

/** Errors that name no file: what they are about nobody knows, so nobody can have tolerated it. */
export function unexplained(lines: readonly string[]): number {
  const errors = lines.filter((line) => /^(rsync: |ERROR: |IO error )|: get_acl|sys_acl_/.test(line));
  return errors.filter((line) => !GENERAL.test(line) && fileErrors([line]).length === 0).length;
}

/** The path that an error is about, as rsync's escapes stand for it (latin1). */
export function pathOfError(error: FileError): string {
  return unescapeName(Buffer.from(error.path, 'latin1')).toString('latin1');
}

/** A pattern of `tolerate:`: a path, with `*` and `?` within a component; it covers everything below. */
export function toleratedBy(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => {
    const body = pattern
      .replace(/\/+$/, '')
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*\*/g, '\0')
      .replace(/\*/g, '[^/]*')
      .replace(/\0/g, '.*')
      .replace(/\?/g, '[^/]');
    const start = pattern.startsWith('/') ? '^' : '(^|/)';
    return new RegExp(`${start}${body}(/|$)`).test(path);
  });
}
