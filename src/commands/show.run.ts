import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findImage, parseImageAddress, requireReadable } from '../address.ts';
import { readVault } from '../catalog/images.execute.ts';
import { parseSummary } from '../catalog/summary.ts';
import { findVault } from '../config/find.ts';
import { loadMaster } from '../config/load.ts';
import { imageObject } from '../show/images.ts';
import { imageText } from '../show/image.ts';
import type { CommandRun } from './spec.ts';

export const run: CommandRun = async (context, args) => {
  const address = parseImageAddress(args.required('VAULT[:BRANCH]@WHEN'));
  const { settings } = await loadMaster(context.where);
  const zone = settings['time-zone'] === 'system' ? context.zone : settings['time-zone'];
  const place = await findVault(address.vault, settings.bank);
  const { images, unreadable } = await readVault({ bank: place.bank, name: place.vault }, zone);
  requireReadable(address, unreadable);
  const image = findImage(address, images, context.now, zone);
  const fields = parseSummary(
    await readFile(join(image.bank, image.vault, image.directory, 'summary'), 'utf8'),
  );
  context.out.line(imageText(image, fields, context.now, zone, context));
  context.out.json({ ...imageObject(image, zone), summary: Object.fromEntries(fields) });
  return 0;
};
