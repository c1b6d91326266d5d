import { VaultError } from '../errors.ts';
import type { ErrorKind, Problem } from '../errors.ts';
import type { BranchAddress } from '../model.ts';
import type { Note, Origin } from './apply.ts';
import { branchFiles, findIn, vaultsIn } from './find.ts';
import type { ConfigWhere, VaultPlace } from './find.ts';
import { readBranch, startMaster } from './load.ts';
import { settingsFrom } from './options.ts';

export interface Checked {
  readonly problems: readonly Problem[];
  /** What kinds of failures the problems are: `config` or `refused`. */
  readonly kinds: readonly ErrorKind[];
  readonly notes: readonly Note[];
  /** All files read. */
  readonly files: readonly string[];
}

/** What has been found so far, each problem and note once. */
interface Findings {
  readonly problems: Map<string, Problem>;
  readonly kinds: Set<ErrorKind>;
  readonly notes: Map<string, Note>;
  readonly files: Set<string>;
}

/**
 * Reads the whole configuration, every vault and branch and all that `Runall` names, and collects what is wrong. Throws
 * only where there is no master file to begin with.
 */
export async function checkAll(where: ConfigWhere): Promise<Checked> {
  const findings: Findings = { problems: new Map(), kinds: new Set(), notes: new Map(), files: new Set() };
  const { draft, files } = await startMaster(where);
  if (draft.problems.length > 0) findings.kinds.add('config');
  add(findings.problems, draft.problems);
  add(findings.notes, draft.notes);
  for (const file of files) findings.files.add(file);
  const settings = settingsFrom(draft.values);
  const scheduled = draft.itemOrigins.get('Runall') ?? [];
  for (const [index, entry] of settings.Runall.entries()) {
    await checkBranch(where, entry, scheduled[index], findings);
  }
  const seen = new Map<string, string>();
  for (const [index, bank] of settings.bank.entries()) {
    const places = await vaultsIn(bank);
    if (places === undefined) {
      const message = `bank: ${bank} is not there; is its disk mounted?`;
      add(findings.notes, [{ ...placeOf(draft.itemOrigins.get('bank')?.[index]), message }]);
    }
    for (const place of places ?? []) await checkVault(where, place, seen, findings);
  }
  return {
    problems: [...findings.problems.values()],
    kinds: [...findings.kinds],
    notes: [...findings.notes.values()],
    files: [...findings.files],
  };
}

async function checkVault(
  where: ConfigWhere,
  place: VaultPlace,
  seen: Map<string, string>,
  findings: Findings,
): Promise<void> {
  const { vault, bank, directory } = place;
  const other = seen.get(vault);
  if (other !== undefined) {
    add(findings.notes, [
      { file: directory, message: `is hidden by the vault of the same name in ${other}` },
    ]);
    return;
  }
  seen.set(vault, bank);
  const branches = await branchFiles(place);
  const hasDefault = (await findIn([directory], 'default')) !== undefined;
  if (hasDefault || branches.length === 0) {
    await checkBranch(where, { vault, branch: undefined }, undefined, findings);
  }
  for (const branch of branches) {
    const file = await findIn([directory], branch);
    // What has been read by now is the default branch, a scheduled one, or a part of those.
    if (branch === 'default' || file === undefined || findings.files.has(file)) continue;
    await checkBranch(where, { vault, branch }, undefined, findings);
  }
}

/** Loads one branch for what is wrong with it. `origin` is the line that asks for it, if any. */
async function checkBranch(
  where: ConfigWhere,
  address: BranchAddress,
  origin: Origin | undefined,
  findings: Findings,
): Promise<void> {
  const name = address.branch === undefined ? address.vault : `${address.vault}:${address.branch}`;
  try {
    const { loading } = await readBranch(await startMaster(where), address);
    const { draft, files } = loading;
    add(findings.notes, draft.notes);
    add(findings.problems, draft.problems);
    if (draft.problems.length > 0) findings.kinds.add('config');
    for (const file of files) findings.files.add(file);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    const own = {
      ...placeOf(origin),
      message: `${origin === undefined ? '' : 'Runall: '}${name}: ${error.message}`,
    };
    if (error.kind === 'disk') {
      add(findings.notes, [own]);
      return;
    }
    findings.kinds.add(error.kind === 'refused' ? 'refused' : 'config');
    add(findings.problems, [own]);
  }
}

function placeOf(origin: Origin | undefined): Partial<Problem> {
  const { file, line } = origin ?? {};
  return { ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
}

function add<T extends Problem>(to: Map<string, T>, all: readonly T[]): void {
  for (const each of all) to.set(`${each.file ?? ''}:${each.line ?? ''}:${each.message}`, each);
}
