/** How OpenSSH would reach a host, as `ssh -G` tells it: the one source for rsync, hooks, locks and trust. Pure. */
export interface SshSettings {
  /** The real host name or address. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The name that known_hosts has its keys under: `host`, `[host]:2222` or an alias. */
  readonly knownAs: string;
  /** Where the user's known keys are; new ones go into the first. */
  readonly userKnownHosts: readonly string[];
  readonly globalKnownHosts: readonly string[];
  /** Whether names are to be hashed in known_hosts. */
  readonly hashed: boolean;
  /** Whether the way leads through a proxy, so that the host itself cannot be asked directly. */
  readonly proxied: boolean;
}

/** What a program that speaks SSH by itself needs to go OpenSSH's way. Names of files as written, with `~` and `%`. */
export interface SshLogin {
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** A socket, `SSH_AUTH_SOCK`, `$VARIABLE` or `none`; undefined for the usual. */
  readonly identityAgent: string | undefined;
  readonly proxyJump: string | undefined;
  readonly proxyCommand: string | undefined;
  /** Seconds; undefined for no limit. */
  readonly connectTimeout: number | undefined;
}

/** The command whose output `parseSshSettings` reads. `rsh` is the remote shell with its options. */
export function sshSettingsArgv(rsh: readonly string[], client: string): readonly string[] {
  return [...rsh, '-G', '--', client];
}

/** Reads what `ssh -G` prints; undefined where it is not that. */
export function parseSshSettings(text: string): SshSettings | undefined {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    const name = line.slice(0, space);
    // The first value counts, as it does for ssh.
    if (space > 0 && !values.has(name)) values.set(name, line.slice(space + 1));
  }
  const host = values.get('hostname');
  const port = Number(values.get('port'));
  if (host === undefined || !Number.isInteger(port)) return undefined;
  const alias = values.get('hostkeyalias');
  const isSet = (name: string) => (values.get(name) ?? 'none') !== 'none';
  return {
    host,
    port,
    user: values.get('user') ?? '',
    knownAs: alias ?? (port === 22 ? host : `[${host}]:${port}`),
    userKnownHosts: fileList(values.get('userknownhostsfile')),
    globalKnownHosts: fileList(values.get('globalknownhostsfile')),
    hashed: values.get('hashknownhosts') === 'yes',
    proxied: isSet('proxyjump') || isSet('proxycommand'),
  };
}

/** Reads the rest of what `ssh -G` prints. */
export function parseSshLogin(text: string): SshLogin {
  const lines = text.split('\n').map((line) => [line.slice(0, line.indexOf(' ')), line] as const);
  const all = (name: string) =>
    lines.flatMap(([each, line]) => (each === name ? [line.slice(name.length + 1)] : []));
  const set = (name: string) => all(name).find((value) => value !== 'none');
  const timeout = Number(set('connecttimeout') ?? Number.NaN);
  return {
    identityFiles: all('identityfile').filter((file) => file !== 'none'),
    identitiesOnly: all('identitiesonly')[0] === 'yes',
    identityAgent: all('identityagent')[0],
    proxyJump: set('proxyjump'),
    proxyCommand: set('proxycommand'),
    connectTimeout: Number.isFinite(timeout) && timeout > 0 ? timeout : undefined,
  };
}

/** Names and their meanings in the texts of ssh_config: `h` for `%h`. */
export type Tokens = Readonly<Record<string, string>>;

/** A file name or command of ssh_config with `~/` and `%` tokens replaced; unknown ones stay. */
export function expandTokens(text: string, home: string, tokens: Tokens): string {
  const whole = text.startsWith('~/') ? `${home}${text.slice(1)}` : text;
  return whole.replace(/%(.)/g, (all, letter: string) => (letter === '%' ? '%' : (tokens[letter] ?? all)));
}

/** Of the remote shell's own options, those that name its configuration: proxies are reached by the same. */
function configOptions(rsh: readonly string[]): string[] {
  return rsh.flatMap((word, at) => {
    if (word === '-F') return ['-F', rsh[at + 1] ?? ''];
    return word.startsWith('-F') ? [word] : [];
  });
}

/**
 * The command whose input and output lead to the client's SSH port through a ProxyJump, as OpenSSH starts it:
 * the last jump host connects, and the ones before lead to it.
 */
export function jumpArgv(rsh: readonly string[], jumps: string, host: string, port: number): string[] {
  const hops = jumps.split(',');
  const last = hops.at(-1) ?? '';
  const [, user, name = last, at] =
    /^(?:ssh:\/\/)?(?:(.*)@)?(\[[^\]]+\]|[^:@]+)(?::(\d+))?\/?$/.exec(last) ?? [];
  const before = hops.slice(0, -1).join(',');
  return [
    rsh[0] ?? 'ssh',
    ...['BatchMode=yes', 'StrictHostKeyChecking=yes'].flatMap((each) => ['-o', each]),
    ...configOptions(rsh),
    ...(before === '' ? [] : ['-J', before]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(at === undefined ? [] : ['-p', at]),
    '-W',
    `[${host}]:${port}`,
    '--',
    name.replace(/^\[|\]$/g, ''),
  ];
}

function fileList(value: string | undefined): readonly string[] {
  return (value ?? '').split(' ').filter((file) => file !== '' && file !== 'none' && file !== '/dev/null');
}
