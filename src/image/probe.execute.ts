import { readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { commandLine, describeEnd, shellQuote, succeeded, type Result, type Run } from '../exec/command.ts';
import { VaultError } from '../errors.ts';
import { parseRsyncVersion } from './engine.ts';
import { parseMountinfo, parseProbe, probeScript, type ClientFacts } from './probe.ts';
import { strictRsh, type Source } from './rsync.ts';

const PROBE_TIMEOUT_MS = 120_000;

/** The version of this machine's rsync. Fails (`failed`) when there is none. */
export async function probeServer(run: Run, rsync: readonly string[], signal: AbortSignal) {
  const result = await run({ argv: [...rsync, '--version'], timeoutMs: PROBE_TIMEOUT_MS }, {}, signal);
  if (result.spawnError !== undefined) {
    throw new VaultError(
      'failed',
      `${rsync.join(' ')} cannot be started on this machine (${result.spawnError}).`,
      {
        hint: 'Install rsync, or name it with the option `rsync`.',
      },
    );
  }
  return parseRsyncVersion(result.stdout.toString());
}

/**
 * One look at the client before anything else: is it there, is its key the known one, has it rsync, what is mounted.
 * Fails with `unreachable`, or `failed` where rsync is missing.
 */
export async function probeClient(
  run: Run,
  source: Source,
  rsh: readonly string[],
  rsync: string,
  signal: AbortSignal,
): Promise<ClientFacts> {
  if (source.kind === 'daemon') return { rsync: undefined, hasNice: false, mounts: [] };
  if (source.kind === 'local') {
    const mounts = parseMountinfo(await readFile('/proc/self/mountinfo', 'utf8').catch(() => ''));
    return { rsync: undefined, hasNice: false, mounts };
  }
  const argv = [...strictRsh(rsh), source.client, `sh -c ${shellQuote(probeScript(rsync))}`];
  const result = await run({ argv, timeoutMs: PROBE_TIMEOUT_MS }, {}, signal);
  if (signal.aborted) throw new VaultError('interrupted', `Interrupted while reaching ${source.client}.`);
  if (result.code === 255 || result.timedOut || result.spawnError !== undefined) {
    const error = unreachable(source, rsh, result);
    throw /host key/.test(error.message) ? await keyError(run, rsh, source.client, signal, error) : error;
  }
  const facts = succeeded(result) ? parseProbe(result.stdout.toString()) : undefined;
  if (facts?.rsyncMissing) {
    throw new VaultError(
      'failed',
      `Client ${source.client} has no ${rsync} (or it is not in the path of ssh).`,
      {
        hint: 'Install rsync there, or say where it is with the option `rsync-client`.',
      },
    );
  }
  // A forced command that allows rsync only answers the probe with something else: then nothing is known.
  return facts ?? { rsync: undefined, hasNice: false, mounts: [] };
}

/** ssh tells one of the two fingerprints at most; a look of our own at the key tells both. */
async function keyError(
  run: Run,
  rsh: readonly string[],
  client: string,
  signal: AbortSignal,
  said: VaultError,
): Promise<VaultError> {
  const { connectSsh } = await import('../exec/ssh.ts');
  try {
    (await connectSsh(run, rsh, client, signal)).end();
    return said;
  } catch (error) {
    return error instanceof VaultError && /host key/.test(error.message) ? error : said;
  }
}

function unreachable(source: Source, rsh: readonly string[], result: Result): VaultError {
  const said = result.stderr.toString('latin1').trim();
  const last = said.split('\n').at(-1) ?? '';
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(said)) {
    const seen = /SHA256:[A-Za-z0-9+/=]+/.exec(said)?.[0] ?? '';
    return new VaultError(
      'unreachable',
      `The host key of ${source.client} has changed (now ${seen}): nothing was read.`,
      {
        hint: `If the change is genuine: vault trust ${source.client} --replace`,
      },
    );
  }
  if (/Host key verification failed/.test(said)) {
    return new VaultError('unreachable', `The host key of ${source.client} is not known.`, {
      hint: `Compare and accept it with: vault trust ${source.client}`,
    });
  }
  const why = result.timedOut ? 'no answer in time' : last || describeEnd(result);
  return new VaultError('unreachable', `Client ${source.client} cannot be reached: ${why}`, {
    hint: `Try by hand: ${commandLine([...rsh, source.client, 'true'])}`,
  });
}

/** A name for the client's lock: the same for every spelling that leads ssh to the same user, host and port. */
export async function clientKey(
  run: Run,
  source: Source,
  rsh: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  let identity = source.kind === 'local' ? 'local' : source.client;
  if (source.kind === 'ssh') {
    const result = await run(
      { argv: [...strictRsh(rsh), '-G', source.client], timeoutMs: PROBE_TIMEOUT_MS },
      {},
      signal,
    );
    const settings = result.stdout.toString().split('\n');
    const wanted = settings.filter((line) => /^(user|hostname|port) /.test(line));
    if (succeeded(result) && wanted.length > 0) identity = wanted.sort().join('\n');
  }
  return createHash('sha256').update(identity).digest('hex').slice(0, 24);
}
