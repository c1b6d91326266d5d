import { readFile } from 'node:fs/promises';
import { homedir, hostname, userInfo } from 'node:os';
import ssh2, {
  type AnyAuthMethod,
  type Client,
  type ClientChannel,
  type ConnectConfig,
  type OpenSSHAgent,
  type ParsedKey,
  type PublicKeyEntry,
} from 'ssh2';
import { messageOf, VaultError } from '../errors.ts';
import { remoteLine, type Command, type Io, type Result, type Run } from './command.ts';
import { readIfThere } from './files.ts';
import { algorithmsFor, checkKey } from './host-check.ts';
import { runPipe, type Pipe } from './run.ts';
import { ended, runOnChannel } from './ssh-channel.ts';
import { knownKeys, resolveClient } from './ssh-known.ts';
import { expandTokens, jumpArgv, type SshLogin, type SshSettings, type Tokens } from './ssh-settings.ts';

const CONNECT_SECONDS = 30;
const HANG_UP_MS = 1_000;
const ALIVE_MS = 15_000;
const ALIVE_COUNT = 4;
/** A connection to a client: runs commands there as `run` does here, and in the same way reaches the same host. */
export interface SshConnection {
  readonly run: Run;
  /** Whether the connection has broken meanwhile. */
  isLost(): boolean;
  end(): void;
}

/**
 * Connects to a client as `ssh` with these options would, without asking anybody anything. Throws `unreachable`, also
 * for a host key that is not the known one.
 */
export async function connectSsh(
  run: Run,
  rsh: readonly string[],
  client: string,
  signal: AbortSignal,
): Promise<SshConnection> {
  const { settings, login } = await resolveClient(run, rsh, client, signal);
  const known = await knownKeys(run, settings, signal);
  const tokens = tokensOf(settings, client);
  const proxy = openProxy(rsh, settings, login, tokens, signal);
  const verdict: { error?: VaultError } = {};
  const timeout = (login.connectTimeout ?? CONNECT_SECONDS) * 1000;
  const config: ConnectConfig = {
    host: settings.host,
    port: settings.port,
    username: settings.user,
    ...(proxy === undefined ? {} : { sock: proxy.stream }),
    algorithms: { serverHostKey: algorithmsFor(known) },
    hostVerifier: (key: Buffer) => {
      const error = checkKey(client, key, known);
      if (error !== undefined) verdict.error = error;
      return error === undefined;
    },
    authHandler: await authMethods(settings, login, tokens),
    readyTimeout: timeout,
    keepaliveInterval: ALIVE_MS,
    keepaliveCountMax: ALIVE_COUNT,
  };
  try {
    return await connect(config, proxy, signal);
  } catch (error) {
    proxy?.close();
    if (signal.aborted) throw new VaultError('interrupted', `Interrupted while reaching ${client}.`);
    throw verdict.error ?? unreachable(client, settings, error, proxy);
  }
}

function connect(
  config: ConnectConfig,
  proxy: Pipe | undefined,
  signal: AbortSignal,
): Promise<SshConnection> {
  const client = new ssh2.Client();
  let lost = false;
  return new Promise((resolve, reject) => {
    const abort = () => {
      client.destroy();
      reject(new Error('interrupted'));
    };
    signal.addEventListener('abort', abort, { once: true });
    client.on('error', reject);
    client.on('close', () => {
      lost = true;
      proxy?.close();
      reject(new Error('the connection was closed'));
    });
    client.on('ready', () => {
      signal.removeEventListener('abort', abort);
      const end = () => {
        client.end();
        proxy?.close();
        // A server that does not hang up, because something there is still running, must not keep us.
        setTimeout(() => client.destroy(), HANG_UP_MS).unref();
      };
      resolve({ run: (command, io, stop) => remoteRun(client, command, io, stop), isLost: () => lost, end });
    });
    client.connect(config);
  });
}

function unreachable(
  client: string,
  settings: SshSettings,
  error: unknown,
  proxy: Pipe | undefined,
): VaultError {
  const said = proxy?.said() ?? '';
  const message = messageOf(error).replace(/\.$/, '');
  const why = /All configured authentication methods failed/.test(message)
    ? `it accepts none of our keys for ${settings.user}`
    : message;
  return new VaultError(
    'unreachable',
    `Client ${client} cannot be reached for hooks: ${why}${said === '' ? '' : ` (${said.split('\n').at(-1)})`}.`,
    {
      hint: 'Keys without a passphrase and those of an agent are tried, as ssh -G tells them.',
      cause: error,
    },
  );
}

function tokensOf(settings: SshSettings, client: string): Tokens {
  const { username, uid, homedir: home } = userInfo();
  const short = hostname().split('.')[0] ?? '';
  return {
    h: settings.host,
    n: client.replace(/^.*@/, ''),
    p: String(settings.port),
    r: settings.user,
    u: username,
    i: String(uid),
    d: home,
    l: hostname(),
    L: short,
    k: settings.knownAs,
  };
}

function openProxy(
  rsh: readonly string[],
  settings: SshSettings,
  login: SshLogin,
  tokens: Tokens,
  signal: AbortSignal,
): Pipe | undefined {
  if (login.proxyJump !== undefined) {
    return runPipe(jumpArgv(rsh, login.proxyJump, settings.host, settings.port), signal);
  }
  if (login.proxyCommand === undefined) return undefined;
  const command = expandTokens(login.proxyCommand, homedir(), tokens);
  return runPipe(['/bin/sh', '-c', `exec ${command}`], signal);
}

/** Keys of an agent first, as ssh has it; then the identity files that need no passphrase. */
async function authMethods(settings: SshSettings, login: SshLogin, tokens: Tokens): Promise<AnyAuthMethod[]> {
  const username = settings.user;
  const files = login.identityFiles.map((file) => expandTokens(file, homedir(), tokens));
  const methods: AnyAuthMethod[] = [];
  const socket = agentSocket(login, tokens);
  if (socket !== undefined) {
    const only = login.identitiesOnly ? await publicKeys(files) : undefined;
    methods.push({ type: 'agent', username, agent: agentWith(socket, only) });
  }
  for (const file of files) {
    const key = await privateKey(file);
    if (key !== undefined) methods.push({ type: 'publickey', username, key });
  }
  return methods.length === 0 ? [{ type: 'none', username }] : methods;
}

function agentSocket(login: SshLogin, tokens: Tokens): string | undefined {
  const named = login.identityAgent;
  if (named === 'none') return undefined;
  const variable = named === undefined ? 'SSH_AUTH_SOCK' : /^\$?([A-Z_][A-Z0-9_]*)$/.exec(named)?.[1];
  if (variable !== undefined) return process.env[variable] || undefined;
  return expandTokens(named ?? '', homedir(), tokens);
}

/** An agent of which only some keys are tried: servers give up on who offers too many. */
function agentWith(socket: string, only: readonly string[] | undefined): OpenSSHAgent {
  const agent = new ssh2.OpenSSHAgent(socket);
  const all = agent.getIdentities.bind(agent);
  agent.getIdentities = (callback) => {
    all((error, keys) => {
      // An agent that is not there is no reason to give up: there are files, too.
      if (error || keys === undefined) return callback(undefined, []);
      const chosen = only === undefined ? keys : keys.filter((key) => only.includes(blobOf(key)));
      return callback(undefined, chosen);
    });
  };
  return agent;
}

function blobOf(key: ParsedKey | PublicKeyEntry): string {
  const parsed = 'pubKey' in key ? key.pubKey : key;
  return typeof parsed === 'object' && 'getPublicSSH' in parsed
    ? parsed.getPublicSSH().toString('base64')
    : '';
}

async function publicKeys(files: readonly string[]): Promise<readonly string[]> {
  const texts = await Promise.all(files.map((file) => readIfThere(`${file}.pub`).catch(() => undefined)));
  return texts.flatMap((text) => text?.split(/\s+/)[1] ?? []);
}

async function privateKey(file: string): Promise<ParsedKey | undefined> {
  const text = await readFile(file).catch(() => undefined);
  if (text === undefined) return undefined;
  const key = ssh2.utils.parseKey(text);
  return key instanceof Error || !key.isPrivateKey() ? undefined : key;
}

async function remoteRun(client: Client, command: Command, io: Io, signal: AbortSignal): Promise<Result> {
  if (signal.aborted) return ended({ signal: 'SIGTERM' });
  if (command.cwd !== undefined) throw new Error('a remote command has no cwd');
  const channel = await openChannel(client, remoteLine(command));
  if (channel === undefined) return ended({ spawnError: 'ECONNRESET' });
  return runOnChannel(channel, command, io, signal);
}

function openChannel(client: Client, line: string): Promise<ClientChannel | undefined> {
  return new Promise((resolve) => {
    const lost = () => resolve(undefined);
    client.once('close', lost);
    try {
      client.exec(line, (error, channel) => {
        client.off('close', lost);
        resolve(error ? undefined : channel);
      });
    } catch {
      lost();
    }
  });
}
