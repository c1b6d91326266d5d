import { findImage, parseImageAddress, requireReadable } from '../address.ts';
import { readVault } from '../catalog/images.execute.ts';
import { findVault } from '../config/find.ts';
import { loadMaster } from '../config/load.ts';
import { pinnedSummary, unpinnedSummary } from '../expire/rewrite.ts';
import { rewriteSummaries } from '../expire/rewrite.execute.ts';
import type { Image } from '../model.ts';
import { branchLabel } from '../show/run.ts';
import type { CommandRun, Context, JsonObject } from './spec.ts';

export const run: CommandRun = (context, args) =>
  changePin(context, args.required('VAULT[:BRANCH]@WHEN'), 'pin');

/** Pins an image, or lets it go again; nothing to do is no error. Gives the exit code. */
export async function changePin(context: Context, text: string, verb: 'pin' | 'unpin'): Promise<number> {
  const address = parseImageAddress(text);
  const { settings } = await loadMaster(context.where);
  const place = await findVault(address.vault, settings.bank);
  const vault = { bank: place.bank, name: place.vault };
  const { images, unreadable } = await readVault(vault, settings['time-zone']);
  requireReadable(address, unreadable);
  const image = findImage(address, images, context.now, settings['time-zone']);
  const pinned = verb === 'pin';
  const name = `${branchLabel(image)}@${image.name}`;
  if (image.pinned === pinned) {
    context.out.line(`${name} is ${pinned ? 'pinned already' : 'not pinned'}: nothing to do.`);
  } else if (context.dryRun) {
    context.out.line(`${name} would be ${verb}ned. Nothing was changed.`);
  } else {
    const rewrite = pinned ? pinnedSummary : unpinnedSummary;
    await rewriteSummaries(
      context.run,
      vault,
      [{ directory: image.directory, name: image.name, rewrite }],
      context.signal,
    );
    const what = pinned ? 'is pinned: it never expires' : 'is not pinned any more: it expires by its date';
    context.out.line(`${name} ${what}.`);
  }
  context.out.json(pinObject(image, context.dryRun ? image.pinned : pinned));
  return 0;
}

function pinObject({ bank, vault, branch, name }: Image, pinned: boolean): JsonObject {
  return { type: 'image', bank, vault, branch, image: name, pinned };
}
