import { findImage, parseImageAddress } from '../address.ts';
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
  const { images } = await readVault({ bank: place.bank, name: place.vault }, zone);
  const held = images.filter((image) => image.verdict === 'held');
  // `latest` is the newest good image everywhere else; here only a held one can be meant.
  const image = address.when === 'latest' ? held.at(-1) : findImage(address, images, context.now, zone);
  if (image === undefined) throw new VaultError('usage', `Vault ${address.vault} has no held image.`);
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
  if (context.dryRun) {
    context.out.line(`${name} would be declared good. Nothing was changed.`);
    return 0;
  }
  await acceptImage(context.run, image, {
    now: context.now,
    zone,
    wait: waitOf(args),
    signal: context.signal,
  });
  context.out.line(`${name} is good now: the next image is made against it, and its branch expires again.`);
  context.out.json({
    type: 'image',
    bank: image.bank,
    vault: image.vault,
    branch: image.branch,
    image: image.name,
    verdict: 'good',
  });
  return 0;
};

function waitOf(args: ParsedArgs): number {
  const text = args.option('lock-wait');
  if (text === undefined) return 0;
  const read = readValue(OPTIONS['lock-wait'], text);
  if ('message' in read) throw new VaultError('usage', `--lock-wait: ${read.message}`);
  return Number(read.value);
}
