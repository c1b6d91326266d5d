import { VaultError } from './errors.ts';
import type { BranchAddress, Image, ImageAddress } from './model.ts';
import { parseWhen } from './time/when.ts';

const HINT = 'Addresses are VAULT, VAULT:BRANCH, VAULT@WHEN or VAULT:BRANCH@WHEN.';

/** Takes `VAULT[:BRANCH]` apart at the first `:`. Fails with kind `usage`. */
export function parseBranchAddress(text: string): BranchAddress {
  if (text.includes('@'))
    throw new VaultError('usage', `"${text}" names an image, not a vault.`, { hint: HINT });
  const colon = text.indexOf(':');
  const vault = colon < 0 ? text : text.slice(0, colon);
  const branch = colon < 0 ? undefined : text.slice(colon + 1);
  if (vault === '' || branch === '')
    throw new VaultError('usage', `"${text}" is not an address.`, { hint: HINT });
  return { vault, branch };
}

/** Takes `VAULT[:BRANCH]@WHEN` apart at the last `@`. Fails with kind `usage`. */
export function parseImageAddress(text: string): ImageAddress {
  const at = text.lastIndexOf('@');
  const when = text.slice(at + 1);
  if (at < 0 || when === '') throw new VaultError('usage', `"${text}" names no image.`, { hint: HINT });
  return { ...parseBranchAddress(text.slice(0, at)), when };
}

/**
 * The image that WHEN means, of those of one vault: by name, `latest`, or a date for the newest good one at or
 * before it. Without a branch: `default`, else the only one. Fails with kind `usage`.
 */
export function findImage(address: ImageAddress, images: readonly Image[], now: number, zone: string): Image {
  const named = images.filter((image) => image.name === address.when);
  const inBranch = (image: Image) => address.branch === undefined || image.branch === address.branch;
  const exact = named.find(inBranch);
  if (exact !== undefined) return exact;
  const branch = address.branch ?? onlyBranch(address, images);
  const good = images.filter((image) => image.branch === branch && image.verdict === 'good' && image.hasTree);
  const until = address.when === 'latest' ? Number.POSITIVE_INFINITY : parseWhen(address.when, now, zone);
  if (until === undefined) {
    throw new VaultError('usage', `"${address.when}" is neither an image of ${address.vault} nor a date.`, {
      hint: `See: vault list ${address.vault}`,
    });
  }
  const found = good
    .filter((image) => (image.completed ?? 0) <= until)
    .reduce<Image | undefined>(
      (best, each) => ((best?.completed ?? -1) > (each.completed ?? 0) ? best : each),
      undefined,
    );
  if (found !== undefined) return found;
  throw new VaultError(
    'usage',
    `${address.vault}:${branch} has no good image at or before ${address.when}.`,
    {
      hint: `See: vault list ${address.vault}`,
    },
  );
}

function onlyBranch(address: ImageAddress, images: readonly Image[]): string {
  const branches = [...new Set(images.map((image) => image.branch))];
  if (branches.includes('default') || branches.length === 0) return 'default';
  const [only] = branches;
  if (only !== undefined && branches.length === 1) return only;
  throw new VaultError('usage', `${address.vault} has several branches: ${branches.join(', ')}.`, {
    hint: `Name one: ${address.vault}:${only ?? ''}@${address.when}`,
  });
}
