import type { Run } from '../exec/command.ts';

/**
 * What a command is, as data: the command line, the help, the completions and the manual are made of it. A spec
 * file (`NAME.ts`) holds nothing else and imports nothing but types, so that `vault --help` starts quickly; what
 * the command does is in `NAME.run.ts`, which exports `run: CommandRun` and is loaded on use. `config show` lives
 * in `config-show.ts` and `config-show.run.ts`.
 */
export interface CommandSpec {
  /** As typed: `run`, `config show`. */
  readonly name: string;
  /** One line for the list of commands: under 56 characters, lower case, no full stop. */
  readonly summary: string;
  /** Paragraphs for the command's own help; they are wrapped to the terminal. */
  readonly description?: string;
  readonly arguments: readonly ArgumentSpec[];
  /** Without the global options and without `--dry-run`, which `changes` brings. */
  readonly options: readonly OptionSpec[];
  /** Whole command lines. */
  readonly examples?: readonly string[];
  /** Whether it changes anything, and so has `--dry-run`. */
  readonly changes: boolean;
  readonly hidden?: boolean;
}

export interface ArgumentSpec {
  /** As shown in the usage line: `VAULT[:BRANCH]`. It is also the name to ask ParsedArgs for. */
  readonly name: string;
  readonly summary: string;
  readonly required: boolean;
  /** Takes all that follow. Only for the last argument. */
  readonly many?: boolean;
}

export interface OptionSpec {
  /** The long name without dashes: `image-time`. It is also the name to ask ParsedArgs for. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** What stands for the value in the help: `TIME`. Without it the option is a flag. */
  readonly value?: string;
  readonly summary: string;
  readonly required?: boolean;
  /** May be given several times; the values are collected. */
  readonly many?: boolean;
  /** All that it may be set to. */
  readonly choices?: readonly string[];
}

/**
 * The parsed command line. Every function throws (a bug of ours) when the spec has no such argument or option.
 * File names that are not UTF-8 arrive intact: `argumentBytes` of commands/argv.ts turns any of these strings into
 * the bytes that were typed.
 */
export interface ParsedArgs {
  /** One argument by its spec name; undefined where an optional one was left out. */
  argument(name: string): string | undefined;
  /** One required argument by its spec name. */
  required(name: string): string;
  /** All values of a `many` argument or option; empty for none. */
  all(name: string): readonly string[];
  /** The value of an option; the last one wins. */
  option(name: string): string | undefined;
  /** Whether a flag was given. */
  flag(name: string): boolean;
}

/** Where configuration and state are looked for: the command line and the environment, not yet interpreted. */
export interface Where {
  /** `--config FILE`, as given. */
  readonly config: string | undefined;
  /** `--state-dir DIR`, as given. */
  readonly stateDir: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The effective user. */
  readonly uid: number;
  readonly home: string;
  readonly cwd: string;
  /** The name of this machine, as `hostname` prints it. */
  readonly hostName: string;
}

/** One object of the NDJSON output. `schema: 1` is added; `result` objects are main's own. */
export type JsonObject = Readonly<Record<string, unknown>> & { readonly type: string };

/** Where a command's output goes: text for people or objects for programs, never both. */
export interface Out {
  /** One or more lines for people: what was asked for. Nothing with `--json`. Escape foreign text with `printable`. */
  line(text: string): void;
  /** Like `line`, for what is merely nice to know: left out by `--quiet`. */
  note(text: string): void;
  /** One object. Nothing without `--json`. */
  json(object: JsonObject): void;
}

/** Log lines, to stderr as `vault: warning: …`. Escaping is done there. */
export interface Log {
  /** Shown with `--verbose`. */
  debug(message: string): void;
  /** Left out by `--quiet`. */
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** What is known of the work to come, as far as it is known. */
export interface ProgressTotals {
  readonly files?: number;
  readonly bytes?: number;
}

/** The progress of one running vault. */
export interface ProgressTask {
  /** A new phase begins; its counts start at zero. A phase is one word or two: `scanning`, `transferring`. */
  phase(name: string, totals?: ProgressTotals): void;
  /** The counts so far in this phase (not the difference). Cheap: call it as often as you like. */
  update(files: number, bytes: number): void;
  /** The vault is done: its line is taken away. */
  end(): void;
}

/** On a terminal one line per running vault; elsewhere one plain line per phase; with `--json` objects. */
export interface Progress {
  /** `label` is what the user calls it: `laptop-root` or `laptop-root:daily`. */
  start(label: string): ProgressTask;
}

/** All that a command may use of the world. Times are seconds since the epoch. */
export interface Context {
  readonly out: Out;
  readonly log: Log;
  readonly progress: Progress;
  readonly run: Run;
  /** Aborted by SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  /** The current time, read once in main. */
  readonly now: number;
  /** The machine's IANA time zone. Configuration may say otherwise (`time-zone`). */
  readonly zone: string;
  readonly where: Where;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly dryRun: boolean;
  /** Whether stdout is a terminal. */
  readonly isTty: boolean;
  /** Whether stdout may have colours: a terminal, and no NO_COLOR. */
  readonly color: boolean;
  /** The width to lay out for: the terminal's, else 80. */
  readonly columns: number;
  /** Asks on the terminal and gives the answer; undefined when there is no terminal to ask on. */
  readonly ask: (question: string) => Promise<string | undefined>;
}

/** How a command ended. Expected failures that stop everything are thrown as VaultError instead. */
export interface CommandResult {
  readonly exitCode: number;
  /** More fields for the last line of `--json`: counts, names. Not `schema`, `type`, `exitCode` or `error`. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

export type CommandRun = (context: Context, args: ParsedArgs) => Promise<number | CommandResult>;
