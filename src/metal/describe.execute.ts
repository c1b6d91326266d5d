import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { VaultError } from '../errors.ts';
import { describeEnd, type Run } from '../exec/command.ts';
import { formatRfc3339 } from '../time/local.ts';
import { describeMachine } from './describe.ts';
import { machineSchema, type Machine } from './describe-schema.ts';
import { parseSections } from './describe-sections.ts';

const SCRIPT = new URL('../../hooks/capture', import.meta.url);
const TIMEOUT_MS = 20 * 60_000;
/** Package lists and LUKS headers make megabytes; more than this is not what was asked for. */
const MOST_BYTES = 128 * 1024 * 1024;

export interface CaptureOptions {
  /** `capture-command`: what starts the script. */
  readonly command: readonly string[];
  readonly luksHeaders: boolean;
  /** Look at the inode flags of all files. */
  readonly flags: boolean;
  /** Only these disks; all for none. */
  readonly disks: readonly string[];
}

/** The script that collects everything: it is sent to the client, and nothing is left there. */
export async function captureScript(): Promise<Buffer> {
  return readFile(fileURLToPath(SCRIPT));
}

/**
 * Asks a machine, through `run`, for all that a rebuild of its disks needs. `now` is in seconds since the epoch. Throws
 * `failed` when nothing usable comes back; whatever part of it can't be told is in the result.
 */
export async function captureMachine(
  run: Run,
  client: string,
  options: CaptureOptions,
  now: number,
  signal: AbortSignal,
): Promise<Machine> {
  const script = await captureScript();
  const chunks: Buffer[] = [];
  let size = 0;
  const stdout = (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MOST_BYTES) chunks.push(chunk);
  };
  const stdin = (async function* () {
    yield script;
  })();
  const command = { argv: captureArgv(options), timeoutMs: TIMEOUT_MS };
  const result = await run(command, { stdin, stdout }, signal);
  if (signal.aborted) throw new VaultError('interrupted', `Interrupted while capturing ${client}.`);
  if (size > MOST_BYTES) throw new VaultError('failed', `Capturing ${client}: it prints without end.`);
  const sections = parseSections(Buffer.concat(chunks).toString('utf8'));
  if (sections !== undefined && (sections.whole || sections.sections.length > 0)) {
    return machineSchema.parse(describeMachine(client, formatRfc3339(now, 'UTC'), sections));
  }
  const said = result.stderr.toString('utf8').trim().split('\n').at(-1) ?? '';
  const end = result.spawnError === 'ECONNRESET' ? 'the connection was lost' : describeEnd(result);
  throw new VaultError('failed', `Capturing ${client}: ${said === '' ? end : `${said} (${end})`}.`, {
    hint: `Try by hand: ssh ${client} sh < ${fileURLToPath(SCRIPT)}`,
  });
}

function captureArgv({ command, luksHeaders, flags, disks }: CaptureOptions): readonly string[] {
  const args = [...(luksHeaders ? ['--luks-headers'] : []), ...(flags ? [] : ['--no-flags']), ...disks];
  // What follows `sh -s` would be options of the shell.
  const divider = args.length > 0 && command.at(-1) === '-s' ? ['--'] : [];
  return [...command, ...divider, ...args];
}
