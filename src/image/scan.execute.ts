import { randomBytes } from 'node:crypto';
import { appender } from '../exec/files.ts';
import { commandLine, type Io } from '../exec/command.ts';
import { inVault, type Means } from './means.ts';
import { judgeEnd, type RsyncEnd } from './outcome.ts';
import { rshEnvironment, type RsyncSetup } from './rsync.ts';
import { encodeChange, lineCutter, parseLine, parseTotals, type Change, type Totals } from './scan.ts';
import { scanArgv, type ScanRequest } from './rsync.ts';
import { tallier, type Tally } from './tally.ts';

/** More messages than this of one rsync are counted, not kept. */
const MESSAGES_KEPT = 20_000;

export interface Listing {
  readonly command: string;
  readonly end: RsyncEnd;
  readonly tally: Tally;
  readonly totals: Totals | undefined;
  /** rsync's stderr, line by line (latin1). */
  readonly messages: readonly string[];
  /** How many more messages there were than could be kept. */
  readonly dropped: number;
  /** What else it printed: statistics. */
  readonly remarks: readonly string[];
}

/** A random word that starts each line of a list. */
export function newNonce(): string {
  return randomBytes(9).toString('base64url');
}

/**
 * Runs an rsync that prints a list in our format: every change goes to `onChange` (and is counted) as it comes,
 * with back-pressure through `drain`.
 */
export async function runListing(
  means: Means,
  setup: RsyncSetup,
  argv: readonly string[],
  nonce: string,
  handlers: { onChange: (change: Change) => void; drain?: () => Promise<void>; stdin?: Io['stdin'] },
): Promise<Listing> {
  const counts = tallier();
  const remarks: string[] = [];
  const messages: string[] = [];
  let dropped = 0;
  let broken: unknown;
  const cut = lineCutter((line) => {
    const change = parseLine(line, nonce);
    if (change === undefined) keep(remarks, line);
    else {
      counts.add(change);
      handlers.onChange(change);
    }
  });
  // A list that leads out of the tree ends the run: rsync's own end tells nothing then.
  const stop = new AbortController();
  const take = async (chunk: Buffer | undefined) => {
    try {
      cut(chunk);
      await handlers.drain?.();
    } catch (error) {
      broken ??= error;
      stop.abort();
    }
  };
  const command = { ...inVault(means, argv), env: rshEnvironment(setup) };
  const io: Io = {
    stdout: take,
    stderr: (line) => {
      if (!keep(messages, line)) dropped += 1;
    },
    ...(handlers.stdin ? { stdin: handlers.stdin } : {}),
  };
  const result = await means.run(command, io, AbortSignal.any([means.signal, stop.signal]));
  await take(undefined);
  if (broken !== undefined) throw broken;
  return {
    command: commandLine(argv),
    end: judgeEnd(result, messages, means.signal.aborted),
    tally: counts.get(),
    totals: parseTotals(remarks),
    messages,
    dropped,
    remarks,
  };
}

/** Keeps a line while there is room; gives false where there is none. */
function keep(list: string[], line: Buffer): boolean {
  if (line.length === 0) return true;
  if (list.length >= MESSAGES_KEPT) return false;
  list.push(line.toString('latin1').trimEnd());
  return true;
}

/** Scans the source against a reference and spools the changes to a file (none for a dry run). */
export async function scan(
  means: Means,
  setup: RsyncSetup,
  request: ScanRequest,
  options: { spool: string | undefined; stdin?: Io['stdin'] },
): Promise<Listing> {
  const nonce = newNonce();
  const spool =
    options.spool === undefined ? undefined : await appender(means.vault.at(options.spool), 0o600);
  let seen = 0;
  let bytes = 0;
  try {
    return await runListing(means, setup, scanArgv(setup, request, nonce), nonce, {
      onChange: (change) => {
        seen += 1;
        bytes += change.size;
        spool?.add(encodeChange(change));
        if (seen % 512 === 0) means.progress.update(seen, bytes);
      },
      ...(spool ? { drain: spool.drain } : {}),
      ...(options.stdin ? { stdin: options.stdin } : {}),
    });
  } finally {
    await spool?.close();
  }
}
