import { homedir, hostname } from 'node:os';
import { createInterface } from 'node:readline';
import type { Globals } from './cli.ts';
import type { Context, Out, Where } from './commands/spec.ts';
import { run } from './exec/run.ts';
import { createLog } from './log.ts';
import { jsonLine } from './show/json.ts';
import { createProgress, type ProgressMode } from './show/progress.ts';
import { createScreen, type Screen } from './show/screen.ts';

const DEFAULT_COLUMNS = 80;

/** All that a command may use of the world, made of this process. `now` is in seconds since the epoch. */
export function createContext(globals: Globals, now: number, signal: AbortSignal): Context {
  const { env, stdout } = process;
  const isTty = stdout.isTTY === true;
  const capable = isTty && env['TERM'] !== 'dumb';
  const screen = createScreen(stdout, process.stderr);
  const out = createOut(screen, globals);
  const columns = () => (isTty && stdout.columns > 0 ? stdout.columns : DEFAULT_COLUMNS);
  const log = createLog({ quiet: globals.quiet, verbose: globals.verbose, write: screen.err });
  signal.addEventListener('abort', () => log.info('interrupted, stopping; once more kills at once'));
  const mode = progressMode(globals, capable);
  const clock = () => performance.now() / 1000;
  return {
    out,
    log,
    run,
    signal,
    now,
    progress: createProgress({ mode, out, pin: screen.pin, columns, clock }),
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    where: whereOf(globals),
    json: globals.json,
    quiet: globals.quiet,
    verbose: globals.verbose,
    dryRun: globals.dryRun,
    isTty,
    color: capable && !env['NO_COLOR'],
    columns: columns(),
    ask: (question) => ask(question, signal),
  };
}

function createOut(screen: Screen, globals: Globals): Out {
  const line = (text: string) => {
    if (!globals.json) screen.out(`${text}\n`);
  };
  return {
    line,
    note: (text) => {
      if (!globals.quiet) line(text);
    },
    json: (object) => {
      if (globals.json) screen.out(jsonLine(object));
    },
  };
}

function progressMode(globals: Globals, capable: boolean): ProgressMode {
  if (globals.json) return 'json';
  if (globals.quiet) return 'none';
  return capable ? 'bars' : 'lines';
}

function whereOf(globals: Globals): Where {
  return {
    config: globals.config,
    stateDir: globals.stateDir,
    env: process.env,
    uid: process.geteuid?.() ?? 0,
    home: homedir(),
    cwd: workingDirectory(),
    hostName: hostname(),
  };
}

/** The working directory; one that was removed meanwhile has no name. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}

/** The answer to a question, or undefined where nobody can answer: no terminal, end of input, interrupted. */
async function ask(question: string, signal: AbortSignal): Promise<string | undefined> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true || signal.aborted) return undefined;
  // Not in terminal mode, so that Ctrl-C stays a signal.
  const reader = createInterface({ input: process.stdin, terminal: false });
  process.stderr.write(question);
  const stop = () => reader.close();
  signal.addEventListener('abort', stop);
  try {
    return await new Promise<string | undefined>((resolve) => {
      reader.once('line', resolve);
      reader.once('close', () => resolve(undefined));
    });
  } finally {
    signal.removeEventListener('abort', stop);
    reader.close();
  }
}
