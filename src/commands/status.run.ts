import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { concernsOf, concernsOfLost, type BranchState } from '../care/status.ts';
import { readVault, vaultsOf } from '../catalog/images.execute.ts';
import { field, listField, parseSummary, type Fields } from '../catalog/summary.ts';
import { loadMaster } from '../config/load.ts';
import type { Settings } from '../config/options.ts';
import { exitCodeOf, messageOf, VaultError } from '../errors.ts';
import { lastRuns, type LastRun } from '../image/journal.execute.ts';
import { newestGood } from '../image/plan.ts';
import type { Image, Vault } from '../model.ts';
import { statusObjects, statusText } from '../show/status.ts';
import { showAge } from '../show/units.ts';
import type { CommandRun, Context } from './spec.ts';

export const run: CommandRun = async (context, args) => {
  const { settings } = await loadMaster(context.where);
  const zone = settings['time-zone'] === 'system' ? context.zone : settings['time-zone'];
  const only = args.argument('VAULT');
  const runs = await lastRuns(context.where);
  const states: BranchState[] = [];
  const absent: string[] = [];
  for (const bank of settings.bank) {
    for (const vault of await vaultsOrNone(context, bank, absent)) {
      if (only === undefined || vault.name === only)
        states.push(...(await statesOf(vault, settings, runs, zone)));
    }
  }
  const scheduled = settings.Runall.filter((entry) => only === undefined || entry.vault === only);
  // A bank that is not there is told by itself.
  const lost = absent.length === 0 ? concernsOfLost(scheduled, states) : [];
  if (only !== undefined && states.length + absent.length + lost.length === 0) {
    throw new VaultError('usage', `There is no vault ${only}.`, { hint: 'See: vault list' });
  }
  const concerns = [...lost, ...concernsOf(states, context.now, (time) => showAge(time, context.now))];
  context.out.line(statusText(states, concerns, absent, context.now, context));
  for (const object of statusObjects(states, concerns, absent, zone)) context.out.json(object);
  const attention = concerns.length + absent.length > 0;
  const exitCode = args.flag('alarm') && attention ? exitCodeOf('attention') : 0;
  return { exitCode, fields: { concerns: concerns.length + absent.length } };
};

async function vaultsOrNone(context: Context, bank: string, absent: string[]): Promise<Vault[]> {
  try {
    return await vaultsOf(bank);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    absent.push(bank);
    context.log.debug(messageOf(error));
    return [];
  }
}

async function statesOf(
  vault: Vault,
  settings: Settings,
  runs: readonly LastRun[],
  zone: string,
): Promise<BranchState[]> {
  const { images } = await readVault(vault, zone);
  const scheduled = settings.Runall.filter((entry) => entry.vault === vault.name).map(
    (entry) => entry.branch ?? settings['branch-default'],
  );
  const branches = new Set([...images.map((image) => image.branch), ...scheduled]);
  const states: BranchState[] = [];
  for (const branch of branches.size === 0 ? ['default'] : branches) {
    const own = images.filter((image) => image.branch === branch);
    const last = own.at(-1);
    const newest = newestGood(images, branch);
    const fields = await fieldsOf(last);
    states.push({
      bank: vault.bank,
      vault: vault.name,
      branch,
      client: last?.client ?? '-',
      tree: last?.tree ?? '-',
      images: own,
      newestGood: newest,
      lastRun: runs.find((each) => each.vault === vault.name && each.branch === branch),
      scheduled: scheduled.includes(branch),
      maxAge: settings['max-age'],
      leftOut: listField(fields, 'Vault-left-out'),
      hooks: listField(fields, 'Vault-hook'),
      capture: field(await fieldsOf(newest), 'Vault-capture'),
    });
  }
  return states;
}

async function fieldsOf(image: Image | undefined): Promise<Fields> {
  if (image === undefined) return new Map();
  return parseSummary(await readFile(join(image.bank, image.vault, image.directory, 'summary'), 'utf8'));
}
