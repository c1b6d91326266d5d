import { open, readFile, rm } from 'node:fs/promises';
import { bootId } from '../exec/boot.ts';
import { codeOf, VaultError } from '../errors.ts';
import type { Opened } from '../exec/opened.ts';

/**
 * Makes dirvish's lock file, so that a dirvish that is started meanwhile stops. Ours names process, host and boot.
 * One that is left from a dead run is removed; called with the vault's flock held, so no live vault can own it.
 */
export async function makeLockFile(vault: Opened, hostName: string): Promise<() => Promise<void>> {
  const path = vault.at('dirvish/lock_file');
  const content = `${process.pid} ${hostName} ${await bootId()}\n`;
  if (!(await createExclusive(path, content))) {
    const owner = await readFile(path, 'utf8').catch(() => '');
    if (!(await isDead(owner, hostName))) throw heldError(vault, owner);
    await rm(path, { force: true });
    if (!(await createExclusive(path, content))) throw heldError(vault, owner);
  }
  return () => rm(path, { force: true });
}

function heldError(vault: Opened, owner: string): VaultError {
  const who = owner.trim() === '' ? 'somebody' : `process ${owner.trim()}`;
  return new VaultError('locked', `Vault ${vault.path} is locked by ${who} (dirvish/lock_file).`, {
    hint: `If nothing is running any more, remove ${vault.path}/dirvish/lock_file.`,
  });
}

async function createExclusive(path: string, content: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx', 0o600);
    await handle.writeFile(content);
    await handle.close();
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Whether the owner of a lock file is provably gone. Ours, of this host: the flock is ours now, so it is. Of another
 * host: it could be alive on a network file system. dirvish writes only a pid.
 */
async function isDead(owner: string, hostName: string): Promise<boolean> {
  const [pid = '', host] = owner.trim().split(/\s+/);
  if (host !== undefined) return host === hostName;
  if (!/^\d+$/.test(pid)) return false;
  const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
  return !command.includes('dirvish');
}
