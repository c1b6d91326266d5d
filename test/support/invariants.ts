import { existsSync, lstatSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { isAlive, searchPath } from './process.ts';
import { changesSince, compareTrees, snapshotTree, type Tree } from './tree.ts';

export interface BankExpectations {
  /** What an image's tree looked like, by its directory (`VAULT/NAME`); it has to be there, and the same. */
  readonly earlier?: ReadonlyMap<string, Tree>;
  /** What a source looked like at some time: every good image not among `earlier` has to be like one of these. */
  readonly sources?: readonly Tree[];
  /** What the program lists, as `VAULT/NAME`. */
  readonly listed?: readonly string[];
  /** When a run was last cut short (seconds): a success completed at or after it may lack its history line. */
  readonly crashed?: number;
  /** Something is still running: locks may be held. */
  readonly running?: boolean;
}

/** Everything in a bank that breaks a promise, in words; empty when all is well. The bank may be a dirvish's too. */
export function checkBank(bank: string, expected: BankExpectations = {}): string[] {
  const vaults = readdirSync(bank).filter((name) => existsSync(`${bank}/${name}/dirvish`));
  return [
    ...(expected.running === true ? [] : heldLock(bank, '.')),
    ...vaults.flatMap((vault) => checkVault(bank, vault, expected)),
    ...changedImages(bank, expected),
    ...(expected.listed ?? []).flatMap((image) => checkListed(bank, image)),
  ];
}

function checkVault(bank: string, vault: string, expected: BankExpectations): string[] {
  const directory = `${bank}/${vault}`;
  const mode = lstatSync(directory).mode & 0o7777;
  const images = readdirSync(directory).filter(
    (name) => name !== 'dirvish' && isDirectory(`${directory}/${name}`),
  );
  const branches = readHistories(`${directory}/dirvish`);
  return [
    ...(mode === 0o700 ? [] : [`${vault} has mode 0${mode.toString(8)}, not 0700`]),
    ...(expected.running === true ? [] : lockProblems(directory, vault)),
    ...branches.flatMap((branch) => checkHistory(vault, branch)),
    ...images.flatMap((name) => checkImage(directory, vault, name, branches, expected)),
  ];
}

function lockProblems(directory: string, vault: string): string[] {
  const file = `${directory}/dirvish/lock_file`;
  const owner = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : 0;
  return [
    ...heldLock(directory, vault),
    ...heldLock(`${directory}/dirvish`, `${vault}/dirvish`),
    ...(owner > 0 && isAlive(owner)
      ? [`${vault}/dirvish/lock_file belongs to ${owner}, which is alive`]
      : []),
  ];
}

function heldLock(directory: string, name: string): string[] {
  const argv = ['--exclusive', '--nonblock', '--conflict-exit-code', '75', directory, 'true'];
  const { status } = spawnSync('flock', argv, {
    env: { ...process.env, PATH: searchPath() },
    stdio: 'ignore',
  });
  return status === 0 ? [] : [`somebody holds the lock of ${name}`];
}

interface History {
  readonly branch: string;
  readonly lines: readonly string[];
}

function readHistories(directory: string): History[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.hist'))
    .map((name) => ({
      branch: name.slice(0, -'.hist'.length),
      lines: readFileSync(`${directory}/${name}`, 'utf8').split('\n'),
    }));
}

function checkHistory(vault: string, { branch, lines }: History): string[] {
  const name = `${vault}/dirvish/${branch}.hist`;
  const [head, ...rest] = lines;
  const rows = rest.slice(0, -1);
  const images = rows.map((row) => row.split('\t')[0]);
  const twice = images.filter((image, index) => images.indexOf(image) !== index);
  return [
    ...(head === '#IMAGE\tCREATED\tREFERECE\tEXPIRES' ? [] : [`${name} begins with ${JSON.stringify(head)}`]),
    ...(rest.at(-1) === '' ? [] : [`${name} ends within a line`]),
    ...rows
      .filter((row) => row.split('\t').length !== 4)
      .map((row) => `${name} has the line ${JSON.stringify(row)}`),
    ...twice.map((image) => `${name} has ${image} twice`),
  ];
}

function checkImage(
  directory: string,
  vault: string,
  name: string,
  branches: readonly History[],
  expected: BankExpectations,
): string[] {
  const image = `${vault}/${name}`;
  const has = (file: string) => existsSync(`${directory}/${name}/${file}`);
  if (!has('summary')) return [];
  const fields = parseSummary(readFileSync(`${directory}/${name}/summary`, 'utf8'));
  const temporary = /^\.(incomplete|deleting)-/.test(name);
  return [
    ...(temporary ? [`${image} has a summary, though it is no image`] : []),
    ...['summary.new', 'summary.gone'].filter(has).map((file) => `${image} has ${file} beside summary`),
    ...(isDirectory(`${directory}/${name}/tree`) ? [] : [`${image} has a summary but no tree`]),
    ...(typeof fields === 'string'
      ? [`${image}/summary ${fields}`]
      : checkSummary(image, fields, branches, expected)),
    ...(typeof fields === 'string' ? [] : checkTree(`${directory}/${name}/tree`, image, fields, expected)),
  ];
}

type Fields = ReadonlyMap<string, string>;

/** Just enough of dirvish's format, read by other eyes than the program's own; a text says what is wrong. */
function parseSummary(text: string): Fields | string {
  const fields = new Map<string, string>();
  if (!text.endsWith('\n')) return 'ends within a line';
  for (const line of text.split('\n')) {
    if (line === '' || /^\s/.test(line) || /^(SET|UNSET|RESET) /.test(line)) continue;
    const [, key, value] = line.match(/^([A-Za-z][\w-]*):(?: +(.*))?$/) ?? [];
    if (key === undefined) return `has the line ${JSON.stringify(line)}`;
    fields.set(key, value ?? '');
  }
  const missing = ['client', 'tree', 'vault', 'branch', 'Image', 'Status', 'Backup-complete'].filter(
    (key) => !fields.has(key),
  );
  return missing.length === 0 ? fields : `lacks ${missing.join(', ')}`;
}

function isSuccess(fields: Fields): boolean {
  return fields.get('Status') === 'success';
}

function checkSummary(
  image: string,
  fields: Fields,
  branches: readonly History[],
  { crashed }: BankExpectations,
): string[] {
  const [vault, name] = [image.split('/')[0], fields.get('Image') ?? ''];
  const history = branches.find(({ branch }) => branch === fields.get('branch'));
  const recorded = history?.lines.some((line) => line.split('\t')[0] === name) ?? false;
  // Local time in a summary; the tests run where they were written.
  const completed = Date.parse((fields.get('Backup-complete') ?? '').replace(' ', 'T')) / 1000;
  const excused = crashed !== undefined && completed >= Math.floor(crashed);
  return [
    ...(Number.isNaN(completed) ? [`${image} was completed at ${fields.get('Backup-complete')}`] : []),
    ...(fields.get('vault') === vault ? [] : [`${image} says it is of the vault ${fields.get('vault')}`]),
    ...(isSuccess(fields) && !recorded && !excused ? [`${image} is a success, but not in the history`] : []),
    ...(!isSuccess(fields) && recorded ? [`${image} is in the history, but no success`] : []),
  ];
}

function checkTree(tree: string, image: string, fields: Fields, expected: BankExpectations): string[] {
  const { sources, earlier } = expected;
  if (sources === undefined || earlier?.has(image) === true || !isSuccess(fields) || !isDirectory(tree))
    return [];
  const found = snapshotTree(tree);
  const differences = sources.map((source) => compareTrees(source, found));
  const nearest = differences.toSorted((a, b) => a.length - b.length)[0] ?? ['there is no source'];
  return nearest.length === 0
    ? []
    : [`${image} is like none of the sources: ${nearest.slice(0, 3).join('; ')}`];
}

function changedImages(bank: string, { earlier }: BankExpectations): string[] {
  return [...(earlier ?? [])].flatMap(([image, tree]) => {
    if (!existsSync(`${bank}/${image}/summary`)) return [`${image} is gone`];
    return changesSince(tree, snapshotTree(`${bank}/${image}/tree`)).map(
      (change) => `${image} has changed: ${change}`,
    );
  });
}

function checkListed(bank: string, image: string): string[] {
  const name = image.split('/').at(-1) ?? '';
  return [
    ...(name.startsWith('.') ? [`${image} is listed, though it is no image`] : []),
    ...(existsSync(`${bank}/${image}/summary`) ? [] : [`${image} is listed, but has no summary`]),
  ];
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
