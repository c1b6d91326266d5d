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

function fileList(value: string | undefined): readonly string[] {
  return (value ?? '').split(' ').filter((file) => file !== '' && file !== 'none' && file !== '/dev/null');
}
