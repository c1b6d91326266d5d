import { stat } from 'node:fs/promises';
import { VaultError } from '../errors.ts';
import type { RawPath } from '../model.ts';
import type { Lock } from './lock.ts';

/**
 * A directory that is held open (by its lock). Everything is written through the descriptor, so that it lands on
 * the file system that was opened, whatever happens to the mount point meanwhile.
 */
export interface Opened {
  /** For people and logs. */
  readonly path: string;
  readonly fd: number;
  /** The file-system device when it was opened. */
  readonly device: bigint;
  /** A path below the directory, for node:fs. */
  at(relative: string): string;
  /** The same for a name that need not be UTF-8. */
  atBytes(relative: string, path: RawPath): Buffer;
}

/** The directory that a lock holds open. */
export async function openedBy(lock: Lock): Promise<Opened> {
  const base = `/proc/self/fd/${lock.fd}`;
  const { dev } = await stat(base, { bigint: true });
  return {
    path: lock.path,
    fd: lock.fd,
    device: dev,
    at: (relative) => `${base}/${relative}`,
    atBytes: (relative, path) => Buffer.concat([Buffer.from(`${base}/${relative}/`), path]),
  };
}

/** Fails (`disk`) when another file system, or none, is now at the path that was opened. */
export async function assertStillThere(opened: Opened): Promise<void> {
  const now = await stat(opened.path, { bigint: true }).catch(() => undefined);
  if (now !== undefined && now.dev === opened.device) return;
  throw new VaultError('disk', `The file system of ${opened.path} went away during the run.`, {
    hint: 'Mount the disk again; the next run cleans up.',
  });
}
