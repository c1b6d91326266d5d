import { vaultsIn, branchFiles } from '../config/find.ts';
import { loadBranch, loadMaster } from '../config/load.ts';
import { defaultSettings, type Settings } from '../config/options.ts';
import type { Log, Where } from '../commands/spec.ts';
import { messageOf, VaultError } from '../errors.ts';

/**
 * The remote shells (the option `rsh`, as words) by which the vaults reach a client, each once. Without
 * configuration, plain ssh; without a vault of this client, what the master file says.
 */
export async function shellsOf(
  client: string,
  where: Where,
  log: Log,
): Promise<readonly (readonly string[])[]> {
  const shells = new Map<string, readonly string[]>();
  for (const { rsh } of await settingsOf(client, where, log)) shells.set(JSON.stringify(rsh), rsh);
  return [...shells.values()];
}

/** The settings of a vault of this client: the one that is captured, if there is one; else as for `shellsOf`. */
export async function clientSettings(client: string, where: Where, log: Log): Promise<Settings> {
  const all = await settingsOf(client, where, log);
  return all.find((each) => each.tree === '/') ?? all[0] ?? defaultSettings();
}

/** The settings of all vaults of a client; without any, those of the master file alone. */
export async function settingsOf(client: string, where: Where, log: Log): Promise<readonly Settings[]> {
  const master = await loadMaster(where).catch((error: unknown) => {
    if (where.config !== undefined || !(error instanceof VaultError) || error.problems.length > 0)
      throw error;
    log.info(`${messageOf(error)}; using plain ssh`);
    return undefined;
  });
  if (master === undefined) return [defaultSettings()];
  const found: Settings[] = [];
  for (const bank of master.settings.bank) {
    for (const place of (await vaultsIn(bank)) ?? []) {
      for (const branch of await branchFiles(place)) {
        const loaded = await loadBranch(where, { vault: place.vault, branch }).catch((error: unknown) => {
          log.warn(`${place.vault}:${branch} is left out: ${messageOf(error)}`);
          return undefined;
        });
        if (loaded?.settings.client === client) found.push(loaded.settings);
      }
    }
  }
  if (found.length > 0) return found;
  log.info(`no vault has the client ${client} yet`);
  return [master.settings];
}
