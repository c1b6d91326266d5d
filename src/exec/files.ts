import { lstatSync, type Stats } from 'node:fs';
import { open, readFile, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../errors.ts';

/** Writes a file so that after a crash either the old or the new one is there, whole. */
export async function writeDurably(path: string, data: string | Buffer, mode: number): Promise<void> {
  await writeSynced(`${path}.tmp`, data, mode);
  await rename(`${path}.tmp`, path);
  await syncDirectory(dirname(path));
}

/** Writes a file and waits until its data is on the disk. */
export async function writeSynced(path: string, data: string | Buffer, mode: number): Promise<void> {
  const handle = await open(path, 'w', mode);
  try {
    await handle.writeFile(data);
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What is at a path, links not followed; undefined when nothing is, or something above it is no directory. */
export function lookAt(path: string | Buffer): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** The text of a file; undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Appends buffers to a file in large writes; for lists that are streamed. */
export async function appender(path: string, mode: number) {
  const handle: FileHandle = await open(path, 'w', mode);
  let waiting: Buffer[] = [];
  let size = 0;
  const flush = async () => {
    const data = Buffer.concat(waiting);
    waiting = [];
    size = 0;
    await handle.writeFile(data);
  };
  return {
    add: (data: Buffer) => {
      waiting.push(data);
      size += data.length;
    },
    /** Writes what has gathered, once it is worth it. */
    drain: async () => {
      if (size > 256 * 1024) await flush();
    },
    close: async () => {
      try {
        await flush();
      } finally {
        await handle.close();
      }
    },
  };
}
