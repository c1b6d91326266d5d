import { VaultError } from './errors.ts';
import type { BranchAddress, Image, ImageAddress, UnreadableImage, Verdict } from './model.ts';
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

/** Fails (`failed`) when the image named is one whose summary can't be read. */
export function requireReadable({ when }: ImageAddress, unreadable: readonly UnreadableImage[]): void {
  const found = unreadable.find(({ directory }) => directory === when);
  if (found !== undefined) throw new VaultError('failed', found.message);
}

/**
 * The image that WHEN means, of those of one vault: by name, `latest`, or a date for the newest good one at or
 * before it. Without a branch: `default`, else the only one. Fails with kind `usage`.
 */
export function findImage(address: ImageAddress, images: readonly Image[], now: number, zone: string): Image {
  const found = newestAt(address, images, 'good', now, zone);
  if (found !== undefined) return found;
  const branch = address.branch ?? onlyBranch(address, images);
  throw new VaultError(
    'usage',
    `${address.vault}:${branch} has no good image at or before ${address.when}.`,
    {
      hint: `See: vault list ${address.vault}`,
    },
  );
}

/**
 * As `findImage`, for what is to be accepted: `latest` and dates mean held images, where there are any. Fails with
 * kind `usage`, also for a good image in front of held ones: it would be thought that they were accepted.
 */
export function findHeld(address: ImageAddress, images: readonly Image[], now: number, zone: string): Image {
  const held = newestAt(address, images, 'held', now, zone);
  if (held === undefined && address.when === 'latest')
    throw new VaultError('usage', `Vault ${labelOf(address)} has no held image.`);
  const found = held ?? findImage(address, images, now, zone);
  const later = images.filter(
    (image) =>
      image.verdict === 'held' &&
      image.branch === found.branch &&
      (image.completed ?? 0) >= (found.completed ?? 0),
  );
  if (found.verdict !== 'good' || later.length === 0) return found;
  const names = later.map((image) => image.name).join(', ');
  throw new VaultError('usage', `${found.name} is good already; held after it: ${names}.`, {
    hint: `vault accept ${address.vault}:${found.branch}@${later.at(-1)?.name ?? ''}`,
  });
}

function labelOf({ vault, branch }: BranchAddress): string {
  return branch === undefined ? vault : `${vault}:${branch}`;
}

/** By name whatever it is, else the newest one of this verdict; undefined where there is none. */
function newestAt(
  address: ImageAddress,
  images: readonly Image[],
  verdict: Verdict,
  now: number,
  zone: string,
): Image | undefined {
  const named = images.filter((image) => image.name === address.when);
  const inBranch = (image: Image) => address.branch === undefined || image.branch === address.branch;
  const exact = named.find(inBranch);
  if (exact !== undefined) return exact;
  const branch = address.branch ?? onlyBranch(address, images);
  const until = address.when === 'latest' ? Number.POSITIVE_INFINITY : parseWhen(address.when, now, zone);
  if (until === undefined) {
    throw new VaultError('usage', `"${address.when}" is neither an image of ${address.vault} nor a date.`, {
      hint: `See: vault list ${address.vault}`,
    });
  }
  return images
    .filter((image) => image.branch === branch && image.verdict === verdict && image.hasTree)
    .filter((image) => (image.completed ?? 0) <= until)
    .reduce<Image | undefined>(
      (best, each) => ((best?.completed ?? -1) > (each.completed ?? 0) ? best : each),
      undefined,
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
