#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseCommandLine, type Invocation } from './cli.ts';
import { argumentsOf, hasFlag } from './commands/argv.ts';
import type { CommandResult, JsonObject } from './commands/spec.ts';
import { COMMANDS } from './commands/table.ts';
import { codeOf, exitCodeOf, kindOf, VaultError, worstExitCode, fromSystem } from './errors.ts';
import { errorJson, errorText } from './show/error.ts';
import { jsonLine } from './show/json.ts';

const HELP_COLUMNS = 80;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How it all ended, for the last line and the exit code. */
interface Ending extends CommandResult {
  readonly error?: unknown;
}

const argv = readArguments();
const json = hasFlag(argv, '--json');
const version = readVersion();
const interruption = new AbortController();
let finishing = false;
/** Set when stdout takes no more: nobody reads it, or its disk is full. */
let brokenOutput: Error | undefined;
/** Whether the command goes on when nobody reads its output any more. */
let goesOn = true;

process.on('uncaughtException', (error) => void finish({ exitCode: 1, error }));
process.on('beforeExit', () => void finish({ exitCode: 1, error: new Error('ended without a result') }));
process.stdout.on('error', onBrokenOutput);
process.stderr.on('error', () => {});
await finish(await invoke());

/** Arguments are bytes, which process.argv does not keep where they are no UTF-8. */
function readArguments(): readonly string[] {
  const decoded = process.argv.slice(2);
  try {
    return argumentsOf(readFileSync('/proc/self/cmdline'), decoded.length);
  } catch {
    return decoded;
  }
}

function readVersion(): string {
  try {
    const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    return typeof manifest === 'object' && manifest && 'version' in manifest
      ? String(manifest.version)
      : 'unknown';
  } catch {
    return 'unknown';
  }
}

/** Does what the command line asks for. Everything thrown becomes an ending. */
async function invoke(): Promise<Ending> {
  try {
    const invocation = parseCommandLine(argv, COMMANDS, HELP_COLUMNS);
    if (invocation.kind === 'command') return await runCommand(invocation);
    if (invocation.kind === 'version') {
      tell({ type: 'program', name: 'vault', version }, `vault ${version}`);
      return { exitCode: 0 };
    }
    tell({ type: 'help', text: invocation.text }, invocation.text);
    return invocation.misused ? { exitCode: exitCodeOf('usage') } : { exitCode: 0 };
  } catch (error) {
    return failure(fromSystem(error));
  }
}

async function runCommand({
  entry,
  args,
  globals,
}: Invocation & { readonly kind: 'command' }): Promise<Ending> {
  goesOn = entry.spec.changes;
  for (const name of SIGNALS) process.on(name, onSignal);
  const [{ run }, { createContext }] = await Promise.all([entry.load(), import('./context.ts')]);
  const result = await run(createContext(globals, Math.floor(Date.now() / 1000), interruption.signal), args);
  return typeof result === 'number' ? { exitCode: result } : result;
}

/** After a signal, what fails fails because of it; but a bug stays one. */
function failure(error: unknown): Ending {
  const kind = kindOf(error);
  const exitCode = exitCodeOf('interrupted');
  if (!interruption.signal.aborted || (kind === 'bug' && !isAbort(error)))
    return { exitCode: exitCodeOf(kind), error };
  if (kind === 'interrupted') return { exitCode, error };
  return { exitCode, error: new VaultError('interrupted', 'Interrupted.', { cause: error }) };
}

/** What throwIfAborted and Node's own functions throw. */
function isAbort(error: unknown): boolean {
  return error === interruption.signal.reason || (error instanceof Error && error.name === 'AbortError');
}

/** The first signal asks to stop, the second one kills. */
function onSignal(): void {
  if (!interruption.signal.aborted) return interruption.abort();
  const exitCode = exitCodeOf('interrupted');
  if (json) process.stdout.write(jsonLine({ type: 'result', exitCode }));
  process.exit(exitCode);
}

/** A reader that went away (`| head`) is no error: what only shows something ends there, the rest goes on unseen. */
function onBrokenOutput(error: Error): void {
  brokenOutput ??= error;
  if (!goesOn && isReaderGone(error)) process.exit(0);
}

function isReaderGone(error: Error): boolean {
  return codeOf(error) === 'EPIPE' || codeOf(error) === 'EIO';
}

function tell(object: JsonObject, text: string): void {
  process.stdout.write(json ? jsonLine(object) : `${text}\n`);
}

/** Reports how it ended and exits, with all output written. Only the first call counts. */
async function finish(ending: Ending): Promise<void> {
  if (finishing) return;
  finishing = true;
  await flushed(process.stdout);
  const error = ending.error ?? outputError();
  const codes = [ending.exitCode];
  if (interruption.signal.aborted) codes.push(exitCodeOf('interrupted'));
  if (outputError() !== undefined) codes.push(exitCodeOf('failed'));
  const exitCode = worstExitCode(codes);
  if (error !== undefined) {
    const program = `vault ${version}, node ${process.version}, ${process.platform} ${process.arch}`;
    process.stderr.write(`${errorText(error, program)}\n`);
  }
  if (json) {
    const shown = error === undefined ? undefined : errorJson(error);
    process.stdout.write(jsonLine({ type: 'result', exitCode, ...ending.fields, error: shown }));
  }
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(exitCode);
}

/** Output that could not be written (a full disk) is a failure; a reader that went away is none. */
function outputError(): VaultError | undefined {
  if (brokenOutput === undefined || isReaderGone(brokenOutput)) return undefined;
  return new VaultError(
    'failed',
    `Cannot write the output (${codeOf(brokenOutput) ?? brokenOutput.message}).`,
  );
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}
