import { access, mkdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { findMaster } from '../config/find.ts';
import { loadBranch, loadMaster } from '../config/load.ts';
import { checkNewVault, newMasterConfig, newVaultConfig, type NewVault } from '../config/new-vault.ts';
import { requireTrusted } from '../config/ownership.ts';
import { parseTree } from '../config/tree.ts';
import { isName } from '../config/names.ts';
import { recogniseBank, requireBank, requireRecognisable } from '../disk/bank.execute.ts';
import { stateDirectory } from '../config/state.ts';
import { codeOf, VaultError } from '../errors.ts';
import { syncDirectory, writeDurably } from '../exec/files.ts';
import { sourceOf } from '../image/plan.ts';
import { printable } from '../show/text.ts';
import type { CommandRun, Context, ParsedArgs } from './spec.ts';

export const run: CommandRun = async (context, args) => {
  const vault = newVaultOf(args);
  await requireLocalTree(vault, context.where.hostName);
  const { master, bank, isNew } = await chooseBank(context, args);
  const adopt = args.flag('adopt-bank');
  await requireBank(bank);
  // Before anything is written: all that would make the new vault unusable.
  await requireRecognisable(bank, stateDirectory(context.where), adopt);
  await requireTrusted(bank, context.where.uid);
  const directory = join(bank, vault.name);
  if (await exists(directory)) {
    throw new VaultError('usage', `There is a ${printable(directory)} already: nothing was changed.`, {
      hint: `See: vault config show ${vault.name}; or choose another name.`,
    });
  }
  if (context.dryRun) {
    if (isNew) context.out.line(`Would write ${master}:\n${indented(newMasterConfig(bank, vault.name))}`);
    context.out.line(`Would make ${directory}/dirvish/default.conf:\n${indented(newVaultConfig(vault))}`);
    return 0;
  }
  await makeAll(context, { vault, bank, master, isNew, adopt });
  context.out.json({
    type: 'vault',
    bank,
    vault: vault.name,
    client: vault.client,
    tree: vault.tree,
    master,
  });
  if (isNew) context.out.line(`Wrote ${master}, with bank ${bank} and ${vault.name} under Runall.`);
  context.out.line(`Made vault ${vault.name} in ${bank}: ${directory}/dirvish/default.conf`);
  context.out.note(`Next: vault run ${vault.name}`);
  if (!isNew) context.out.note(`For every night: add ${vault.name} under Runall in ${master}`);
  return { exitCode: 0, fields: { vault: vault.name, bank } };
};

interface Making {
  readonly vault: NewVault;
  readonly bank: string;
  readonly master: string;
  readonly isNew: boolean;
  readonly adopt: boolean;
}

/** The vault, the master file where it is a first one, and the bank's id: all of it or, after a failure, nothing. */
async function makeAll(context: Context, { vault, bank, master, isNew, adopt }: Making): Promise<void> {
  const { where, run: runner, signal } = context;
  await makeVault(bank, vault);
  const inside = ['', '/dirvish', '/dirvish/default.conf'];
  const made = inside.map((path) => `${join(bank, vault.name)}${path}`);
  try {
    if (isNew) {
      await writeMaster(master, newMasterConfig(bank, vault.name), made);
    }
    await loadBranch({ ...where, config: master }, { vault: vault.name, branch: undefined });
    await recogniseBank(runner, bank, stateDirectory(where), adopt, signal);
  } catch (error) {
    for (const path of made.toReversed()) await removeMade(path);
    throw error;
  }
}

/** A file, or a directory with nothing in it: what somebody else has put there meanwhile stays. */
async function removeMade(path: string): Promise<void> {
  await rmdir(path).catch(async (error: unknown) => {
    if (codeOf(error) === 'ENOTDIR') await rm(path, { force: true });
  });
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '    ').trimEnd();
}

function newVaultOf(args: ParsedArgs): NewVault {
  const name = args.required('VAULT');
  if (!isName(name)) {
    throw new VaultError('usage', `"${name}" can't be the name of a vault.`, {
      hint: 'Names have letters, digits and . _ + - only, and begin with a letter, a digit or _.',
    });
  }
  const vault = {
    name,
    client: args.option('client') ?? '',
    tree: args.option('tree') ?? '',
    excludes: args.all('exclude'),
  };
  const problems = checkNewVault(vault);
  if (problems.length > 0)
    throw new VaultError('usage', problems.map((problem) => problem.message).join('; '));
  return vault;
}

/** A tree of this machine that isn't there is a typing mistake. */
async function requireLocalTree(vault: NewVault, hostName: string): Promise<void> {
  const tree = parseTree(vault.tree);
  if (tree === undefined || sourceOf(vault.client, tree, hostName).kind !== 'local') return;
  const found = await stat(tree.path).catch((error: unknown) => {
    throw new VaultError('usage', `There is no ${tree.path} on this machine (${codeOf(error)}).`);
  });
  if (!found.isDirectory()) throw new VaultError('usage', `${tree.path} is not a directory.`);
}

/** The bank to use and the master file: the one there is, or a first one that names the bank. */
async function chooseBank(context: Context, args: ParsedArgs) {
  const named = args.option('bank');
  const wanted = named === undefined ? undefined : resolve(context.where.cwd, named);
  const master = await existingMaster(context);
  if (master === undefined) {
    if (wanted === undefined) {
      throw new VaultError('config', 'There is no configuration yet, and no --bank to begin one with.', {
        hint: 'Give --bank DIR: a directory on the backup disk that exists.',
      });
    }
    const file = context.where.config ?? context.where.env['VAULT_CONFIG'];
    return {
      master: resolve(context.where.cwd, file ?? '/etc/vault/master.conf'),
      bank: wanted,
      isNew: true,
    };
  }
  const { settings } = await loadMaster(context.where);
  const banks = settings.bank;
  if (wanted !== undefined && !banks.includes(wanted)) {
    throw new VaultError('config', `${wanted} is not one of the banks in ${master}: ${banks.join(', ')}.`, {
      hint: `Add it under \`bank:\` in ${master} first.`,
    });
  }
  const [only] = banks;
  if (wanted === undefined && (only === undefined || banks.length > 1)) {
    throw new VaultError('usage', `Which bank? ${banks.join(', ')}`, { hint: 'Say so with --bank BANK.' });
  }
  return { master, bank: wanted ?? only ?? '', isNew: false };
}

async function existingMaster(context: Context): Promise<string | undefined> {
  const named = context.where.config ?? context.where.env['VAULT_CONFIG'];
  if (named !== undefined && !(await exists(resolve(context.where.cwd, named)))) return undefined;
  try {
    return await findMaster(context.where);
  } catch (error) {
    if (error instanceof VaultError && error.message.startsWith('There is no configuration'))
      return undefined;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Tells in `made` what it makes, also where it fails. */
async function writeMaster(path: string, text: string, made: string[]): Promise<void> {
  try {
    const first = await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    if (first !== undefined) made.push(...pathsBetween(first, dirname(path)));
    made.push(`${path}.tmp`, path);
    await writeDurably(path, text, 0o600);
  } catch (error) {
    const why = codeOf(error) === 'EEXIST' ? `${dirname(path)} is not a directory` : codeOf(error);
    throw new VaultError('failed', `Cannot write ${path} (${why}).`, { cause: error });
  }
}

/** The directories from one to another below it, both included, from the top down. */
function pathsBetween(first: string, last: string): string[] {
  return first === last ? [first] : [...pathsBetween(first, dirname(last)), last];
}

/** Made under another name and then renamed: a vault is there whole or not at all. */
async function makeVault(bank: string, vault: NewVault): Promise<void> {
  const fresh = join(bank, `.new-${vault.name}`);
  await rm(fresh, { recursive: true, force: true });
  try {
    await mkdir(join(fresh, 'dirvish'), { recursive: true, mode: 0o700 });
    await writeDurably(join(fresh, 'dirvish', 'default.conf'), newVaultConfig(vault), 0o600);
    await rename(fresh, join(bank, vault.name));
    await syncDirectory(bank);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw new VaultError('failed', `Cannot make the vault in ${bank} (${codeOf(error)}).`, { cause: error });
  }
}
