import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { codeOf, VaultError } from '../errors.ts';
import { describeEnd, type Run } from './command.ts';

/** flock's exit code for "somebody else has it". */
const TAKEN = 75;

/**
 * A flock(2) on an open directory or file. The kernel releases it when the last descriptor of it closes: ours, and
 * those that children inherited (so that a killed `vault` leaves the lock with its still running rsync).
 */
export interface Lock {
  readonly path: string;
  readonly fd: number;
  release(): Promise<void>;
}

export interface LockRequest {
  readonly path: string;
  readonly mode: 'shared' | 'exclusive';
  /** Seconds to wait for it; 0 for not at all. */
  readonly wait: number;
  /** What is locked, in the user's words: `vault laptop-root`. */
  readonly what: string;
  /** Make the file first (for locks that are not directories). */
  readonly create?: boolean;
}

/**
 * Takes a lock through util-linux `flock` on our own descriptor, which keeps it after the child has gone.
 * Fails with kind `locked` when another process has it.
 */
export async function takeLock(run: Run, request: LockRequest, signal: AbortSignal): Promise<Lock> {
  const handle = await openForLock(request);
  try {
    const mode = request.mode === 'shared' ? '-s' : '-x';
    const wait = request.wait > 0 ? ['-w', String(request.wait)] : ['-n'];
    const argv = ['flock', mode, ...wait, '-E', String(TAKEN), '3'];
    const result = await run({ argv, inheritFds: [handle.fd] }, {}, signal);
    if (result.code === TAKEN) throw takenError(request);
    if (signal.aborted) throw new VaultError('interrupted', `Interrupted while waiting for ${request.what}.`);
    if (result.code !== 0) {
      throw new VaultError('failed', `Cannot lock ${request.what}: flock ${describeEnd(result)}.`, {
        hint: 'vault needs the program flock of util-linux.',
      });
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  return { path: request.path, fd: handle.fd, release: () => handle.close() };
}

/** Holds a directory open without locking it, for what only reads. */
export async function openForReading(path: string): Promise<Lock> {
  const handle = await openForLock({ path, mode: 'shared', wait: 0, what: path });
  return { path, fd: handle.fd, release: () => handle.close() };
}

async function openForLock(request: LockRequest): Promise<FileHandle> {
  try {
    if (request.create) return await open(request.path, constants.O_RDWR | constants.O_CREAT, 0o600);
    return await open(request.path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw new VaultError(
      'failed',
      `Cannot open ${request.path} to lock ${request.what} (${codeOf(error)}).`,
      {
        cause: error,
      },
    );
  }
}

function takenError(request: LockRequest): VaultError {
  return new VaultError('locked', `Another run is using ${request.what}.`, {
    hint: 'Wait for it to end, or give --lock-wait DURATION to wait here.',
  });
}
