import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { VaultError } from '../errors.ts';
import { commandLine, type Result, type Run } from '../exec/command.ts';
import { readIfThere, syncDirectory, writeDurably } from '../exec/files.ts';
import { parseKeys, type HostKey, type KnownKey } from '../exec/host-keys.ts';
import { reasonOf } from '../exec/ssh-known.ts';
import type { SshSettings } from '../exec/ssh-settings.ts';
import { knownHostsLines, withoutHost } from './trust.ts';

const SCAN_SECONDS = 15;
const SALT_BYTES = 20;

/** The host keys that the client offers at this moment. Fails with kind `unreachable`. */
export async function offeredKeys(
  run: Run,
  rsh: readonly string[],
  client: string,
  settings: SshSettings,
  signal: AbortSignal,
): Promise<readonly HostKey[]> {
  const [keys, result] = settings.proxied
    ? await keysThroughProxy(run, rsh, client, signal)
    : await scannedKeys(run, settings, signal);
  signal.throwIfAborted();
  if (keys.length > 0) return keys;
  throw new VaultError(
    'unreachable',
    `${client} (${settings.host}, port ${settings.port}) shows no SSH host key: ${reasonOf(result)}.`,
    { hint: `Is it switched on, and does "${commandLine([...rsh, client])}" reach it?` },
  );
}

async function scannedKeys(
  run: Run,
  settings: SshSettings,
  signal: AbortSignal,
): Promise<[readonly HostKey[], Result]> {
  const argv = ['ssh-keyscan', '-T', String(SCAN_SECONDS), '-p', String(settings.port), '--', settings.host];
  const result = await run({ argv, timeoutMs: 4 * SCAN_SECONDS * 1000 }, {}, signal);
  return [parseKeys(result.stdout.toString('utf8')), result];
}

/** ssh-keyscan knows no proxies: ssh itself notes the key in a file for us, and then logs in to nothing. */
async function keysThroughProxy(
  run: Run,
  rsh: readonly string[],
  client: string,
  signal: AbortSignal,
): Promise<[readonly HostKey[], Result]> {
  const directory = await mkdtemp(join(tmpdir(), 'vault-trust-'));
  try {
    const file = join(directory, 'known_hosts');
    const settings = [
      'StrictHostKeyChecking=accept-new',
      `UserKnownHostsFile=${file}`,
      'GlobalKnownHostsFile=/dev/null',
      'HashKnownHosts=no',
      'PreferredAuthentications=none',
      'BatchMode=yes',
      'ControlPath=none',
      `ConnectTimeout=${SCAN_SECONDS}`,
    ];
    const [program = 'ssh', ...own] = rsh;
    const argv = [program, ...settings.flatMap((each) => ['-o', each]), ...own, '--', client, 'true'];
    const result = await run({ argv, timeoutMs: 4 * SCAN_SECONDS * 1000 }, {}, signal);
    return [parseKeys((await readIfThere(file)) ?? ''), result];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Takes old keys out and puts new ones into the first of the user's files. Gives its name. All of it durable. */
export async function writeTrust(
  settings: SshSettings,
  keys: readonly HostKey[],
  old: readonly KnownKey[],
): Promise<string> {
  const [target] = settings.userKnownHosts;
  if (target === undefined) {
    throw new VaultError('config', 'ssh is configured to keep no known hosts.', {
      hint: 'Set UserKnownHostsFile in ssh_config, or in the option rsh.',
    });
  }
  const foreign = old.find((each) => !settings.userKnownHosts.includes(each.file));
  if (foreign !== undefined) {
    throw new VaultError('refused', `${foreign.file}:${foreign.line} has the old key, for all users.`, {
      hint: 'Take this line out by hand; then run vault trust again.',
    });
  }
  for (const file of new Set(old.map((each) => each.file))) {
    const real = await realpath(file);
    const lines = old.filter((each) => each.file === file).map((each) => each.line);
    const text = withoutHost(await readFile(real, 'utf8'), file, settings.knownAs, lines);
    await writeDurably(real, text, (await stat(real)).mode & 0o7777);
  }
  const salt = settings.hashed ? randomBytes(SALT_BYTES) : undefined;
  await append(target, knownHostsLines(settings.knownAs, keys, salt));
  return target;
}

/** ssh may add lines of its own at the same moment: append, never rewrite. */
async function append(file: string, lines: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
  try {
    const { size } = await handle.stat();
    const last = Buffer.from('\n');
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    await handle.writeFile(last.toString('latin1') === '\n' ? lines : `\n${lines}`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncDirectory(dirname(file));
}
