import { Command, CommanderError, Option } from 'commander';
import { parsedArgs, type Values } from './commands/parsed.ts';
import type { CommandRun, CommandSpec, OptionSpec, ParsedArgs } from './commands/spec.ts';
import { VaultError } from './errors.ts';
import { commandHelp, DRY_RUN, GLOBAL_OPTIONS, listHelp } from './show/help.ts';

/** A command: its spec, and how to get what it does. */
export interface CommandEntry {
  readonly spec: CommandSpec;
  readonly load: () => Promise<{ readonly run: CommandRun }>;
}

/** The options of every command, as given. */
export interface Globals {
  readonly config: string | undefined;
  readonly stateDir: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly dryRun: boolean;
}

/** What a command line asks for. */
export type Invocation =
  | {
      readonly kind: 'command';
      readonly entry: CommandEntry;
      readonly args: ParsedArgs;
      readonly globals: Globals;
    }
  /** `misused` when help was not asked for but is all there is to say (no command given). */
  | { readonly kind: 'help'; readonly text: string; readonly misused: boolean }
  | { readonly kind: 'version' };

/** What commander's callbacks leave behind while it parses. */
interface Trace {
  help: string;
  failed: string;
  found: Invocation | undefined;
}

/**
 * Reads a command line (without `node` and the program's own name). Help is laid out for a width in cells.
 * Fails with kind `usage`. Pure.
 */
export function parseCommandLine(
  argv: readonly string[],
  entries: readonly CommandEntry[],
  columns: number,
): Invocation {
  const trace: Trace = { help: '', failed: 'vault', found: undefined };
  const program = buildProgram(entries, columns, trace);
  const versionAsked = () => program.opts<{ version?: boolean }>().version === true;
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (versionAsked()) return { kind: 'version' };
    const { code, exitCode } = error;
    const isHelp = code === 'commander.helpDisplayed' || code === 'commander.help';
    if (isHelp) return { kind: 'help', text: trace.help, misused: exitCode !== 0 };
    throw usageError(error, trace.failed);
  }
  if (versionAsked()) return { kind: 'version' };
  if (trace.found === undefined) throw new Error('commander ran no command');
  return trace.found;
}

function buildProgram(entries: readonly CommandEntry[], columns: number, trace: Trace): Command {
  const program = prepare(new Command('vault'), 'vault', trace);
  program.enablePositionalOptions().option('-V, --version');
  const specs = entries.map((entry) => entry.spec);
  program.configureHelp({ formatHelp: () => listHelp('', specs, columns) });
  for (const entry of entries) {
    const [word = '', inner] = entry.spec.name.split(' ');
    if (inner === undefined) addCommand(program, word, entry, columns, trace);
    else addCommand(groupOf(program, word, specs, columns, trace), inner, entry, columns, trace);
  }
  return program;
}

/** Every level takes the global options, so that they work at any place; no level sees those behind its command. */
function prepare(command: Command, path: string, trace: Trace): Command {
  const write = (text: string) => {
    trace.help += text;
  };
  command.configureOutput({ writeOut: write, writeErr: write, outputError: () => {} });
  command.helpOption('-h, --help').exitOverride((error) => {
    trace.failed = path;
    throw error;
  });
  for (const option of GLOBAL_OPTIONS) command.addOption(commanderOption(option));
  return command;
}

/** `config`, made when the first of its commands is. */
function groupOf(
  program: Command,
  name: string,
  specs: readonly CommandSpec[],
  columns: number,
  trace: Trace,
): Command {
  const existing = program.commands.find((command) => command.name() === name);
  if (existing !== undefined) return existing;
  const group = prepare(program.command(name), `vault ${name}`, trace);
  const members = specs.filter((spec) => spec.name.startsWith(`${name} `));
  return group
    .enablePositionalOptions()
    .configureHelp({ formatHelp: () => listHelp(name, members, columns) });
}

function addCommand(parent: Command, word: string, entry: CommandEntry, columns: number, trace: Trace): void {
  const { spec } = entry;
  const command = prepare(
    parent.command(word, { hidden: spec.hidden ?? false }),
    `vault ${spec.name}`,
    trace,
  );
  command.configureHelp({ formatHelp: () => commandHelp(spec, columns) });
  for (const argument of spec.arguments) {
    const name = argument.many ? `${argument.name}...` : argument.name;
    command.argument(argument.required ? `<${name}>` : `[${name}]`);
  }
  const options = [...spec.options, ...(spec.changes ? [DRY_RUN] : [])];
  for (const option of options) command.addOption(commanderOption(option));
  command.action(() => {
    trace.found = invocation(entry, command);
  });
}

function commanderOption(spec: OptionSpec): Option {
  const long = spec.value === undefined ? `--${spec.name}` : `--${spec.name} <${spec.value}>`;
  const option = new Option(spec.short === undefined ? long : `-${spec.short}, ${long}`);
  if (spec.choices !== undefined) option.choices([...spec.choices]);
  if (spec.many) option.argParser<readonly string[]>((value, previous) => [...(previous ?? []), value]);
  return option.makeOptionMandatory(spec.required ?? false);
}

function invocation(entry: CommandEntry, command: Command): Invocation {
  const levels: Command[] = [];
  for (let level: Command | null = command; level !== null; level = level.parent) levels.push(level);
  const given = (name: string) =>
    levels.map((level) => optionValue(level, name)).find((v) => v !== undefined);
  const text = (name: string) => {
    const value = given(name);
    return typeof value === 'string' ? value : undefined;
  };
  const globals: Globals = {
    config: text('config'),
    stateDir: text('state-dir'),
    json: given('json') === true,
    quiet: given('quiet') === true,
    verbose: given('verbose') === true,
    dryRun: entry.spec.changes && given('dry-run') === true,
  };
  if (globals.quiet && globals.verbose) {
    throw new VaultError('usage', 'Options --quiet and --verbose exclude each other.');
  }
  return { kind: 'command', entry, globals, args: argsOf(entry.spec, command) };
}

function argsOf(spec: CommandSpec, command: Command): ParsedArgs {
  const pairs = (names: readonly string[], value: (name: string, at: number) => unknown): Values =>
    new Map(
      names.flatMap((name, at) => {
        const found = value(name, at);
        return isValue(found) ? [[name, found] as const] : [];
      }),
    );
  const processed: readonly unknown[] = command.processedArgs;
  return parsedArgs(
    spec,
    pairs(
      spec.arguments.map((each) => each.name),
      (_, at) => processed[at],
    ),
    pairs(
      spec.options.map((each) => each.name),
      (name) => optionValue(command, name),
    ),
  );
}

function isValue(value: unknown): value is string | boolean | readonly string[] {
  return typeof value === 'string' || typeof value === 'boolean' || Array.isArray(value);
}

/** commander keeps the values under camel-case names. */
function optionValue(command: Command, name: string): unknown {
  return command.getOptionValue(name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()));
}

/** commander's `error: unknown option '--imge'\n(Did you mean --image?)` as an error and a hint of ours. */
function usageError(error: CommanderError, path: string): VaultError {
  const [first = '', suggestion] = error.message.replace(/^error: /, '').split('\n(');
  const message = first.slice(0, 1).toUpperCase() + first.slice(1).replace(/\.?$/, '.');
  const more = path === 'vault' ? `'vault --help' lists all commands.` : `'${path} --help' tells more.`;
  return new VaultError('usage', message, {
    hint: suggestion === undefined ? more : `${suggestion.replace(/\)$/, '')} ${more}`,
  });
}
