import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { VAULT } from '../cli/program.ts';
import { cleanUp, guarded } from '../../support/cleanup.ts';
import { must, mustSync, ran, start, type Options, type Ran, type Running } from '../../support/process.ts';
import { tempDir } from '../../support/temp.ts';
import { compareTrees, snapshotTree, type Tree } from '../../support/tree.ts';

export interface PlaceOptions {
  /** Keep all of it in memory, where much is to be written and none of it has to last. */
  readonly inMemory?: boolean;
  /** Where the bank is; below the place without it. */
  readonly bank?: string;
  /** More lines for the master file. */
  readonly master?: string;
  /** Lines of the vault's configuration, after `client:` and `tree:`. */
  readonly vault?: string;
  readonly client?: string;
  /** The `tree:` of the vault; the source of the place without it. */
  readonly tree?: string;
}

export interface RunOptions extends Options {
  /** The time the program believes in, as faketime takes it: `2026-11-20 22:00:00`. */
  readonly at?: string;
}

/** A source, a bank with a vault `v`, and a configuration; removed at the end of the test. */
export interface Place {
  readonly home: string;
  readonly source: string;
  readonly bank: string;
  readonly vault: string;
  /** The text of the master file, which dirvish understands too. */
  readonly master: string;
  readonly argv: (...args: readonly string[]) => string[];
  readonly call: (args: readonly string[], options?: RunOptions) => Promise<Ran>;
  readonly begin: (args: readonly string[], options?: RunOptions) => Running;
  /** `vault run v`, which has to be a success. */
  readonly image: (name: string, ...args: readonly string[]) => Promise<Ran>;
  /** Writes `dirvish/NAME.conf` of the vault. */
  readonly configure: (lines: string, name?: string) => void;
  /** The committed images, by directory name. */
  readonly images: () => string[];
  readonly tree: (image: string) => Tree;
}

/** Makes a place; its source is an empty directory. */
export function makePlace(options: PlaceOptions = {}): Place {
  const home = tempDir('place');
  if (options.inMemory === true) mountMemory(home);
  const source = `${home}/source`;
  const bank = options.bank ?? `${home}/bank`;
  const vault = `${bank}/v`;
  mkdirSync(source);
  mkdirSync(`${vault}/dirvish`, { recursive: true });
  mustSync(['chmod', '0700', bank, vault, `${vault}/dirvish`]);
  // Other tests on this machine may be backing up localhost too.
  const master = `bank:\n\t${bank}\nimage-default: %Y%m%d-%H%M%S\n${options.master ?? ''}`;
  writeFileSync(`${home}/master.conf`, `${master}lock-wait: 10 minutes\n`, { mode: 0o600 });
  const configure = (lines: string, name = 'default') => {
    const [client, tree] = [options.client ?? 'localhost', options.tree ?? source];
    writeFileSync(`${vault}/dirvish/${name}.conf`, `client: ${client}\ntree: ${tree}\n${lines}`, {
      mode: 0o600,
    });
  };
  configure(options.vault ?? '');
  const argv = (...args: readonly string[]) => [
    process.execPath,
    VAULT,
    '--config',
    `${home}/master.conf`,
    '--state-dir',
    `${home}/state`,
    ...args,
  ];
  const call = (args: readonly string[], how: RunOptions = {}) => ran(...timed(argv(...args), how));
  return {
    home,
    source,
    bank,
    vault,
    master,
    argv,
    call,
    configure,
    begin: (args, how = {}) => start(...timed(argv(...args), how)),
    image: (name, ...args) => must(argv('run', 'v', '--image', name, ...args)),
    images: () =>
      readdirSync(vault)
        .filter((name) => !name.startsWith('.') && existsSync(`${vault}/${name}/summary`))
        .toSorted(),
    tree: (image) => snapshotTree(`${vault}/${image}/tree`),
  };
}

function mountMemory(directory: string): void {
  mustSync(['mount', '-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', directory]);
  const release = guarded('umount', directory);
  cleanUp(() => {
    mustSync(['umount', '--lazy', directory]);
    release();
  });
}

/** A command line at a time of its own: files keep their true times. */
function timed(argv: readonly string[], { at, ...how }: RunOptions): [readonly string[], Options] {
  if (at === undefined) return [argv, how];
  const env = { ...how.env, NO_FAKE_STAT: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
  return [['faketime', '-f', `@${at}`, ...argv], { ...how, env }];
}

/** A few files of several kinds: plain ones, a hard link, a symbolic link, an attribute, a directory below. */
export function fill(source: string): void {
  mkdirSync(`${source}/sub/deep`, { recursive: true });
  for (const name of ['a', 'b', 'sub/c', 'sub/deep/d'])
    writeFileSync(`${source}/${name}`, `${name} `.repeat(999));
  mustSync(['ln', `${source}/a`, `${source}/sub/hard`]);
  mustSync(['ln', '-s', 'sub/c', `${source}/link`]);
  mustSync(['setfattr', '-n', 'user.colour', '-v', 'blue', `${source}/b`]);
  // dirvish's rsync does not see a difference within the second in which a copy is made.
  mustSync(['find', source, '-exec', 'touch', '-h', '-d', '2026-01-02 03:04:05.678901234', '{}', '+']);
}

/** Many small files: `files` of them, ten directories. */
export function fillMany(directory: string, files: number): void {
  for (let index = 0; index < 10; index += 1) mkdirSync(`${directory}/d${index}`, { recursive: true });
  for (let index = 0; index < files; index += 1) writeFileSync(manyName(directory, index), `file ${index}\n`);
}

/** The path of one of the files of `fillMany`. */
export function manyName(directory: string, index: number): string {
  return `${directory}/d${index % 10}/f${index}`;
}

/** A summary as text by key; list items and SET words joined by spaces. */
export function summaryOf(image: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let last = '';
  for (const line of readFileSync(`${image}/summary`, 'utf8').split('\n')) {
    const [, key = '', value = ''] = /^(SET|UNSET|[A-Za-z-]+:)\s*(.*)$/.exec(line) ?? [];
    if (key !== '') {
      last = key.replace(/:$/, '');
      fields.set(last, value.trim());
    } else if (line.startsWith('\t')) {
      fields.set(last, `${fields.get(last) ?? ''} ${line.trim()}`.trim());
    }
  }
  return fields;
}

/** A branch's history, without its heading: image, created, reference, expires. */
export function historyOf(vault: string, branch = 'default'): string[][] {
  const [, ...lines] = readFileSync(`${vault}/dirvish/${branch}.hist`, 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => line.split('\t'));
}

/** Everything below a directory, as one value: to show that nothing has changed. */
export function contentsOf(directory: string): Tree {
  return existsSync(directory) ? snapshotTree(directory) : new Map();
}

/** What is different between the source and the image's tree; nothing, of a good image. */
export function unlike(place: Place, image: string): string[] {
  return compareTrees(snapshotTree(place.source), place.tree(image));
}

/** The lines of an output that don't fit a terminal of 80 columns; paths and commands can't be broken. */
export function tooWide(text: string): string[] {
  return text.split('\n').filter((line) => line.length > 80 && !/\/|https?:/.test(line));
}
