import type { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../errors.ts';
import { keepHead, keepTail, linesTo, STDERR_KEPT, STDOUT_KEPT } from './collect.ts';
import type { Command, Io, Result } from './command.ts';
import { DRAIN_MS, TERM_TO_KILL_MS } from './run.ts';

/** From the last attempt to end a command to giving up on its channel. */
const CLOSE_MS = 2_000;

/** A command on the other side of a connection, as ssh2 gives it. */
export type Channel = Duplex & {
  readonly stderr: Readable;
  signal(name: string): unknown;
  close(): unknown;
};

/** Runs one command there. Its end is that of the program, also when a daemon of its keeps the outputs open. */
export async function runOnChannel(
  channel: Channel,
  command: Command,
  io: Io,
  signal: AbortSignal,
): Promise<Result> {
  const watch = watchChannel(channel, command, signal);
  let open = true;
  const whileOpen = (take: (chunk: Buffer) => void | Promise<void>) => (chunk: Buffer) =>
    open ? take(chunk) : undefined;
  const stdout = keepHead(STDOUT_KEPT);
  const stderr = keepTail(STDERR_KEPT);
  const reading = Promise.all([
    consume(channel, whileOpen(io.stdout ?? stdout.add)),
    consume(channel.stderr, whileOpen(linesTo(stderr.add, io.stderr))),
  ]);
  void feed(channel, io.stdin);
  const end = await watch.ended;
  // Closing a channel waits for the other side, and so does destroying it: what still comes is left alone.
  const drained = new AbortController();
  await Promise.race([reading, delay(DRAIN_MS, undefined, { signal: drained.signal })]);
  drained.abort();
  open = false;
  channel.close();
  return { ...ended(end), timedOut: watch.timedOut(), stdout: stdout.get(), stderr: stderr.get() };
}

/** A result without output. */
export function ended(part: Partial<Result>): Result {
  const empty = Buffer.alloc(0);
  return { code: null, signal: null, timedOut: false, stdout: empty, stderr: empty, ...part };
}

/** The end of a command: its exit status, else the end of the channel. Ended by force on abort or time-out. */
function watchChannel(channel: Channel, command: Command, signal: AbortSignal) {
  let timedOut = false;
  const timers: NodeJS.Timeout[] = [];
  const later = (ms: number, act: () => void) => timers.push(setTimeout(act, ms));
  const ended = new Promise<Partial<Result>>((resolve) => {
    const terminate = () => {
      // The end of its input is all that a command gets that root runs.
      channel.end();
      channel.signal('TERM');
      later(TERM_TO_KILL_MS, () => channel.signal('KILL'));
      later(TERM_TO_KILL_MS + CLOSE_MS, () => {
        channel.close();
        resolve({ signal: 'SIGKILL' });
      });
    };
    channel.on('exit', (code: number | null, by?: string) => {
      resolve(code === null ? { signal: by ?? 'unknown signal' } : { code });
    });
    channel.on('close', () => resolve({ spawnError: 'ECONNRESET' }));
    signal.addEventListener('abort', terminate, { once: true });
    if (command.timeoutMs !== undefined) {
      later(command.timeoutMs, () => {
        timedOut = true;
        terminate();
      });
    }
    channel.once('vault-end', () => signal.removeEventListener('abort', terminate));
  }).finally(() => {
    channel.emit('vault-end');
    for (const timer of timers) clearTimeout(timer);
  });
  return { ended, timedOut: () => timedOut };
}

async function consume(
  stream: AsyncIterable<unknown>,
  take: (chunk: Buffer) => void | Promise<void>,
): Promise<void> {
  try {
    for await (const chunk of stream) await take(Buffer.from(chunk as Buffer));
  } catch (error) {
    if (codeOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

async function feed(channel: Channel, source: Io['stdin']): Promise<void> {
  // Without any, it stays open: its end is a request to end.
  if (source === undefined) return;
  // A command that stops reading tells why by its own exit code.
  await pipeline(source, channel, { end: true }).catch(() => undefined);
}
