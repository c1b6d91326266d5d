/** A bank that this server has written to. */
export interface KnownBank {
  readonly id: string;
  /** Whether it was on another device than the root directory; undefined where nobody looked. */
  readonly ownDevice: boolean | undefined;
}

/** What is at the bank's path now. Without an id, nobody has written to it yet. */
interface SeenBank {
  readonly id: string | undefined;
  readonly ownDevice: boolean;
}

/**
 * Why nothing may be written there: `unmounted`, where a disk of its own is known at this path and this is the
 * directory under its mount point, whatever id that has got; `other`, for an id that is not one of those known there
 * and is not to be adopted.
 */
export function bankFault(
  seen: SeenBank,
  known: readonly KnownBank[],
  adopt: boolean,
): 'unmounted' | 'other' | undefined {
  if (!seen.ownDevice && known.some((each) => each.ownDevice === true)) return 'unmounted';
  if (known.length === 0 || adopt || known.some((each) => each.id === seen.id)) return undefined;
  return 'other';
}
