import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, messageOf, VaultError } from '../errors.ts';
import type { BranchAddress } from '../model.ts';
import { textOf } from '../raw-text.ts';
import { addItem, applyStatement, emptyDraft, setValue } from './apply.ts';
import type { Directive, Draft, Note, Origin } from './apply.ts';
import { branchFiles, clientDirectories, findIn, findMaster, findVault } from './find.ts';
import type { ConfigWhere, VaultPlace } from './find.ts';
import { requireName } from './names.ts';
import type { Layer } from './option.ts';
import { isOptionName, OPTIONS, settingsFrom } from './options.ts';
import type { OptionName, Settings } from './options.ts';
import { requireTrusted } from './ownership.ts';
import { characterFault, parseText } from './parse.ts';
import { isList } from './values.ts';

/** Values from the command line, as text; booleans for switches. Lists add to what the files say. */
export type Overrides = Readonly<Partial<Record<OptionName, string | boolean | readonly string[]>>>;

export interface Loaded {
  readonly settings: Settings;
  /** Where each value that is not a default came from; for lists, the last item. */
  readonly origins: ReadonlyMap<OptionName, Origin>;
  /** For lists: the origin of each item. */
  readonly itemOrigins: ReadonlyMap<OptionName, readonly Origin[]>;
  readonly notes: readonly Note[];
  /** All files read, in order. */
  readonly files: readonly string[];
}

export interface LoadedBranch extends Loaded {
  readonly bank: string;
  readonly vault: string;
  readonly branch: string;
}

export interface Loading {
  readonly where: ConfigWhere;
  readonly master: string;
  readonly draft: Draft;
  readonly files: string[];
  /** Where relative names of files are looked for. */
  readonly directories: readonly string[];
  clientLoaded: boolean;
}

/** Reads the master file. Throws `config` with all problems, or `refused` for a file others could have changed. */
export async function loadMaster(where: ConfigWhere): Promise<Loaded> {
  const loading = await startMaster(where);
  failOnProblems(loading.draft);
  return finish(loading);
}

/**
 * Reads all that makes up the settings of one branch: master, client, vault or branch, command line. Throws as
 * `loadMaster`, and `usage`, `config` or `disk` for a vault that can't be had. The vault is looked for in all banks, or
 * in one alone.
 */
export async function loadBranch(
  where: ConfigWhere,
  address: BranchAddress,
  overrides: Overrides = {},
  inBank?: string,
): Promise<LoadedBranch> {
  requireName('vault', address.vault);
  if (address.branch !== undefined) requireName('branch', address.branch);
  requireOverrides(overrides);
  const started = await startMaster(where);
  const { draft } = started;
  const { loading, place, branch } = await readBranch(started, address, overrides, inBank).catch(
    (error: unknown) => {
      // A vault may be missing just because of what is wrong with the master file.
      if (draft.problems.length > 0) draft.problems.push({ message: messageOf(error) });
      failOnProblems(draft);
      throw error;
    },
  );
  failOnProblems(loading.draft);
  const loaded = finish(loading);
  const named = { ...loaded.settings, vault: place.vault, branch };
  return { ...loaded, settings: named, bank: place.bank, vault: place.vault, branch };
}

export interface ReadBranch {
  readonly loading: Loading;
  readonly place: VaultPlace;
  readonly branch: string;
}

/** Goes on after `startMaster`, as `loadBranch`, but what is wrong with the text of the files is left in the draft. */
export async function readBranch(
  started: Loading,
  address: BranchAddress,
  overrides: Overrides = {},
  inBank?: string,
): Promise<ReadBranch> {
  const { draft } = started;
  const { bank, ...rest } = overrides;
  if (bank !== undefined) applyOverrides(draft, { bank });
  const banks = inBank === undefined ? settingsFrom(draft.values).bank : [inBank];
  const place = await findVault(address.vault, banks);
  const loading = { ...started, directories: [place.directory, ...started.directories] };
  const { file, only } = await findBranchFile(loading, place, address.branch);
  await readInto(loading, file, only === undefined ? 'vault' : 'branch');
  applyOverrides(draft, rest);
  requireOption(draft, 'client', file);
  requireOption(draft, 'tree', file);
  const settings = settingsFrom(draft.values);
  if (settings.vault !== undefined && settings.vault !== address.vault) {
    draft.problems.push({ file, message: `vault: says "${settings.vault}" in the vault ${address.vault}` });
  }
  const branch = only ?? settings.branch ?? settings['branch-default'];
  if (address.branch !== undefined && address.branch !== branch) {
    throw new VaultError('config', `The vault ${place.vault} has no branch ${address.branch}.`, {
      hint: `${place.directory}/${address.branch}.conf would make it; ${file} is that of ${branch}.`,
    });
  }
  draft.origins.set('vault', { layer: 'command line' });
  if (address.branch !== undefined) draft.origins.set('branch', { layer: 'command line' });
  return { loading, place, branch };
}

/** Reads the master file as far as it can be read; its problems are in the draft. Throws only what stops that. */
export async function startMaster(where: ConfigWhere): Promise<Loading> {
  const master = await findMaster(where);
  const directories = [dirname(master)];
  const loading = { where, master, draft: emptyDraft(), files: [], directories, clientLoaded: false };
  await readInto(loading, master, 'master');
  return loading;
}

/**
 * `BRANCH.conf` stands in place of `default.conf`, which can also be beside the master file. Without a branch it is
 * the default, else the only one there is. `only` is the branch that the file belongs to, if to one alone.
 */
async function findBranchFile(
  { directories, files }: Loading,
  place: VaultPlace,
  branch: string | undefined,
): Promise<{ readonly file: string; readonly only: string | undefined }> {
  const find = async (name: string) => {
    const file = await findIn(directories, name);
    return file === undefined || files.includes(file) ? undefined : file;
  };
  const own = branch === undefined ? undefined : await find(branch);
  if (own !== undefined) return { file: own, only: branch };
  // A default.conf can be that of another branch by its branch-default; who calls compares.
  const usual = await find('default');
  if (usual !== undefined) return { file: usual, only: undefined };
  const others = await branchFiles(place);
  const [first] = others;
  const single =
    branch === undefined && others.length === 1 && first !== undefined ? await find(first) : undefined;
  if (single !== undefined) return { file: single, only: first };
  if (first === undefined) {
    throw new VaultError('config', `There is no ${branch ?? 'default'}.conf in ${place.directory}.`, {
      hint: 'It needs at least a client: and a tree: line; see vault.conf(5).',
    });
  }
  const names = others.map((name) => `${place.vault}:${name}`).join(', ');
  const message = branch === undefined ? 'has no default branch' : `has no branch ${branch}`;
  throw new VaultError(branch === undefined ? 'usage' : 'config', `The vault ${place.vault} ${message}.`, {
    hint: `There is ${names}.`,
  });
}

/** Reads a file and all that it includes into the draft. */
async function readInto(loading: Loading, file: string, layer: Layer): Promise<void> {
  const { draft } = loading;
  await requireTrusted(file, loading.where.uid);
  loading.files.push(file);
  const text = await readText(file);
  const parsed = parseText(text, file);
  draft.problems.push(...parsed.problems);
  for (const statement of parsed.statements) {
    const directive = applyStatement(draft, statement, layer, file);
    if (directive !== undefined) await obey(loading, directive, layer, file);
  }
}

async function obey(loading: Loading, directive: Directive, layer: Layer, from: string): Promise<void> {
  const { draft } = loading;
  const { kind, text, line } = directive;
  const origin: Origin = { layer, file: from, line };
  if (kind === 'client') return readClient(loading, text, origin);
  const file = await findIn(loading.directories, text);
  const name = kind === 'configuration' ? 'config' : 'file-exclude';
  if (file === undefined) {
    draft.problems.push({
      file: from,
      line,
      message: `${name}: no file ${text} in ${loading.directories.join(', ')}`,
    });
  } else if (kind === 'exclude') {
    await readExcludes(loading, file, layer);
  } else if (loading.files.includes(file)) {
    draft.problems.push({ file: from, line, message: `config: ${file} has been read already: a loop` });
  } else await readInto(loading, file, layer);
}

/** The first `client:` reads the client's own file, where there is one. */
async function readClient(loading: Loading, client: string, origin: Origin): Promise<void> {
  if (loading.clientLoaded) return;
  loading.clientLoaded = true;
  const file = await findIn(clientDirectories(loading.master, loading.where), client.replace(/^.*@/, ''));
  if (file === undefined || loading.files.includes(file)) return;
  await readInto(loading, file, 'client');
  setValue(loading.draft, 'client', client, origin);
}

async function readExcludes(loading: Loading, file: string, layer: Layer): Promise<void> {
  await requireTrusted(file, loading.where.uid);
  loading.files.push(file);
  const lines = (await readText(file)).split(/\r?\n/);
  lines.forEach((text, index) => {
    const line = index + 1;
    if (text === '') return;
    const fault = characterFault(text);
    if (fault !== undefined) loading.draft.problems.push({ file, line, message: fault });
    else addItem(loading.draft, 'exclude', OPTIONS.exclude, { text, line }, { layer, file, line });
  });
}

async function readText(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error: unknown) => {
    const code = codeOf(error) ?? 'unknown error';
    throw new VaultError('config', `${file} can't be read (${code}).`, { cause: error });
  });
  return textOf(bytes);
}

/** What is wrong on the command line is a matter of usage, whatever the files say. */
function requireOverrides(overrides: Overrides): void {
  const draft = emptyDraft();
  applyOverrides(draft, overrides);
  if (draft.problems.length === 0) return;
  const all = draft.problems.map(({ message }) => `--${message}`);
  throw new VaultError('usage', `${all.join('; ')}.`);
}

function applyOverrides(draft: Draft, overrides: Overrides): void {
  const origin: Origin = { layer: 'command line' };
  for (const [name, value] of Object.entries(overrides)) {
    if (!isOptionName(name) || value === undefined) continue;
    const texts =
      typeof value === 'boolean' ? [value ? '1' : '0'] : typeof value === 'string' ? [value] : value;
    for (const text of texts) {
      if (isList(OPTIONS[name])) addItem(draft, name, OPTIONS[name], { text, line: 0 }, origin);
      else setValue(draft, name, text, origin);
    }
  }
}

function requireOption(draft: Draft, name: OptionName, file: string): void {
  // What is there but wrong has been told.
  const isTold = draft.problems.some(({ message }) => message.startsWith(`${name}: `));
  if (!isTold && draft.values.get(name) === undefined)
    draft.problems.push({ file, message: `has no ${name}:` });
}

function failOnProblems(draft: Draft): void {
  const count = draft.problems.length;
  if (count === 0) return;
  const message =
    count === 1
      ? 'There is 1 problem in the configuration.'
      : `There are ${count} problems in the configuration.`;
  throw new VaultError('config', message, { problems: [...draft.problems] });
}

function finish(loading: Loading): Loaded {
  const { values, origins, itemOrigins, notes } = loading.draft;
  const settings = settingsFrom(values);
  const zone = settings['time-zone'] === 'system' ? systemZone() : settings['time-zone'];
  return { settings: { ...settings, 'time-zone': zone }, origins, itemOrigins, notes, files: loading.files };
}

function systemZone(): string {
  return new Intl.DateTimeFormat('en-US').resolvedOptions().timeZone || 'UTC';
}
