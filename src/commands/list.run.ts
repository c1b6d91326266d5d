import { parseBranchAddress } from '../address.ts';
import { readVault, vaultsOfBanks } from '../catalog/images.execute.ts';
import { loadMaster } from '../config/load.ts';
import { findVault } from '../config/find.ts';
import { exitCodeOf } from '../errors.ts';
import { newestGood } from '../image/plan.ts';
import type { Image, UnreadableImage, Vault } from '../model.ts';
import {
  branchTable,
  imageObject,
  imageTable,
  unreadableObject,
  unreadableText,
  type BranchLine,
} from '../show/images.ts';
import type { CommandRun, Context } from './spec.ts';

export const run: CommandRun = async (context, args) => {
  const { settings } = await loadMaster(context.where);
  const zone = settings['time-zone'] === 'system' ? context.zone : settings['time-zone'];
  const text = args.argument('VAULT[:BRANCH]');
  if (text === undefined) return listAll(context, settings.bank, zone);
  const address = parseBranchAddress(text);
  const place = await findVault(address.vault, settings.bank);
  const { images, unreadable } = await readVault({ bank: place.bank, name: place.vault }, zone);
  const shown = images.filter((image) => address.branch === undefined || image.branch === address.branch);
  for (const image of shown) context.out.json(imageObject(image, zone));
  if (shown.length + unreadable.length === 0) context.out.line(`${text} has no images yet.`);
  else context.out.line(imageTable(shown, unreadable, context.now, zone, context));
  tellUnreadable(context, unreadable);
  return 0;
};

async function listAll(context: Context, banks: readonly string[], zone: string): Promise<number> {
  const lines: BranchLine[] = [];
  const unreadable: UnreadableImage[] = [];
  const { vaults, absent } = await vaultsOfBanks(banks);
  for (const vault of vaults) {
    const found = await readVault(vault, zone);
    lines.push(...branchLines(vault, found.images));
    unreadable.push(...found.unreadable);
  }
  for (const line of lines) {
    const { newest, ...rest } = line;
    context.out.json({
      type: 'vault',
      ...rest,
      newest: newest === undefined ? null : imageObject(newest, zone),
    });
  }
  if (lines.length === 0 && absent.length === 0) {
    const place = banks.join(', ') || 'any bank';
    context.out.line(`There are no vaults in ${place}: none was made yet, or its disk is not mounted.`);
  } else if (lines.length > 0) context.out.line(branchTable(lines, context.now, zone, context));
  tellUnreadable(context, unreadable);
  for (const { bank, error } of absent) {
    context.out.json({ type: 'warning', code: 'absent', bank });
    context.log.error(`${error.message} Is the disk mounted?`);
  }
  return absent.length === 0 ? 0 : exitCodeOf('disk');
}

function tellUnreadable(context: Context, unreadable: readonly UnreadableImage[]): void {
  if (unreadable.length > 0) context.out.line(unreadableText(unreadable));
  for (const image of unreadable) context.out.json(unreadableObject(image));
}

function branchLines(vault: Vault, images: readonly Image[]): BranchLine[] {
  const branches = [...new Set(images.map((image) => image.branch))];
  return (branches.length === 0 ? ['default'] : branches).map((branch) => {
    const own = images.filter((image) => image.branch === branch);
    const last = own.at(-1);
    return {
      bank: vault.bank,
      vault: vault.name,
      branch,
      client: last?.client ?? '-',
      tree: last?.tree ?? '-',
      images: own.length,
      newest: newestGood(images, branch),
    };
  });
}
