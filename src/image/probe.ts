import { parseRsyncVersion } from './engine.ts';

/** What one look at a client tells. */
export interface ClientFacts {
  readonly rsync: readonly number[] | undefined;
  readonly hasNice: boolean;
  /** Mount points with their file system types; empty where they could not be read. */
  readonly mounts: readonly Mount[];
}

export interface Mount {
  readonly path: string;
  readonly type: string;
}

const MARK = '--vault-probe--';

/** A POSIX shell script that looks and changes nothing. The second word of the command line is rsync's name. */
export function probeScript(rsync: string): string {
  return [
    `${rsync} --version 2>/dev/null || echo "no rsync"`,
    `echo ${MARK}`,
    'command -v nice >/dev/null 2>&1 && command -v ionice >/dev/null 2>&1 && ionice -c 2 -n 7 true 2>/dev/null && echo nice',
    `echo ${MARK}`,
    'cat /proc/self/mountinfo 2>/dev/null',
    'exit 0',
  ].join('; ');
}

/** Reads what {@link probeScript} prints; undefined when something else answered (a forced command). */
export function parseProbe(text: string): (ClientFacts & { readonly rsyncMissing: boolean }) | undefined {
  const [version, nice, mountinfo] = text.split(`${MARK}\n`);
  if (version === undefined || nice === undefined || mountinfo === undefined) return undefined;
  return {
    rsync: parseRsyncVersion(version),
    rsyncMissing: /^no rsync$/m.test(version),
    hasNice: nice.includes('nice'),
    mounts: parseMountinfo(mountinfo),
  };
}

/** /proc/self/mountinfo: proc(5). Octal escapes in paths are undone. */
export function parseMountinfo(text: string): Mount[] {
  return text
    .split('\n')
    .map((line) => /^\d+ \d+ \S+ \S+ (\S+) .*? - (\S+) /.exec(line))
    .filter((match) => match !== null)
    .map(([, path = '', type = '']) => ({
      path: path.replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
      type,
    }));
}

/** File systems of the kernel's own, without anything to keep. */
const PSEUDO = new Set(
  `autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs fusectl hugetlbfs mqueue nsfs proc
  pstore ramfs rpc_pipefs securityfs selinuxfs sysfs tmpfs tracefs`.split(/\s+/),
);

/** The mounts below a tree that staying on one file system leaves out. */
export function leftOutBy(tree: string, mounts: readonly Mount[]): string[] {
  const base = tree === '/' ? '/' : `${tree}/`;
  const below = mounts.filter(
    (mount) => mount.path !== tree && mount.path.startsWith(base) && !PSEUDO.has(mount.type),
  );
  return [...new Set(below.map((mount) => mount.path))].sort();
}
