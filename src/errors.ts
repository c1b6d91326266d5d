/**
 * What can go wrong, in the user's words. A kind decides the exit code; only main turns one into the other.
 */
export type ErrorKind =
  | 'bug'
  | 'usage'
  | 'partial'
  | 'failed'
  | 'held'
  | 'locked'
  | 'disk'
  | 'config'
  | 'hook'
  | 'refused'
  | 'unreachable'
  | 'attention'
  | 'interrupted';

const EXIT_CODES: Record<ErrorKind, number> = {
  bug: 1,
  usage: 2,
  partial: 3,
  failed: 4,
  held: 5,
  locked: 6,
  disk: 7,
  config: 8,
  hook: 9,
  refused: 10,
  unreachable: 11,
  attention: 12,
  interrupted: 130,
};

/** Which code wins when several things happened: the first of these that occurred. */
const PRECEDENCE = [1, 130, 2, 8, 10, 7, 11, 4, 9, 5, 6, 3, 12, 0];

export interface Problem {
  readonly file?: string;
  readonly line?: number;
  readonly message: string;
}

export interface ErrorDetails {
  /** What the user can do about it. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** All problems at once, where there can be several (configuration). */
  readonly problems?: readonly Problem[];
}

/** An expected failure: "your problem", with what, why and what to do. Anything else thrown is our bug. */
export class VaultError extends Error {
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly problems: readonly Problem[];

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'VaultError';
    this.kind = kind;
    this.hint = details.hint;
    this.problems = details.problems ?? [];
  }
}

/** The kind of anything thrown; an unexpected exception is a bug of ours. */
export function kindOf(error: unknown): ErrorKind {
  return error instanceof VaultError ? error.kind : 'bug';
}

/** The exit code for one kind of failure. */
export function exitCodeOf(kind: ErrorKind): number {
  return EXIT_CODES[kind];
}

/** The one exit code for a run in which all these occurred; 0 for none. */
export function worstExitCode(codes: readonly number[]): number {
  for (const code of PRECEDENCE) if (codes.includes(code)) return code;
  return codes.length === 0 ? 0 : 1;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's error code (`ENOENT`, …) of anything thrown, if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What the operating system may refuse at any time, through no fault of ours. */
const REFUSALS = new Set(
  'EACCES EBUSY EDQUOT EFBIG EIO EMFILE EMLINK ENAMETOOLONG ENFILE ENODEV ENOMEM ENOSPC ENXIO EPERM EROFS ESTALE'.split(
    ' ',
  ),
);

/**
 * A refusal of the operating system as a failure in words; anything else as it is. `showPath` puts the path into
 * the user's words.
 */
export function fromSystem(error: unknown, showPath: (path: string) => string = (path) => path): unknown {
  const code = codeOf(error);
  if (error instanceof VaultError || code === undefined || !REFUSALS.has(code)) return error;
  const path =
    error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : undefined;
  const reason = messageOf(error)
    .replace(/^[A-Z]+: /, '')
    .replace(/, \w+( '.*')?$/, '');
  if (code === 'EROFS') {
    return new VaultError(
      'failed',
      `The disk is mounted read-only (${path === undefined ? '' : showPath(path)}).`,
      {
        hint: 'After an error the kernel makes a disk read-only: see dmesg, and check the disk.',
        cause: error,
      },
    );
  }
  const place = path === undefined ? '' : ` (${showPath(path)})`;
  return new VaultError('failed', `The system refused: ${reason}, ${code}${place}.`, { cause: error });
}
