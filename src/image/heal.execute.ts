import { access, rename, rm, stat } from 'node:fs/promises';
import { mountIdentity } from '../exec/boot.ts';
import { describeEnd, succeeded } from '../exec/command.ts';
import { readIfThere, writeSynced } from '../exec/files.ts';
import type { VaultContents } from '../catalog/images.execute.ts';
import { VaultError } from '../errors.ts';
import { takeLock } from '../exec/lock.ts';
import { ATTEMPT_FILE, markText, mountOfMark } from './mark.ts';
import { inVault, type Means } from './means.ts';

/** Waiting for `dirvish/` is waiting for somebody's rename: seconds at most. */
const SHORT_WAIT = 60;
/**
 * Where the usable remains of an earlier attempt wait: an additional `--link-dest` of the next one. No image's own:
 * names don't begin with a dot.
 */
export const EARLIER = '.incomplete-.earlier';

/**
 * Cleans up after runs that never ended, with the vault locked: half-made and half-deleted images go, but for the
 * newest half-made one, if what it holds can be trusted. Gives the name of that one.
 */
export async function heal(means: Means, contents: VaultContents): Promise<string | undefined> {
  const candidates: { name: string; time: number }[] = [];
  for (const name of contents.leftovers) {
    if (name.startsWith('.deleting-')) await removeDeleting(means, name);
    else if (name.startsWith('.incomplete-')) candidates.push({ name, time: await timeOf(means, name) });
    else if (await isOurs(means, name)) {
      // Killed after the rename and before the commit point.
      const hidden = `.incomplete-${name}`;
      await removeDirectory(means, hidden);
      await rename(means.vault.at(name), means.vault.at(hidden));
      candidates.push({ name: hidden, time: await timeOf(means, hidden) });
    }
  }
  candidates.sort((a, b) => b.time - a.time);
  let kept: string | undefined;
  for (const { name } of candidates) {
    if (kept === undefined && (await isTrusted(means, name))) kept = name;
    else await removeDirectory(means, name);
  }
  if (kept === undefined) return undefined;
  await setAside(means, kept);
  return EARLIER;
}

/** Ends a deletion that was interrupted; one that another process is at is left to it. */
async function removeDeleting(means: Means, name: string): Promise<void> {
  const request = { path: means.vault.at(name), mode: 'exclusive', wait: 0, what: name } as const;
  const lock = await takeLock(means.run, request, means.signal).catch((error: unknown) => {
    if (error instanceof VaultError && error.kind !== 'interrupted') return undefined;
    throw error;
  });
  if (lock === undefined) return;
  try {
    await removeDirectory(means, name);
  } finally {
    await lock.release();
  }
}

/** Renames the remains of an attempt to where the next one finds them. */
export async function setAside(means: Means, name: string): Promise<void> {
  if (name === EARLIER) return;
  await removeDirectory(means, EARLIER);
  await rename(means.vault.at(name), means.vault.at(EARLIER));
}

async function timeOf(means: Means, name: string): Promise<number> {
  return (await stat(means.vault.at(name))).mtimeMs;
}

async function isOurs(means: Means, name: string): Promise<boolean> {
  return access(means.vault.at(`${name}/summary.new`)).then(
    () => true,
    () => false,
  );
}

/**
 * Notes of which boot and mount a half-made image is: after a power cut its files may have the wrong content. Also
 * notes what it is made against, and makes sure, under the lock that expiry renames under, that this is still there.
 */
export async function markAttempt(
  means: Means,
  directory: string,
  reference: string | undefined,
): Promise<void> {
  const mount = await mountIdentity(means.vault.fd, means.vault.device);
  const lock = await takeLock(
    means.run,
    {
      path: means.vault.at('dirvish'),
      mode: 'exclusive',
      wait: SHORT_WAIT,
      what: 'the history of the vault',
    },
    means.signal,
  );
  try {
    await writeSynced(means.vault.at(`${directory}/${ATTEMPT_FILE}`), markText(mount, reference), 0o600);
    if (reference === undefined) return;
    for (const part of ['summary', 'tree']) {
      await access(means.vault.at(`${reference}/${part}`)).catch((error: unknown) => {
        throw new VaultError('failed', `The reference ${reference} expired meanwhile.`, {
          hint: 'Run it again: the next reference is chosen among the images that are left.',
          cause: error,
        });
      });
    }
  } finally {
    await lock.release();
  }
}

async function isTrusted(means: Means, name: string): Promise<boolean> {
  const mark = await readIfThere(means.vault.at(`${name}/${ATTEMPT_FILE}`));
  const tree = await stat(means.vault.at(`${name}/tree`)).catch(() => undefined);
  return (
    tree !== undefined &&
    mark !== undefined &&
    mountOfMark(mark) === (await mountIdentity(means.vault.fd, means.vault.device))
  );
}

/** After a full disk nothing of an attempt is trusted. */
export async function distrust(means: Means, directory: string): Promise<void> {
  await rm(means.vault.at(`${directory}/${ATTEMPT_FILE}`), { force: true });
}

/** Deletes a directory of the vault with everything in it; no error when there is none. */
export async function removeDirectory(means: Means, name: string): Promise<void> {
  const path = `./${name}`;
  if (process.geteuid?.() !== 0) {
    // Without root's rights a read-only directory keeps its entries.
    const open = ['find', path, '-type', 'd', '!', '-perm', '-u+wx', '-exec', 'chmod', 'u+rwx', '{}', ';'];
    await means.run(inVault(means, open), {}, means.signal);
  }
  const result = await means.run(
    inVault(means, ['rm', '-rf', '--one-file-system', '--', path]),
    {},
    means.signal,
  );
  if (succeeded(result)) return;
  if (means.signal.aborted) throw new VaultError('interrupted', 'Interrupted while cleaning up.');
  const why = result.stderr.toString('latin1').split('\n')[0] ?? '';
  throw new VaultError('failed', `Cannot remove ${means.vault.path}/${name}: ${why || describeEnd(result)}`);
}
