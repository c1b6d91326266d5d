import { listFormat } from './scan.ts';

/** Where the tree is read from. `path` has no trailing slash (the root directory is the empty string). */
export interface Source {
  readonly kind: 'local' | 'ssh' | 'daemon';
  readonly client: string;
  readonly path: string;
}

/** All that shapes an rsync command line, from configuration and from what the two machines can do. */
export interface RsyncSetup {
  readonly source: Source;
  /** The server's rsync. */
  readonly program: string;
  readonly programArgs: readonly string[];
  /** The client's rsync as `--rsync-path` takes it; undefined for rsync's own choice. */
  readonly clientProgram: string | undefined;
  readonly rsh: readonly string[];
  readonly hardLinks: boolean;
  readonly permissions: boolean;
  readonly devices: boolean;
  readonly sparse: boolean;
  readonly acls: boolean;
  readonly xattrs: boolean;
  readonly numericIds: boolean;
  readonly checksum: boolean;
  readonly wholeFile: boolean;
  readonly xdev: boolean;
  readonly compress: boolean;
  /** dirvish's megabits a second; it multiplies by 100 for rsync's KiB a second. */
  readonly speedLimit: number | undefined;
  readonly timeoutSeconds: number;
  readonly passwordFile: string | undefined;
  readonly userOptions: readonly string[];
  /** Patterns that come before the user's: the bank, when it lies inside the source. */
  readonly ownExcludes: readonly string[];
  readonly hasExcludes: boolean;
  /** -1: times are compared in nanoseconds; 0: the bank keeps whole seconds only. */
  readonly modifyWindow: -1 | 0;
  /** Whether our own rsync quotes remote names by itself (3.2.4); older ones need `--protect-args`. */
  readonly quotesRemoteArgs: boolean;
}

/** What the command line calls the source: `client:/path/`, `client::module/`, `/path/`. */
export function sourceArgument(source: Source): string {
  if (source.kind === 'local') return `${source.path}/`;
  return source.kind === 'ssh' ? `${source.client}:${source.path}/` : `${source.client}::${source.path}/`;
}

/** Several letters in one option, none of which takes a value. */
const BUNDLE = /^-[aAbcCdDEFgGhHiIJkKlLnNoOpPqrRsStuUvWxXyz0468]+$/;

/** Options that scan, transfer and plain run have in common. `recurse` is off for a final list of paths. */
function baseOptions(setup: RsyncSetup, recurse: boolean): string[] {
  const letters = [
    recurse ? 'r' : '',
    'lt',
    setup.hardLinks ? 'H' : '',
    setup.permissions ? 'pgo' : '',
    setup.devices ? 'D' : '',
    setup.acls ? 'A' : '',
    setup.xattrs ? 'X' : '',
    setup.sparse ? 'S' : '',
    setup.checksum ? 'c' : '',
    setup.wholeFile ? 'W' : '',
    setup.xdev ? 'x' : '',
    setup.compress && setup.source.kind !== 'local' ? 'z' : '',
    '8',
  ];
  return [
    `-${letters.join('')}`,
    ...(setup.numericIds ? ['--numeric-ids'] : []),
    `--modify-window=${setup.modifyWindow}`,
    `--timeout=${setup.timeoutSeconds}`,
    '--stats',
    '--no-human-readable',
    ...(setup.speedLimit === undefined ? [] : [`--bwlimit=${setup.speedLimit * 100}`]),
    ...remoteOptions(setup),
    ...withoutOutput(setup.userOptions),
  ];
}

const OUTPUT =
  /^--((no-)?(verbose|quiet|human-readable|itemize-changes|progress|stats|msgs2stderr|v|h|i)|(info|debug|stderr|outbuf)=.*)$/s;

/**
 * What rsync prints is not for the user to choose, since we read it: `-q` would silence the list of changes, and
 * with the statistics gone an empty source would pass for a good one.
 */
function withoutOutput(options: readonly string[]): string[] {
  return options.flatMap((option) => {
    if (OUTPUT.test(option)) return [];
    if (!BUNDLE.test(option)) return [option];
    const letters = option.slice(1).replace(/[qhvi]/g, '');
    return letters === '' ? [] : [`-${letters}`];
  });
}

function remoteOptions(setup: RsyncSetup): string[] {
  const options: string[] = [];
  if (setup.source.kind === 'daemon' && setup.passwordFile !== undefined) {
    options.push(`--password-file=${setup.passwordFile}`);
  }
  if (setup.source.kind !== 'ssh') return options;
  if (setup.clientProgram !== undefined) options.push(`--rsync-path=${setup.clientProgram}`);
  if (!setup.quotesRemoteArgs && /[^A-Za-z0-9_/.,+@%-]/.test(setup.source.path))
    options.push('--protect-args');
  return options;
}

/** The filters, in order; the user's patterns come on stdin (`--exclude-from=-`), as they may be many. */
function filterOptions(setup: RsyncSetup, excludesFrom: string): string[] {
  return [
    ...setup.ownExcludes.map((pattern) => `--exclude=${pattern}`),
    ...(setup.hasExcludes ? [`--exclude-from=${excludesFrom}`] : []),
  ];
}

/** What a scan compares the source with, and where its filters are. */
export interface ScanRequest {
  readonly reference: string;
  /** The file of the user's exclude patterns; `-` for stdin. */
  readonly excludesFrom: string;
  /** Only these directories, NUL-separated on stdin, with all that is in them. */
  readonly onlyListed: boolean;
}

/** Compares the source with the reference and changes nothing. */
export function scanArgv(setup: RsyncSetup, request: ScanRequest, nonce: string): string[] {
  return [
    setup.program,
    ...setup.programArgs,
    ...baseOptions(setup, true),
    '-n',
    '--delete',
    '--delete-excluded',
    // Otherwise one unreadable directory silently turns all deletions off.
    '--ignore-errors',
    ...filterOptions(setup, request.excludesFrom),
    ...(request.onlyListed ? ['-r', '--delete-missing-args', '--from0', '--files-from=-'] : []),
    `--out-format=${listFormat(nonce)}`,
    '--',
    sourceArgument(setup.source),
    `${request.reference}/`,
  ];
}

/**
 * Compares the listed directories themselves (NUL-separated on stdin, each beginning with `./`, with all their
 * ancestors) with those of a tree: which are gone or no directories any more. Changes nothing.
 */
export function directoriesArgv(setup: RsyncSetup, tree: string, nonce: string): string[] {
  return [
    setup.program,
    ...setup.programArgs,
    ...baseOptions({ ...setup, xdev: false, userOptions: withoutFilters(setup.userOptions) }, false),
    '-n',
    '--no-r',
    '--dirs',
    // An implied directory would be followed, if it were a symbolic link now.
    '--no-implied-dirs',
    '--delete-missing-args',
    // Else a full directory that became a file is not even listed.
    '--force',
    '--from0',
    '--files-from=-',
    `--out-format=${listFormat(nonce)}`,
    '--',
    sourceArgument(setup.source),
    `${tree}/`,
  ];
}

/**
 * Creates the listed paths (NUL-separated on stdin, each beginning with `./`) in `destination`. No filters: the list
 * is final; no recursion; and rsync itself is told to leave whatever exists alone.
 */
export function transferArgv(
  setup: RsyncSetup,
  linkDests: readonly string[],
  destination: string,
  nonce: string,
): string[] {
  return [
    setup.program,
    ...setup.programArgs,
    ...baseOptions({ ...setup, xdev: false, userOptions: withoutFilters(setup.userOptions) }, false),
    '--no-r',
    '--ignore-missing-args',
    '--ignore-existing',
    ...linkDests.map((path) => `--link-dest=${path}`),
    '--from0',
    '--files-from=-',
    `--out-format=${listFormat(nonce)}`,
    '--',
    sourceArgument(setup.source),
    `${destination}/`,
  ];
}

/** Brings the attributes of the tree's root along, when nothing else changed. */
export function rootOnlyArgv(setup: RsyncSetup, destination: string, nonce: string): string[] {
  return [
    setup.program,
    ...setup.programArgs,
    ...baseOptions({ ...setup, xdev: false, userOptions: withoutFilters(setup.userOptions) }, false),
    '--no-r',
    '--dirs',
    '--exclude=/*',
    `--out-format=${listFormat(nonce)}`,
    '--',
    sourceArgument(setup.source),
    `${destination}/`,
  ];
}

/** One plain rsync into a fresh directory: first images, `engine: link-dest`. Excludes are read from a file. */
export function plainArgv(
  setup: RsyncSetup,
  linkDests: readonly string[],
  destination: string,
  excludesFile: string,
  nonce: string,
): string[] {
  return [
    setup.program,
    ...setup.programArgs,
    ...baseOptions(setup, true),
    ...filterOptions(setup, excludesFile),
    ...linkDests.map((path) => `--link-dest=${path}`),
    `--out-format=${listFormat(nonce)}`,
    '--',
    sourceArgument(setup.source),
    `${destination}/`,
  ];
}

const FILTER = /^(-F+|-C|--cvs-exclude|--(filter|exclude|include|exclude-from|include-from)=.*|-f.+)$/s;

function withoutFilters(options: readonly string[]): string[] {
  return options.filter((option) => !FILTER.test(option));
}

/** How rsync reaches the client; empty for local trees. rsync splits the value at spaces, minding quotes. */
export function rshEnvironment(setup: RsyncSetup): Record<string, string> {
  return setup.source.kind === 'ssh' ? { RSYNC_RSH: setup.rsh.map(quoteForRsync).join(' ') } : {};
}

function quoteForRsync(argument: string): string {
  if (!/[\s'"]/.test(argument)) return argument;
  return argument.includes("'") ? `"${argument.replaceAll('"', '""')}"` : `'${argument}'`;
}

/** ssh never asks, never accepts an unknown host key, and notices a dead connection. Other programs are left alone. */
export function strictRsh(rsh: readonly string[]): string[] {
  const [program = 'ssh', ...args] = rsh;
  if (!/(^|\/)ssh$/.test(program)) return [program, ...args];
  const set = (settings: readonly string[]) => settings.flatMap((setting) => ['-o', setting]);
  // The first mention of a setting wins: these two are not for the user to loosen.
  const firm = set(['BatchMode=yes', 'StrictHostKeyChecking=yes']);
  return [program, ...firm, ...args, ...set(['ConnectTimeout=30', 'ServerAliveInterval=30'])];
}
