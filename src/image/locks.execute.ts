import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadedBranch } from '../config/load.ts';
import { runtimeDirectory } from '../config/state.ts';
import { requireBank } from '../disk/bank.execute.ts';
import { takeLock, type Lock } from '../exec/lock.ts';
import { openedBy } from '../exec/opened.ts';
import type { MakeWorld, Means } from './means.ts';
import { sourceOfLoaded } from './prepare.execute.ts';
import { clientKey } from './probe.execute.ts';

/** Locks in the agreed order: bank (shared), client, vault. All are released when `work` ends. */
export async function withLocks<T>(
  world: MakeWorld,
  loaded: LoadedBranch,
  work: (means: Means) => Promise<T>,
): Promise<T> {
  const { run, signal } = world;
  await requireBank(loaded.bank);
  const source = sourceOfLoaded(loaded, world.where.hostName);
  const wait = loaded.settings['lock-wait'];
  const locks: Lock[] = [];
  try {
    const bank = { path: loaded.bank, mode: 'shared', wait, what: `bank ${loaded.bank}` } as const;
    locks.push(await takeLock(run, bank, signal));
    const runtime = runtimeDirectory(world.where);
    await mkdir(runtime, { recursive: true, mode: 0o700 });
    const key = await clientKey(run, source, loaded.settings.rsh, signal);
    const client = { path: join(runtime, key), wait, what: `client ${source.client}` };
    locks.push(await takeLock(run, { ...client, mode: 'exclusive', create: true }, signal));
    const path = join(loaded.bank, loaded.vault);
    const vault = await takeLock(
      run,
      { path, mode: 'exclusive', wait, what: `vault ${loaded.vault}` },
      signal,
    );
    locks.push(vault);
    return await work(await meansOf(world, loaded, vault, locks));
  } finally {
    for (const lock of locks.toReversed()) await lock.release();
  }
}

/** What the steps of making an image work with, in an open vault. */
export async function meansOf(
  world: MakeWorld,
  loaded: LoadedBranch,
  vault: Lock,
  locks: readonly Lock[],
): Promise<Means> {
  return {
    run: world.run,
    signal: world.signal,
    vault: await openedBy(vault),
    lockFds: locks.map((lock) => lock.fd),
    nice: loaded.settings.nice,
    progress: world.progress,
    log: world.log,
  };
}
