import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, VaultError } from '../errors.ts';
import type { BranchAddress } from '../model.ts';
import { addItem, applyStatement, emptyDraft, setValue } from './apply.ts';
import type { Directive, Draft, Note, Origin } from './apply.ts';
import { branchFiles, clientDirectories, findIn, findMaster, findVault } from './find.ts';
import type { ConfigWhere, VaultPlace } from './find.ts';
import { requireName } from './names.ts';
import type { Layer } from './option.ts';
import { isOptionName, OPTIONS, settingsFrom } from './options.ts';
import type { OptionName, Settings } from './options.ts';
import { requireTrusted } from './ownership.ts';
import { parseText } from './parse.ts';
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
 * `loadMaster`, and `usage`, `config` or `disk` for a vault that can't be had.
 */
export async function loadBranch(
  where: ConfigWhere,
  address: BranchAddress,
  overrides: Overrides = {},
): Promise<LoadedBranch> {
  const started = await startMaster(where);
  const { draft } = started;
  applyOverrides(draft, 'bank' in overrides && overrides.bank !== undefined ? { bank: overrides.bank } : {});
  const place = await findVault(address.vault, settingsFrom(draft.values).bank).catch((error: unknown) => {
    failOnProblems(draft);
    throw error;
  });
  const loading = { ...started, directories: [place.directory, ...started.directories] };
  const file = await findBranchFile(loading, place, address.branch);
  await readInto(loading, file, address.branch === undefined ? 'vault' : 'branch');
  const { bank: _, ...rest } = overrides;
  applyOverrides(draft, rest);
  requireOption(draft, 'client', file);
  requireOption(draft, 'tree', file);
  const settings = settingsFrom(draft.values);
  if (settings.vault !== undefined && settings.vault !== address.vault) {
    draft.problems.push({ file, message: `vault: says "${settings.vault}" in the vault ${address.vault}` });
  }
  failOnProblems(draft);
  const branch = address.branch ?? settings.branch ?? settings['branch-default'];
  const loaded = finish(loading);
  const named = { ...loaded.settings, vault: place.vault, branch };
  return { ...loaded, settings: named, bank: place.bank, vault: place.vault, branch };
}

/** Reads the master file as far as it can be read; its problems are in the draft. Throws only what stops that. */
export async function startMaster(where: ConfigWhere): Promise<Loading> {
  const master = await findMaster(where);
  const directories = [dirname(master)];
  const loading = { where, master, draft: emptyDraft(), files: [], directories, clientLoaded: false };
  await readInto(loading, master, 'master');
  return loading;
}

/** `BRANCH.conf` stands in place of `default.conf`; a vault without one may have it beside the master file. */
async function findBranchFile(
  loading: Loading,
  place: VaultPlace,
  branch: string | undefined,
): Promise<string> {
  if (branch !== undefined) requireName('branch', branch);
  const file = await findIn(loading.directories, branch ?? 'default');
  if (file !== undefined) return file;
  const others = await branchFiles(place);
  const [only] = others;
  if (branch === undefined && only !== undefined && others.length === 1) {
    const own = await findIn([place.directory], only);
    if (own !== undefined) return own;
  }
  if (branch === undefined && others.length > 1) {
    throw new VaultError('usage', `${place.vault} has no default branch`, {
      hint: `name one: ${others.map((name) => `${place.vault}:${name}`).join(', ')}`,
    });
  }
  throw new VaultError('config', `no ${branch ?? 'default'}.conf in ${place.directory}`, {
    hint:
      others.length === 0
        ? `vault create makes it`
        : `there is ${others.map((name) => `${name}.conf`).join(', ')}`,
  });
}

/** Reads a file and all that it includes into the draft. */
async function readInto(loading: Loading, file: string, layer: Layer): Promise<void> {
  const { draft } = loading;
  await requireTrusted(file, loading.where.uid);
  loading.files.push(file);
  const text = await readText(draft, file);
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
  const lines = (await readText(loading.draft, file)).split('\n');
  lines.forEach((text, index) => {
    const line = index + 1;
    if (text !== '')
      addItem(loading.draft, 'exclude', OPTIONS.exclude, { text, line }, { layer, file, line });
  });
}

async function readText(draft: Draft, file: string): Promise<string> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new VaultError('config', `${file}: can't be read (${codeOf(error) ?? 'unknown error'})`, {
      cause: error,
    });
  });
  const text = bytes.toString('utf8');
  if (text.includes('\uFFFD')) draft.problems.push({ file, message: 'is not UTF-8 text' });
  return text;
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
  if (draft.values.get(name) === undefined) draft.problems.push({ file, message: `has no ${name}:` });
}

function failOnProblems(draft: Draft): void {
  const count = draft.problems.length;
  if (count === 0) return;
  const message = count === 1 ? '1 problem in the configuration' : `${count} problems in the configuration`;
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
