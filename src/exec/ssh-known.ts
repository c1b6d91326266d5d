import { VaultError } from '../errors.ts';
import { commandLine, describeEnd, succeeded, type Result, type Run } from './command.ts';
import { readIfThere } from './files.ts';
import { parseFound, type KnownKey } from './host-keys.ts';
import {
  parseSshLogin,
  parseSshSettings,
  sshSettingsArgv,
  type SshLogin,
  type SshSettings,
} from './ssh-settings.ts';

/** How ssh reaches a client with this remote shell, and logs in. Fails with kind `config`. */
export async function resolveClient(
  run: Run,
  rsh: readonly string[],
  client: string,
  signal: AbortSignal,
): Promise<{ readonly settings: SshSettings; readonly login: SshLogin }> {
  const argv = sshSettingsArgv(rsh, client);
  const result = await run({ argv }, {}, signal);
  const text = result.stdout.toString('utf8');
  const settings = succeeded(result) ? parseSshSettings(text) : undefined;
  if (settings !== undefined) return { settings, login: parseSshLogin(text) };
  signal.throwIfAborted();
  throw new VaultError(
    'config',
    `"${commandLine(argv)}" does not tell how to reach ${client}: ${reasonOf(result)}.`,
    {
      hint: 'The option rsh must name OpenSSH, with options of its own if need be.',
    },
  );
}

/** All that the user's and the system's known_hosts files have for the client. */
export async function knownKeys(
  run: Run,
  settings: SshSettings,
  signal: AbortSignal,
): Promise<readonly KnownKey[]> {
  const known: KnownKey[] = [];
  for (const file of [...settings.userKnownHosts, ...settings.globalKnownHosts]) {
    if ((await readIfThere(file)) === undefined) continue;
    const result = await run({ argv: ['ssh-keygen', '-F', settings.knownAs, '-f', file] }, {}, signal);
    known.push(...parseFound(result.stdout.toString('utf8'), file));
  }
  signal.throwIfAborted();
  return known;
}

/** What a program said before it failed, in one line; else how it ended. */
export function reasonOf(result: Result): string {
  const said = result.stderr.toString('utf8').split('\n');
  const lines = said.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length > 0) return [...new Set(lines)].join('; ').replace(/\.$/, '');
  return result.code === 1 || result.code === 0 ? 'no answer' : describeEnd(result);
}
