import { constants } from 'node:fs';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { succeeded } from '../exec/command.ts';
import { removeDirectory } from '../image/heal.execute.ts';
import { inVault, type Means } from '../image/means.ts';

/** How deep a tree is taken apart to give several workers something to do. */
const DEPTH = 3;
/** Enough parts for a worker to find another one when it has done its own. */
const PARTS_A_WORKER = 8;
const NOT_A_LINK = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Removes one hidden directory of the vault with all that is in it, with several workers on its parts. Every part is
 * removed relative to an open directory that is not a link, so that nothing else can be reached. Throws as
 * `removeDirectory`.
 */
export async function removeHidden(means: Means, name: string, workers: number): Promise<void> {
  if (workers > 1) {
    const handles: FileHandle[] = [];
    try {
      await removeParts(means, await partsOf(means.vault.at(name), workers, handles), workers);
    } finally {
      for (const handle of handles) await handle.close();
    }
  }
  // What is left, and every complaint about it.
  await removeDirectory(means, name);
}

/** Some entries of one open directory. */
interface Part {
  readonly directory: FileHandle;
  readonly names: readonly Buffer[];
}

/** Opens the upper levels of a tree until there are enough directories to share among workers. */
async function partsOf(path: string, workers: number, handles: FileHandle[]): Promise<Part[]> {
  const openAt = async (at: string | Buffer) => {
    const handle = await open(at, NOT_A_LINK).catch(() => undefined);
    if (handle !== undefined) handles.push(handle);
    return handle;
  };
  const top = await openAt(path);
  let level = top === undefined ? [] : [top];
  for (let depth = 0; depth < DEPTH; depth += 1) {
    const parts: Part[] = [];
    for (const directory of level) {
      const entries = await readdir(`/proc/self/fd/${directory.fd}`, {
        withFileTypes: true,
        encoding: 'buffer',
      });
      for (const entry of entries) if (entry.isDirectory()) parts.push({ directory, names: [entry.name] });
    }
    if (parts.length >= workers * PARTS_A_WORKER || depth === DEPTH - 1) return parts;
    const next = await Promise.all(
      parts.map(({ directory, names }) =>
        openAt(Buffer.concat([Buffer.from(`/proc/self/fd/${directory.fd}/`), ...names])),
      ),
    );
    level = next.filter((handle) => handle !== undefined);
  }
  return [];
}

async function removeParts(means: Means, parts: readonly Part[], workers: number): Promise<void> {
  const waiting = batches(parts);
  const work = async () => {
    for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
      if (means.signal.aborted) return;
      const argv = ['xargs', '-0', 'rm', '-rf', '--one-file-system', '--'];
      const command = { ...inVault(means, argv), cwd: `/proc/self/fd/${part.directory.fd}` };
      const result = await means.run(command, { stdin: namesOf(part) }, means.signal);
      // Whatever is left shows again when the whole is removed, with its path.
      if (!succeeded(result)) means.log.debug(result.stderr.toString('latin1').trim());
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
}

/** Parts of one directory together, so that there are not more processes than need be. */
function batches(parts: readonly Part[]): Part[] {
  const size = Math.max(1, Math.floor(parts.length / 64));
  const result: Part[] = [];
  for (const { directory, names } of parts) {
    const last = result.at(-1);
    if (last?.directory === directory && last.names.length < size) {
      result[result.length - 1] = { directory, names: [...last.names, ...names] };
    } else result.push({ directory, names });
  }
  return result;
}

async function* namesOf(part: Part): AsyncGenerator<Uint8Array> {
  for (const name of part.names) yield Buffer.concat([Buffer.from('./'), name, Buffer.from([0])]);
}
