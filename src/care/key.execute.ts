import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Settings } from '../config/options.ts';
import { VaultError } from '../errors.ts';
import { succeeded, type Run } from '../exec/command.ts';
import { readIfThere } from '../exec/files.ts';
import { connectSsh } from '../exec/ssh.ts';
import { resolveClient } from '../exec/ssh-known.ts';
import { expandTokens } from '../exec/ssh-settings.ts';
import { authorizedLine, installScript, parsePublicKey } from './key.ts';

const HOOKS = new URL('../../hooks/', import.meta.url);

/** What lets vault in on a client, and nothing else: for its authorized_keys. */
export interface KeyLine {
  readonly line: string;
  readonly key: string;
  /** The public key file it is of. */
  readonly file: string;
}

/** The line for a client, with the first of our public keys that ssh would use there. Throws `config` without any. */
export async function keyLineFor(
  run: Run,
  rsh: readonly string[],
  client: string,
  vaults: readonly Settings[],
  signal: AbortSignal,
): Promise<KeyLine> {
  const { settings, login } = await resolveClient(run, rsh, client, signal);
  const tokens = { h: settings.host, r: settings.user, p: String(settings.port), d: homedir() };
  for (const name of login.identityFiles) {
    const file = `${expandTokens(name, homedir(), tokens)}.pub`;
    const key = parsePublicKey((await readIfThere(file).catch(() => undefined)) ?? '');
    if (key === undefined) continue;
    const capture = createHash('sha256')
      .update(await hookText('capture'))
      .digest('hex');
    return { line: authorizedLine(key, vaults, capture), key: key.key, file };
  }
  throw new VaultError('config', `There is no public key for ${client}.`, {
    hint: 'Make one with ssh-keygen -t ed25519, and name it in ssh_config (IdentityFile) or in the option rsh (-i).',
  });
}

/** Puts the filter and its line on the client, over a connection that still may do that. */
export async function installKey(
  run: Run,
  rsh: readonly string[],
  client: string,
  line: KeyLine,
  signal: AbortSignal,
): Promise<void> {
  const connection = await connectSsh(run, rsh, client, signal);
  try {
    const script = installScript((await hookText('ssh-filter')).toString('utf8'), line.line, line.key);
    const stdin = (async function* () {
      yield Buffer.from(script);
    })();
    const result = await connection.run({ argv: ['/bin/sh', '-s'], timeoutMs: 60_000 }, { stdin }, signal);
    if (succeeded(result) && result.stdout.toString('latin1').endsWith('installed\n')) return;
    const said = result.stderr.toString('utf8').trim().split('\n').at(-1) ?? '';
    throw new VaultError('failed', `The key could not be installed on ${client}: ${said || 'no answer'}`, {
      hint: 'Is it restricted there already? Then edit ~/.ssh/authorized_keys by hand.',
    });
  } finally {
    connection.end();
  }
}

async function hookText(name: string): Promise<Buffer> {
  return readFile(fileURLToPath(new URL(name, HOOKS)));
}
