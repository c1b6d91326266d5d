import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, VaultError } from '../errors.ts';
import type { Image, UnreadableImage, Vault } from '../model.ts';
import { parseLocal } from '../time/local.ts';
import { imageOf, parseSummary } from './summary.ts';

/** What a vault's directory holds. */
export interface VaultContents {
  readonly images: readonly Image[];
  /** What has a summary that can't be read: a damaged disk must not silence the rest. */
  readonly unreadable: readonly UnreadableImage[];
  /** Names of all its entries, images or not. */
  readonly names: readonly string[];
  /** Directories of runs that never ended, and of deletions: `.incomplete-…`, `.deleting-…`, those without summary. */
  readonly leftovers: readonly string[];
}

/** One directory with a summary: its text, or why it can't be read. */
export type FoundSummary = { readonly directory: string } & (
  | { readonly text: string; readonly hasTree: boolean }
  | { readonly error: VaultError }
);

/** What a vault's directory holds, with the summaries as they are. */
export interface FoundSummaries extends Omit<VaultContents, 'images' | 'unreadable'> {
  readonly summaries: readonly FoundSummary[];
}

/** Reads every image's summary. `base` is how node:fs reaches the vault, when it is held open. */
export async function readVault(
  vault: Vault,
  zone: string,
  base = join(vault.bank, vault.name),
): Promise<VaultContents> {
  const { summaries, ...rest } = await readSummaries(vault, base);
  const images: Image[] = [];
  const unreadable: UnreadableImage[] = [];
  for (const found of summaries) {
    const place = { bank: vault.bank, vault: vault.name, directory: found.directory };
    if ('error' in found) unreadable.push({ ...place, message: found.error.message });
    else {
      const local = (text: string) => parseLocal(text, zone);
      images.push(imageOf(parseSummary(found.text), { ...place, hasTree: found.hasTree }, local));
    }
  }
  return { ...rest, images: images.sort(byCompletion), unreadable };
}

/** The summaries as they are. */
export async function readSummaries(
  vault: Vault,
  base = join(vault.bank, vault.name),
): Promise<FoundSummaries> {
  const entries = await readdir(base, { withFileTypes: true }).catch((error: unknown) => {
    throw new VaultError('failed', `Cannot read vault ${vault.name} in ${vault.bank} (${codeOf(error)}).`);
  });
  const summaries: FoundSummary[] = [];
  const leftovers: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name === 'dirvish') continue;
    if (/^\.(incomplete|deleting)-/.test(entry.name)) leftovers.push(entry.name);
    if (entry.name.startsWith('.')) continue;
    const found = await readSummary(vault, base, entry.name);
    if (found === undefined) leftovers.push(entry.name);
    else summaries.push(found);
  }
  return { summaries, names: entries.map((entry) => entry.name), leftovers };
}

async function readSummary(vault: Vault, base: string, directory: string): Promise<FoundSummary | undefined> {
  try {
    const text = await readFile(join(base, directory, 'summary'), 'utf8');
    return { directory, text, hasTree: await isDirectory(join(base, directory, 'tree')) };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    const path = join(vault.bank, vault.name, directory, 'summary');
    const failure = `Cannot read ${path} (${codeOf(error)}).`;
    return { directory, error: new VaultError('failed', failure, { cause: error }) };
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Oldest first; those that never completed by when they began. */
function byCompletion(a: Image, b: Image): number {
  return (
    (a.completed ?? a.begun ?? 0) - (b.completed ?? b.begun ?? 0) ||
    a.name.localeCompare(b.name, 'en', { numeric: true })
  );
}

/** The vaults of a bank: directories with a `dirvish` directory in them. */
export async function vaultsOf(bank: string): Promise<Vault[]> {
  const entries = await readdir(bank, { withFileTypes: true }).catch((error: unknown) => {
    throw new VaultError('disk', `Cannot read bank ${bank} (${codeOf(error)}).`, {
      hint: 'Is the disk mounted?',
    });
  });
  const vaults: Vault[] = [];
  for (const entry of entries.filter((each) => each.isDirectory() && !each.name.startsWith('.'))) {
    const inside = await readdir(join(bank, entry.name)).catch((): string[] => []);
    if (inside.includes('dirvish')) vaults.push({ bank, name: entry.name });
  }
  return vaults.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** The vaults of several banks, and the banks that are not there: one absent disk must not hide the others. */
export async function vaultsOfBanks(banks: readonly string[]) {
  const vaults: Vault[] = [];
  const absent: { readonly bank: string; readonly error: VaultError }[] = [];
  for (const bank of banks) {
    try {
      vaults.push(...(await vaultsOf(bank)));
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      absent.push({ bank, error });
    }
  }
  return { vaults, absent };
}
