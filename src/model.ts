/**
 * The words of the project, as types. Pure.
 *
 * A *bank* is a directory that holds vaults; a *vault* everything kept of one directory tree of one client;
 * a *branch* a sequence of images inside a vault; an *image* one complete snapshot.
 */

/** A path inside an image or a client's tree: bytes, since file names need not be UTF-8. */
export type RawPath = Buffer;

/**
 * An image's verdict. Only *good* images are references and may justify deleting others. *held*: complete and
 * restorable, but the change was too suspicious. *incomplete*: no summary yet, or a run that never ended.
 */
export type Verdict = 'good' | 'partial' | 'held' | 'failed' | 'incomplete';

export interface Vault {
  readonly bank: string;
  readonly name: string;
}

/** One image as its summary tells it. Times are seconds since the epoch. */
export interface Image {
  readonly bank: string;
  readonly vault: string;
  readonly branch: string;
  /** The summary's `Image:`, which is the identity; the directory can have another name (image-temp). */
  readonly name: string;
  readonly directory: string;
  readonly verdict: Verdict;
  /** Whether its tree is still there: `dirvish-expire --tree` leaves the rest. */
  readonly hasTree: boolean;
  /** The summary's `Status:`, whole. */
  readonly status: string;
  readonly client: string;
  readonly tree: string;
  readonly reference: string | undefined;
  readonly begun: number | undefined;
  readonly completed: number | undefined;
  /** The summary's `Expire:` as written, such as `+3 months == 2027-01-01 22:00:00` or `Never`. */
  readonly expire: string;
  readonly pinned: boolean;
  /** Until when nothing of the branch may expire because of this image (seconds since the epoch). */
  readonly frozenUntil: number | undefined;
  readonly warnings: number;
  /** Whether all contents were compared when it was made (`checksum-every`). */
  readonly compared: boolean;
  /** Entries of the tree, as counted when it was made. */
  readonly files: number | undefined;
  readonly directories: number | undefined;
  readonly bytes: number | undefined;
  /** The switches that were off when it was made (`UNSET` in the summary): `acls`, `xattrs`, … */
  readonly without?: readonly string[];
}

/** Something in a vault that looks like an image and can't be judged. */
export interface UnreadableImage {
  readonly bank: string;
  readonly vault: string;
  readonly directory: string;
  readonly message: string;
}

/** `VAULT[:BRANCH]` as the user names it. */
export interface BranchAddress {
  readonly vault: string;
  readonly branch: string | undefined;
}

/** `VAULT[:BRANCH]@WHEN`. */
export interface ImageAddress extends BranchAddress {
  readonly when: string;
}
