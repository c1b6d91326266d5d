import { access, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { readSummaries, vaultsOf } from '../catalog/images.execute.ts';
import { field, parseSummary } from '../catalog/summary.ts';
import type { Where } from '../commands/spec.ts';
import { isUsableName } from '../config/names.ts';
import { VaultError, type Problem } from '../errors.ts';
import { readIfThere } from '../exec/files.ts';
import { ATTEMPT_FILE, referenceOfMark } from '../image/mark.ts';
import type { BranchAddress, UnreadableImage, Vault } from '../model.ts';
import { expiringImage, isUnreadable, type ExpiringImage } from './image.ts';
import type { BranchPolicy, VaultState } from './plan.ts';
import { policiesOf, type Policies } from './policy.execute.ts';

/** One vault that is to be looked at, with its configuration. */
export interface ObservedVault {
  readonly place: Vault;
  readonly policies: Policies;
  readonly state: VaultState;
  /** Half-done deletions of an earlier time. */
  readonly remains: readonly string[];
}

export interface Observed {
  readonly vaults: readonly ObservedVault[];
  /** Banks that are not there. */
  readonly absent: readonly string[];
}

/**
 * Reads what there is in all banks, or in the vaults of one name, and the configuration of every branch that has
 * images. Throws `config` with all mistakes at once; `disk` where no bank is there; `usage` for an unknown vault.
 */
export async function observeBanks(
  where: Where,
  banks: readonly string[],
  only: BranchAddress | undefined,
): Promise<Observed> {
  const vaults: ObservedVault[] = [];
  const absent: string[] = [];
  const problems = new Map<string, Problem>();
  for (const bank of banks) {
    for (const place of await vaultsIn(bank, absent)) {
      if (only !== undefined && place.name !== only.vault) continue;
      const policies = policiesOf(where, place);
      const state = await observeVault(place, policies).catch(collectInto(problems));
      if (state !== undefined) vaults.push({ place, policies, ...state });
    }
  }
  if (problems.size > 0) {
    throw new VaultError('config', 'The configuration has mistakes: nothing was deleted.', {
      problems: [...problems.values()],
    });
  }
  requireSomething(vaults, banks, absent, only);
  return { vaults, absent };
}

async function vaultsIn(bank: string, absent: string[]): Promise<readonly Vault[]> {
  try {
    return await vaultsOf(bank);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    absent.push(bank);
    return [];
  }
}

/** Mistakes of several files are told together. */
function collectInto(problems: Map<string, Problem>): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof VaultError) || error.kind !== 'config' || error.problems.length === 0) throw error;
    for (const problem of error.problems) problems.set(JSON.stringify(problem), problem);
    return undefined;
  };
}

function requireSomething(
  vaults: readonly ObservedVault[],
  banks: readonly string[],
  absent: readonly string[],
  only: BranchAddress | undefined,
): void {
  if (banks.length === 0) {
    throw new VaultError('config', 'No bank is configured.', {
      hint: 'Add a "bank:" list to the master file.',
    });
  }
  if (absent.length === banks.length || (only !== undefined && vaults.length === 0 && absent.length > 0)) {
    throw new VaultError('disk', `Bank ${absent.join(' and ')} is not there.`, {
      hint: 'Is the disk mounted?',
    });
  }
  if (only !== undefined && vaults.length === 0) {
    throw new VaultError('usage', `There is no vault ${only.vault}.`, { hint: 'See: vault list' });
  }
}

/** One vault as it is now. `base` is how node:fs reaches it when it is held open. */
export async function observeVault(
  place: Vault,
  policies: Policies,
  base = join(place.bank, place.name),
): Promise<Pick<ObservedVault, 'state' | 'remains'>> {
  const found = await readSummaries(place, base);
  const images: ExpiringImage[] = [];
  const unreadable: UnreadableImage[] = [];
  const branches = new Map<string, BranchPolicy>();
  for (const each of found.summaries) {
    const where = { bank: place.bank, vault: place.name, directory: each.directory };
    if ('error' in each) {
      unreadable.push({ ...where, message: each.error.message });
      continue;
    }
    const fields = parseSummary(each.text);
    const branch = field(fields, 'branch') ?? '';
    if (branch !== '' && !isUsableName(branch)) {
      unreadable.push({ ...where, message: `its branch "${branch}" can't be a name` });
      continue;
    }
    const { policy } = await policies(branch === '' ? 'default' : branch);
    const identity = await identityOf(join(base, each.directory));
    if (identity === undefined) continue;
    const image = expiringImage(fields, { ...where, hasTree: each.hasTree, identity }, policy.zone);
    if (isUnreadable(image)) unreadable.push(image);
    else {
      images.push(image);
      branches.set(image.branch, policy);
    }
  }
  const inUse = await imagesInUse(base, found.leftovers, images);
  const { bank, name: vault } = place;
  const state = { bank, vault, images, unreadable, inUse, policies: branches };
  return { state, remains: await deletionsBegun(base, found.leftovers) };
}

/** `DEVICE:INODE` of what a path names, links not followed; undefined when nothing is there. */
export async function identityOf(path: string): Promise<string | undefined> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}

/** What was being deleted when it was interrupted. */
async function deletionsBegun(base: string, leftovers: readonly string[]): Promise<string[]> {
  const begun: string[] = [];
  for (const name of leftovers) {
    if (name.startsWith('.deleting-')) begun.push(name);
    else if (!name.startsWith('.') && (await exists(join(base, name, 'summary.gone')))) begun.push(name);
  }
  return begun;
}

/**
 * Directories that a run depends on: what our half-made images name as their reference, and, while dirvish's lock
 * file is there, the images that never ended and what those are made against.
 */
async function imagesInUse(
  base: string,
  leftovers: readonly string[],
  images: readonly ExpiringImage[],
): Promise<string[]> {
  const inUse: string[] = [];
  for (const name of leftovers.filter((each) => each.startsWith('.incomplete-'))) {
    const reference = referenceOfMark((await readIfThere(join(base, name, ATTEMPT_FILE))) ?? '');
    if (reference !== undefined) inUse.push(reference);
  }
  if (!(await exists(join(base, 'dirvish', 'lock_file')))) return inUse;
  const making = images.filter((image) => image.verdict === 'incomplete');
  const names = new Set(making.map((image) => image.reference));
  const references = images.filter((image) => names.has(image.name));
  return [...inUse, ...[...making, ...references].map((image) => image.directory)];
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
