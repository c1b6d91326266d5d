import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { freePort } from './port.ts';
import { descendants, killOne, mustSync, start, type Running } from './process.ts';
import { tempDir } from './temp.ts';

export type KeyType = 'ed25519' | 'rsa' | 'ecdsa';

export interface SshdOptions {
  /** Host keys, all of them in known_hosts; ed25519 without it. */
  readonly hostKeys?: readonly KeyType[];
  /** Those of the host keys that known_hosts has; all without it, none for an unknown host. */
  readonly known?: readonly KeyType[];
  /** Run in place of whatever the client asks for, which is in $SSH_ORIGINAL_COMMAND. */
  readonly forceCommand?: string;
  /** Drops the connection after so many bytes of a command's output (then commands that end before lose their exit code). */
  readonly cutAfterBytes?: number;
  /** PATH on the client, to hide its programs. */
  readonly path?: string;
  /** More lines for sshd_config. */
  readonly config?: readonly string[];
}

export interface Sshd {
  readonly port: number;
  /** For the `rsh` option: `ssh -F FILE`. Any host name leads here. */
  readonly rsh: string;
  /** The ssh_config of it. */
  readonly configFile: string;
  readonly knownHosts: string;
  /** A line of sshd's log, such as /^Accepted publickey/, from the start or from the last change of keys on. */
  readonly line: Running['line'];
  /** The sshd processes that serve connections. */
  readonly sessions: () => number[];
  /** Kills every connection, as if the network had gone. */
  readonly cut: () => void;
  /** The same host with new keys, which known_hosts does not have. */
  readonly changeHostKeys: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

const SERVER = '/usr/sbin/sshd';
const ATTEMPTS = 5;

/** A real sshd on a loopback port that knows one key, and an ssh_config that leads to it; gone at the end of the test. */
export async function sshd(options: SshdOptions = {}): Promise<Sshd> {
  const home = tempDir('sshd');
  const hostKeys = options.hostKeys ?? ['ed25519'];
  makeKeys(home, hostKeys);
  mustSync(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', `${home}/client`]);
  writeFileSync(`${home}/authorized_keys`, readFileSync(`${home}/client.pub`), { mode: 0o600 });
  let { port, server } = await listen(home, hostKeys, options);
  writeFileSync(`${home}/known_hosts`, knownHosts(home, options.known ?? hostKeys, port));
  writeFileSync(`${home}/ssh_config`, clientConfig(home, port));
  const sessions = () => descendants(server.pid).filter(isSshd);
  return {
    port,
    rsh: `ssh -F ${home}/ssh_config`,
    configFile: `${home}/ssh_config`,
    knownHosts: `${home}/known_hosts`,
    line: (pattern) => server.line(pattern),
    sessions,
    cut: () => {
      for (const pid of sessions()) killOne(pid, 'SIGKILL');
    },
    changeHostKeys: async () => {
      await server.stop();
      makeKeys(home, hostKeys);
      server = await launch(home);
    },
    stop: () => server.stop(),
  };
}

function makeKeys(home: string, types: readonly KeyType[]): void {
  for (const type of types) {
    rmSync(`${home}/host_${type}`, { force: true });
    mustSync(['ssh-keygen', '-q', '-t', type, '-N', '', '-C', 'host', '-f', `${home}/host_${type}`]);
  }
}

/** Another program may have taken the port between the asking and the binding. */
async function listen(home: string, hostKeys: readonly KeyType[], options: SshdOptions) {
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    writeFileSync(`${home}/sshd_config`, serverConfig(home, port, hostKeys, options));
    try {
      return { port, server: await launch(home) };
    } catch (error) {
      if (attempt === ATTEMPTS || !/Address already in use/.test(String(error))) throw error;
    }
  }
}

async function launch(home: string): Promise<Running> {
  const server = start([SERVER, '-D', '-e', '-f', `${home}/sshd_config`], { timeoutMs: 3_600_000 });
  await server.line(/^Server listening on /);
  return server;
}

function serverConfig(
  home: string,
  port: number,
  hostKeys: readonly KeyType[],
  options: SshdOptions,
): string {
  const forced = options.cutAfterBytes === undefined ? options.forceCommand : cutting(options.cutAfterBytes);
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...hostKeys.map((type) => `HostKey ${home}/host_${type}`),
    `AuthorizedKeysFile ${home}/authorized_keys`,
    'PidFile none',
    // The directories above are not all of ours alone (/tmp).
    'StrictModes no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    `UsePAM ${rootIsLocked() ? 'yes' : 'no'}`,
    'UseDNS no',
    'PrintMotd no',
    'LogLevel VERBOSE',
    'MaxStartups 100',
    ...(options.path === undefined ? [] : [`SetEnv PATH=${options.path}`]),
    ...(forced === undefined ? [] : [`ForceCommand ${forced}`]),
    ...(options.config ?? []),
    '',
  ].join('\n');
}

function cutting(bytes: number): string {
  // head keeps back what it has until it has all; dd passes on at once what comes.
  const passing = `dd bs=65536 count=${bytes} iflag=count_bytes status=none`;
  const rest = '[ "$(head -c 1 | wc -c)" -eq 0 ] || kill -9 $PPID';
  return `sh -c "$SSH_ORIGINAL_COMMAND" | { ${passing}; ${rest}; }`;
}

/** Without PAM sshd refuses an account whose password is locked, as root's often is in cloud images. */
function rootIsLocked(): boolean {
  if (process.getuid?.() !== 0) return false;
  return /^root:!/m.test(readFileSync('/etc/shadow', 'utf8'));
}

function knownHosts(home: string, types: readonly KeyType[], port: number): string {
  const key = (type: KeyType) =>
    readFileSync(`${home}/host_${type}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
  return types.map((type) => `[127.0.0.1]:${port} ${key(type)}\n`).join('');
}

function clientConfig(home: string, port: number): string {
  return `Host *
  HostName 127.0.0.1
  Port ${port}
  User ${userInfo().username}
  IdentityFile ${home}/client
  IdentitiesOnly yes
  UserKnownHostsFile ${home}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  BatchMode yes
  ControlMaster no
  ControlPath none
`;
}

function isSshd(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'sshd';
  } catch {
    return false;
  }
}
