import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { concernsOf, concernsOfLost, concernsOfUnreadable, type BranchState } from '../care/status.ts';
import { readVault, vaultsOfBanks } from '../catalog/images.execute.ts';
import { field, listField, parseSummary, type Fields } from '../catalog/summary.ts';
import { loadMaster } from '../config/load.ts';
import type { Settings } from '../config/options.ts';
import { exitCodeOf, VaultError } from '../errors.ts';
import { lastRuns, type LastRun } from '../image/journal.execute.ts';
import { newestGood } from '../image/plan.ts';
import type { Image, UnreadableImage, Vault } from '../model.ts';
import { statusObjects, statusText } from '../show/status.ts';
import { showAge } from '../show/units.ts';
import type { CommandRun } from './spec.ts';

export const run: CommandRun = async (context, args) => {
  const { settings } = await loadMaster(context.where);
  const zone = settings['time-zone'] === 'system' ? context.zone : settings['time-zone'];
  const only = args.argument('VAULT');
  const runs = await lastRuns(context.where);
  const states: BranchState[] = [];
  const unreadable: UnreadableImage[] = [];
  const found = await vaultsOfBanks(settings.bank);
  const absent = found.absent.map(({ bank }) => bank);
  for (const { error } of found.absent) context.log.debug(error.message);
  for (const vault of found.vaults) {
    if (only !== undefined && vault.name !== only) continue;
    const contents = await readVault(vault, zone);
    states.push(...(await statesOf(vault, contents.images, settings, runs)));
    unreadable.push(...contents.unreadable);
  }
  const scheduled = settings.Runall.filter((entry) => only === undefined || entry.vault === only);
  // A bank that is not there is told by itself.
  const lost = absent.length === 0 ? concernsOfLost(scheduled, states) : [];
  if (only !== undefined && states.length + absent.length + lost.length === 0) {
    throw new VaultError('usage', `There is no vault ${only}.`, { hint: 'See: vault list' });
  }
  const told = concernsOfUnreadable(unreadable);
  const concerns = [
    ...lost,
    ...told,
    ...concernsOf(states, context.now, (time) => showAge(time, context.now)),
  ];
  context.out.line(statusText(states, concerns, absent, context.now, context));
  for (const object of statusObjects(states, concerns, absent, zone)) context.out.json(object);
  const attention = concerns.length + absent.length > 0;
  const exitCode = args.flag('alarm') && attention ? exitCodeOf('attention') : 0;
  return { exitCode, fields: { concerns: concerns.length + absent.length } };
};

async function statesOf(
  vault: Vault,
  images: readonly Image[],
  settings: Settings,
  runs: readonly LastRun[],
): Promise<BranchState[]> {
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
    const ofGood = await fieldsOf(newest);
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
      without: newest === undefined ? undefined : withoutMounts(ofGood),
      capture: field(ofGood, 'Vault-capture'),
    });
  }
  return states;
}

/** dirvish stays on one file system too, but does not tell what it left out. */
function withoutMounts(fields: Fields): readonly string[] | undefined {
  const isOurs = fields.has('Vault-engine');
  const staysOnOne = field(fields, 'SET')?.split(' ').includes('xdev') ?? true;
  return isOurs || !staysOnOne ? listField(fields, 'Vault-left-out') : undefined;
}

async function fieldsOf(image: Image | undefined): Promise<Fields> {
  if (image === undefined) return new Map();
  return parseSummary(await readFile(join(image.bank, image.vault, image.directory, 'summary'), 'utf8'));
}
