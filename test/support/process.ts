import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { cleanUp, guarded } from './cleanup.ts';

export interface Options {
  readonly cwd?: string;
  /** Added to the environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Buffer;
  /** Killed after this time; two minutes without it. */
  readonly timeoutMs?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  /** stdout and stderr as text. */
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly pid: number;
  /** The first line of stdout or stderr, from the start on, that matches; rejects when the program ends without. */
  readonly line: (pattern: RegExp) => Promise<RegExpMatchArray>;
  readonly ended: Promise<Ran>;
  /** SIGKILL to the program and all its descendants; resolves when it is gone. */
  readonly stop: () => Promise<void>;
  readonly signal: (signal: NodeJS.Signals) => void;
}

const TIMEOUT_MS = 120_000;

/** The PATH for tests: administrators' programs too, which a user's PATH lacks. */
export function searchPath(): string {
  return `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/local/sbin:/usr/sbin:/sbin`;
}

function settings(options: Options) {
  const env = { ...process.env, LC_ALL: 'C', PATH: searchPath(), ...options.env };
  const ids = {
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  };
  return { env, ...ids, ...(options.cwd === undefined ? {} : { cwd: options.cwd }) };
}

/** Starts a program and goes on; it is killed at the end of the test. */
export function start(argv: readonly string[], options: Options = {}): Running {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { ...settings(options), stdio: ['pipe', 'pipe', 'pipe'] });
  const release = child.pid === undefined ? () => undefined : guarded('kill', String(child.pid));
  const output = collect(child);
  const ended = finished(child, output, options.timeoutMs ?? TIMEOUT_MS).finally(release);
  ended.catch(() => undefined);
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const stop = async () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) killTree(child.pid);
    await ended.catch(() => undefined);
  };
  cleanUp(stop);
  return {
    pid: child.pid ?? -1,
    ended,
    stop,
    line: (pattern) => awaitLine(child, output, pattern),
    signal: (signal) => child.kill(signal),
  };
}

/** Runs a program to its end; any outcome is a value, only a program that can't be started throws. */
export function ran(argv: readonly string[], options: Options = {}): Promise<Ran> {
  return start(argv, options).ended;
}

/** Runs a program that has to succeed. */
export async function must(argv: readonly string[], options: Options = {}): Promise<Ran> {
  const result = await ran(argv, options);
  if (result.code !== 0) throw new Error(`${argv.join(' ')}: ${result.signal ?? result.code}\n${result.err}`);
  return result;
}

/** Runs a short program that has to succeed, and waits; stdout. */
export function mustSync(argv: readonly string[], options: Options = {}): Buffer {
  const [file = '', ...args] = argv;
  const result = spawnSync(file, args, {
    ...settings(options),
    input: options.input ?? '',
    timeout: options.timeoutMs ?? TIMEOUT_MS,
    maxBuffer: 1024 ** 3,
  });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    throw new Error(`${argv.join(' ')}: ${result.signal ?? result.status}\n${result.stderr.toString()}`);
  }
  return result.stdout;
}

/** All descendants of a process, parents first. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? parentOf(Number(name)) : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  const visit = (of: number) => {
    for (const child of children.get(of) ?? []) {
      found.push(child);
      visit(child);
    }
  };
  visit(pid);
  return found;
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

/** Whether the process exists and is not a zombie. */
export function isAlive(pid: number): boolean {
  const state = stateOf(pid);
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** The state letter of /proc/PID/stat (`R`, `S`, `T`, …); undefined when there is no such process. */
export function stateOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0];
  } catch {
    return undefined;
  }
}

/** SIGKILL to a process and all its descendants. */
export function killTree(pid: number): void {
  for (const one of [pid, ...descendants(pid)]) killOne(one, 'SIGKILL');
}

/** A signal to a process that may be gone already. */
export function killOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

interface Output {
  readonly stdout: Buffer[];
  readonly stderr: Buffer[];
}

function collect(child: ChildProcess): Output {
  const output: Output = { stdout: [], stderr: [] };
  child.stdout?.on('data', (chunk: Buffer) => output.stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => output.stderr.push(chunk));
  return output;
}

function finished(child: ChildProcess, output: Output, timeoutMs: number): Promise<Ran> {
  const timer = setTimeout(() => child.pid !== undefined && killTree(child.pid), timeoutMs);
  return new Promise<Ran>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const stdout = Buffer.concat(output.stdout);
      resolve({ code, signal, stdout, out: stdout.toString(), err: Buffer.concat(output.stderr).toString() });
    });
  }).finally(() => clearTimeout(timer));
}

function awaitLine(child: ChildProcess, output: Output, pattern: RegExp): Promise<RegExpMatchArray> {
  const search = () => {
    const text = Buffer.concat(output.stdout).toString() + '\n' + Buffer.concat(output.stderr).toString();
    return text
      .split('\n')
      .map((line) => line.match(pattern))
      .find((match) => match !== null);
  };
  return new Promise((resolve, reject) => {
    const look = () => {
      const match = search();
      if (match) resolve(match);
      return match !== undefined;
    };
    if (look()) return;
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.on('close', () => {
      const said = Buffer.concat([...output.stdout, ...output.stderr]).toString();
      if (!look()) reject(new Error(`ended without a line like ${pattern}:\n${said}`));
    });
    child.on('error', reject);
  });
}
