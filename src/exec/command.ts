/** A child process as a value: what to run, not yet run. Pure. */
export interface Command {
  readonly argv: readonly string[];
  readonly cwd?: string;
  /** Added to the environment of the parent; `LC_ALL=C` is always set. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** File descriptors of ours that the child gets too, as 3, 4, … in this order. */
  readonly inheritFds?: readonly number[];
}

export interface Io {
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Called for every chunk; a returned promise holds the child back. Without it, stdout is kept (1 MiB at most). */
  readonly stdout?: (chunk: Buffer) => void | Promise<void>;
  /** Called for every line, without its newline. stderr is also kept (the last 64 KiB). */
  readonly stderr?: (line: Buffer) => void;
}

export interface Result {
  readonly code: number | null;
  readonly signal: string | null;
  /** Set when the program could not be started at all (`ENOENT`, …). */
  readonly spawnError?: string;
  readonly timedOut: boolean;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Runs a command to its end. Rejects only on bugs of ours: every failure of the child is in the result. */
export type Run = (command: Command, io: Io, signal: AbortSignal) => Promise<Result>;

/** One argument quoted for a POSIX shell. */
export function shellQuote(argument: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(argument)) return argument;
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** A whole command line, quoted for a POSIX shell, for logs and people. */
export function commandLine(argv: readonly string[]): string {
  return argv.map(shellQuote).join(' ');
}

/** Whether the child ended by itself with code 0. */
export function succeeded(result: Result): boolean {
  return result.code === 0 && result.signal === null && !result.timedOut && result.spawnError === undefined;
}

/** How a child ended, in words: `exit code 12`, `killed by SIGKILL`, `not found`. */
export function describeEnd(result: Result): string {
  if (result.spawnError !== undefined) return `could not be started (${result.spawnError})`;
  if (result.timedOut) return 'timed out';
  if (result.signal !== null) return `killed by ${result.signal}`;
  return `exit code ${result.code}`;
}

/**
 * A command as one line for a remote shell, whichever that is: words in single quotes are the same to all of them.
 * The environment is given by env(1), since servers don't accept variables.
 */
export function remoteLine(command: Pick<Command, 'argv' | 'env'>): string {
  const settings = Object.entries(command.env ?? {}).map(([name, value]) => `${name}=${value}`);
  return commandLine(settings.length === 0 ? command.argv : ['env', ...settings, ...command.argv]);
}
