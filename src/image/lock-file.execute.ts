import { link, readFile, rm, stat } from 'node:fs/promises';
import { bootId, bootTime } from '../exec/boot.ts';
import { writeSynced } from '../exec/files.ts';
import { codeOf, VaultError } from '../errors.ts';
import type { Opened } from '../exec/opened.ts';

/**
 * Makes dirvish's lock file, so that a dirvish that is started meanwhile stops. Ours names process, host and boot.
 * One that is left from a dead run is removed; called with the vault's flock held, so no live vault can own it.
 */
export async function makeLockFile(vault: Opened, hostName: string): Promise<() => Promise<void>> {
  const path = vault.at('dirvish/lock_file');
  const fresh = vault.at('dirvish/.lock_file.new');
  // Linked into place whole: a power cut must not leave an empty one, whose owner nobody knows.
  await writeSynced(fresh, `${process.pid} ${hostName} ${await bootId()}\n`, 0o600);
  try {
    if (!(await linkNew(fresh, path))) {
      const owner = await readFile(path, 'utf8').catch(() => '');
      if (!(await isDead(path, owner, hostName))) throw heldError(vault, owner);
      await rm(path, { force: true });
      if (!(await linkNew(fresh, path))) throw heldError(vault, owner);
    }
  } finally {
    await rm(fresh, { force: true });
  }
  return () => rm(path, { force: true });
}

function heldError(vault: Opened, owner: string): VaultError {
  const who = owner.trim() === '' ? 'somebody' : `process ${owner.trim()}`;
  return new VaultError('locked', `Vault ${vault.path} is locked by ${who} (dirvish/lock_file).`, {
    hint: `If nothing is running any more, remove ${vault.path}/dirvish/lock_file.`,
  });
}

async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Whether the owner of a lock file is provably gone. Ours, of this host: the flock is ours now, so it is. Of another
 * host: it could be alive on a network file system. dirvish writes only a pid, and not even that before a power cut.
 */
async function isDead(path: string, owner: string, hostName: string): Promise<boolean> {
  const [pid = '', host] = owner.trim().split(/\s+/);
  if (host !== undefined) return host === hostName;
  if ((await stat(path)).mtimeMs / 1000 < (await bootTime())) return true;
  if (!/^\d+$/.test(pid)) return false;
  const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
  return !command.includes('dirvish');
}
