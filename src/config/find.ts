import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { codeOf, VaultError } from '../errors.ts';
import { isUsableName, requireName } from './names.ts';

/** Where to look: a `Where` of commands/spec.ts fits. */
export interface ConfigWhere {
  /** `--config FILE`, as given. */
  readonly config?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user we run as. */
  readonly uid: number;
  /** What relative names are relative to; the current directory when left out. */
  readonly cwd?: string;
  /** The directory of the system's configuration: /etc when left out. */
  readonly etc?: string;
}

/** A vault's place. */
export interface VaultPlace {
  readonly bank: string;
  readonly vault: string;
  /** Its `dirvish/`. */
  readonly directory: string;
}

/**
 * The master file: `--config`, `$VAULT_CONFIG`, /etc/vault/master.conf, /etc/dirvish.conf,
 * /etc/dirvish/master.conf. Throws `config` when there is none, or when several of the last three exist.
 */
export async function findMaster(where: ConfigWhere): Promise<string> {
  const given = where.config ?? where.env.VAULT_CONFIG;
  if (given !== undefined && given !== '') {
    const file = resolve(where.cwd ?? '.', given);
    if (await isFile(file)) return file;
    const source = where.config === undefined ? '$VAULT_CONFIG' : '--config';
    throw new VaultError('config', `There is no configuration file ${file}.`, {
      hint: `${source} names it.`,
    });
  }
  const etc = where.etc ?? '/etc';
  const usual = ['vault/master.conf', 'dirvish.conf', 'dirvish/master.conf'].map((name) => join(etc, name));
  const present: string[] = [];
  for (const file of usual) if (await isFile(file)) present.push(file);
  const [first, second] = present;
  if (first === undefined) {
    throw new VaultError('config', `There is no configuration: none of ${usual.join(', ')} exists.`, {
      hint: `Write ${usual[0]}, or name another file with --config FILE.`,
    });
  }
  if (second === undefined) return first;
  throw new VaultError('config', `There are two master files: ${first} and ${second}.`, {
    hint: 'Remove one, or choose one with --config FILE.',
  });
}

/** The first bank that has the vault. Throws `usage`, `config` or `disk`. */
export async function findVault(vault: string, banks: readonly string[]): Promise<VaultPlace> {
  requireName('vault', vault);
  if (banks.length === 0)
    throw new VaultError('config', 'No bank is configured.', {
      hint: 'Add a "bank:" list to the master file.',
    });
  const missing: string[] = [];
  for (const bank of banks) {
    const directory = join(bank, vault, 'dirvish');
    if (await isDirectory(directory)) return { bank, vault, directory };
    const reason = await lackOf(bank);
    if (reason !== undefined) missing.push(`the bank ${bank} ${reason}`);
  }
  if (missing.length > 0) {
    throw new VaultError('disk', `There is no vault ${vault}: ${missing.join(', ')}.`, {
      hint: 'Is the disk mounted?',
    });
  }
  throw new VaultError('config', `There is no vault ${vault} in ${banks.join(', ')}.`, {
    hint: `See: vault list. To make it: vault create ${vault}`,
  });
}

/** A bank in use is never empty: an empty directory is where its disk would be mounted. */
async function lackOf(bank: string): Promise<string | undefined> {
  if (!(await isDirectory(bank))) return 'is not there';
  return (await readdir(bank)).length === 0 ? 'is empty' : undefined;
}

/** All vaults of a bank, by name; undefined when the bank is not there. */
export async function vaultsIn(bank: string): Promise<readonly VaultPlace[] | undefined> {
  if (!(await isDirectory(bank))) return undefined;
  const places: VaultPlace[] = [];
  for (const vault of (await readdir(bank)).toSorted()) {
    const directory = join(bank, vault, 'dirvish');
    if (isUsableName(vault) && (await isDirectory(directory))) places.push({ bank, vault, directory });
  }
  return places;
}

/** The branches of a vault that have a file of their own, by name. */
export async function branchFiles(place: VaultPlace): Promise<readonly string[]> {
  const names = await readdir(place.directory);
  const branches = names
    .filter((name) => name.endsWith('.conf'))
    .map((name) => name.slice(0, -'.conf'.length));
  return branches.filter(isUsableName).toSorted();
}

/** The first of NAME and NAME.conf in these directories that is a file. */
export async function findIn(directories: readonly string[], name: string): Promise<string | undefined> {
  for (const directory of directories) {
    for (const file of [resolve(directory, name), `${resolve(directory, name)}.conf`]) {
      if (await isFile(file)) return file;
    }
  }
  return undefined;
}

/** Where the files of clients are: beside the master file, but never in /etc itself, and in /etc/dirvish. */
export function clientDirectories(master: string, where: ConfigWhere): readonly string[] {
  const etc = where.etc ?? '/etc';
  const own = dirname(master);
  const all = own === etc ? [] : [own];
  return [...new Set([...all, join(etc, 'dirvish')])];
}

async function isFile(path: string): Promise<boolean> {
  return (await statOrNothing(path))?.isFile() ?? false;
}

async function isDirectory(path: string): Promise<boolean> {
  return (await statOrNothing(path))?.isDirectory() ?? false;
}

async function statOrNothing(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new VaultError('config', `${path} can't be read (${code ?? 'unknown error'}).`, { cause: error });
  }
}
