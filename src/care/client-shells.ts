import { vaultsIn, branchFiles } from '../config/find.ts';
import { loadBranch, loadMaster } from '../config/load.ts';
import type { Log, Where } from '../commands/spec.ts';
import { messageOf, VaultError } from '../errors.ts';

const PLAIN: readonly string[] = ['ssh'];

/**
 * The remote shells (the option `rsh`, as words) by which the vaults reach a client, each once. Without
 * configuration, plain ssh; without a vault of this client, what the master file says.
 */
export async function shellsOf(
  client: string,
  where: Where,
  log: Log,
): Promise<readonly (readonly string[])[]> {
  const master = await loadMaster(where).catch((error: unknown) => {
    if (where.config !== undefined || !(error instanceof VaultError) || error.problems.length > 0)
      throw error;
    log.info(`${messageOf(error)}; using plain ssh`);
    return undefined;
  });
  if (master === undefined) return [PLAIN];
  const shells = new Map<string, readonly string[]>();
  for (const bank of master.settings.bank) {
    for (const place of (await vaultsIn(bank)) ?? []) {
      for (const branch of await branchFiles(place)) {
        const loaded = await loadBranch(where, { vault: place.vault, branch }).catch((error: unknown) => {
          log.warn(`${place.vault}:${branch} is left out: ${messageOf(error)}`);
          return undefined;
        });
        if (loaded?.settings.client !== client) continue;
        shells.set(JSON.stringify(loaded.settings.rsh), loaded.settings.rsh);
      }
    }
  }
  if (shells.size > 0) return [...shells.values()];
  log.info(`no vault has the client ${client} yet`);
  return [master.settings.rsh];
}
