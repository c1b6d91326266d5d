import { execa } from 'execa';
import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { codeOf } from '../errors.ts';
import { keepHead, keepTail, linesTo, STDERR_KEPT, STDOUT_KEPT } from './collect.ts';
import type { Command, Result, Run } from './command.ts';

/** From the request to end to the end by force. */
export const TERM_TO_KILL_MS = 10_000;
/** Node's timers know no longer time: 24.8 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** How long output may still trickle in after the child's end, when a daemon of its holds the pipe. */
export const DRAIN_MS = 2_000;

/** Every child: its output is ours to read as bytes, its end no exception, and its process group its own. */
const CHILD = { buffer: false, encoding: 'buffer', reject: false, detached: true, cleanup: false } as const;

/** Starts a child in a process group of its own and waits for it. The only place that starts processes. */
export const run: Run = async (command, io, signal) => {
  if (signal.aborted) return ended({ signal: 'SIGTERM' });
  const [file, ...args] = command.argv;
  if (file === undefined) throw new Error('empty command');
  // execa's types know descriptors up to 9 only; any number works.
  const inherited = (command.inheritFds ?? []) as readonly 3[];
  const child = execa(file, args, {
    ...CHILD,
    stdio: [io.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe', ...inherited],
    env: { LC_ALL: 'C', ...command.env },
    cwd: command.cwd ?? '.',
  });
  const failed = child.then((outcome) => outcome);
  const pid = child.pid;
  if (pid === undefined) {
    const outcome = await failed;
    return ended({ spawnError: codeOf(outcome) ?? codeOf(outcome.cause) ?? 'unknown' });
  }
  const watch = watchdog(pid, command, signal);
  const stdout = keepHead(STDOUT_KEPT);
  const stderr = keepTail(STDERR_KEPT);
  const reading = Promise.all([
    consume(child.stdout, io.stdout ?? stdout.add),
    consume(child.stderr, linesTo(stderr.add, io.stderr)),
  ]);
  const writing = feed(io.stdin, child.stdin);
  // Their errors are for whoever awaits them below; until then they are nobody's, which would end the program.
  for (const each of [reading, writing]) each.catch(() => undefined);
  const end = await new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('exit', (code, by) => resolve({ code, signal: by }));
  });
  watch.stop();
  killGroup(pid, 'SIGKILL');
  await drained(reading, () => {
    child.stdout.destroy();
    child.stderr.destroy();
  });
  await writing;
  return { ...ended(end), timedOut: watch.timedOut(), stdout: stdout.get(), stderr: stderr.get() };
};

/** A child whose output and input are one stream, such as a proxy to a host. */
export interface Pipe {
  readonly stream: Duplex;
  /** What it said on stderr so far. */
  said(): string;
  close(): void;
}

/** Starts a child as a stream. It is ended when the stream closes, by `close`, or when `signal` aborts. */
export function runPipe(argv: readonly string[], signal: AbortSignal): Pipe {
  const [file, ...args] = argv;
  if (file === undefined) throw new Error('empty command');
  const child = execa(file, args, {
    ...CHILD,
    stdin: 'pipe',
    env: { LC_ALL: 'C' },
  });
  const stderr = keepTail(STDERR_KEPT);
  void consume(child.stderr, stderr.add);
  const stream = child.duplex();
  const close = () => {
    if (child.pid !== undefined) killGroup(child.pid, 'SIGTERM');
  };
  signal.addEventListener('abort', close, { once: true });
  void child.then(() => signal.removeEventListener('abort', close));
  return { stream, said: () => stderr.get().toString('utf8').trim(), close };
}

function ended(part: Partial<Result>): Result {
  const empty = Buffer.alloc(0);
  return { code: null, signal: null, timedOut: false, stdout: empty, stderr: empty, ...part };
}

/** Ends the group on abort or time-out: SIGTERM first, SIGKILL after ten seconds. */
function watchdog(pid: number, command: Command, signal: AbortSignal) {
  let timedOut = false;
  let killer: NodeJS.Timeout | undefined;
  const terminate = () => {
    killGroup(pid, 'SIGTERM');
    killer ??= setTimeout(() => killGroup(pid, 'SIGKILL'), TERM_TO_KILL_MS);
  };
  const timer =
    command.timeoutMs === undefined
      ? undefined
      : setTimeout(
          () => {
            timedOut = true;
            terminate();
          },
          Math.min(command.timeoutMs, LONGEST_TIMER_MS),
        );
  signal.addEventListener('abort', terminate, { once: true });
  return {
    timedOut: () => timedOut,
    stop: () => {
      clearTimeout(timer);
      clearTimeout(killer);
      signal.removeEventListener('abort', terminate);
    },
  };
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

async function consume(stream: Readable, take: (chunk: Buffer) => void | Promise<void>): Promise<void> {
  try {
    for await (const chunk of stream) await take(chunk as Buffer);
  } catch (error) {
    if (codeOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

/** A child that stops reading (EPIPE) tells why by its own exit code. */
async function feed(
  source: AsyncIterable<Uint8Array> | undefined,
  sink: NodeJS.WritableStream | null,
): Promise<void> {
  if (source === undefined || sink === null) return;
  try {
    await pipeline(Readable.from(source, { objectMode: false }), sink);
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'EPIPE' && code !== 'ERR_STREAM_PREMATURE_CLOSE' && code !== 'ECONNRESET') throw error;
  }
}

async function drained(reading: Promise<unknown>, destroy: () => void): Promise<void> {
  const timer = setTimeout(destroy, DRAIN_MS);
  try {
    await reading;
  } finally {
    clearTimeout(timer);
  }
}
