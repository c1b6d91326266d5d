import { findHeld, parseImageAddress, requireReadable } from '../address.ts';
import { acceptImage } from '../catalog/accept.execute.ts';
import { readVault } from '../catalog/images.execute.ts';
import { findVault } from '../config/find.ts';
import { loadMaster } from '../config/load.ts';
import { OPTIONS } from '../config/options.ts';
import { readValue } from '../config/values.ts';
import { VaultError } from '../errors.ts';
import { branchLabel } from '../show/run.ts';
import type { CommandRun, ParsedArgs } from './spec.ts';

export const run: CommandRun = async (context, args) => {
  const address = parseImageAddress(args.required('VAULT[:BRANCH]@WHEN'));
  const { settings } = await loadMaster(context.where);
  const zone = settings['time-zone'] === 'system' ? context.zone : settings['time-zone'];
  const place = await findVault(address.vault, settings.bank);
  const { images: all, unreadable } = await readVault({ bank: place.bank, name: place.vault }, zone);
  const held = all.filter((image) => image.verdict === 'held');
  requireReadable(address, unreadable);
  const image = findHeld(address, all, context.now, zone);
  const name = `${branchLabel(image)}@${image.name}`;
  if (image.verdict === 'good') {
    context.out.line(`${name} is good already: nothing to do.`);
    return 0;
  }
  if (image.verdict !== 'held') {
    throw new VaultError('usage', `${name} is ${image.verdict}, not held: ${image.status}`, {
      hint: 'Only an image that is complete can be accepted. Make a new one: vault run.',
    });
  }
  // Whoever accepts a change accepts the nights before on which it was already held.
  const before = held.slice(0, held.indexOf(image));
  const earlier = before.filter((each) => each.branch === image.branch);
  const accepted = [...earlier, image];
  const names = accepted.map((each) => `${branchLabel(each)}@${each.name}`).join(', ');
  if (context.dryRun) {
    context.out.line(`${names} would be declared good. Nothing was changed.`);
    return 0;
  }
  const world = { now: context.now, zone, wait: waitOf(args), signal: context.signal };
  for (const each of accepted) {
    await acceptImage(context.run, each, world);
    const { bank, vault, branch } = each;
    context.out.json({ type: 'image', bank, vault, branch, image: each.name, verdict: 'good' });
  }
  context.out.line(`${names}: good now.`);
  context.out.note(`The next image is made against ${image.name}, and its branch expires again.`);
  return 0;
};

function waitOf(args: ParsedArgs): number {
  const text = args.option('lock-wait');
  if (text === undefined) return 0;
  const read = readValue(OPTIONS['lock-wait'], text);
  if ('message' in read) throw new VaultError('usage', `--lock-wait: ${read.message}`);
  return Number(read.value);
}
