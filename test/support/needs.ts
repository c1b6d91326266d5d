import { accessSync, constants, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { beforeEach } from 'vitest';
import { searchPath } from './process.ts';

const mount = () => (succeeds('unshare', '--mount', 'true') ? undefined : 'may not mount');
const loop = () => mount() ?? (succeeds('losetup', '--find') ? undefined : 'no loop devices');

const CHECKS = {
  root: () => (process.getuid?.() === 0 ? undefined : 'not root'),
  mount,
  namespace: () =>
    succeeds('unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'true')
      ? undefined
      : 'may not make namespaces',
  loop,
  ext4: () => loop() ?? fileSystem('ext4') ?? program('mkfs.ext4'),
  xfs: () => loop() ?? fileSystem('xfs') ?? program('mkfs.xfs'),
  btrfs: () => loop() ?? fileSystem('btrfs') ?? program('mkfs.btrfs'),
  sshd: () => program('ssh') ?? program('sshd') ?? loginShell(),
  rsync: () => program('rsync'),
  dirvish: () => mount() ?? program('dirvish'),
  rsnapshot: () => program('rsnapshot'),
  strace: () => (succeeds('strace', '-o', '/dev/null', 'true') ? undefined : 'strace does not work'),
  faketime: () => program('faketime'),
  gcc: () => program('gcc'),
  xattr: () => program('getfattr') ?? program('setfattr'),
  acl: () => program('getfacl') ?? program('setfacl'),
  sfdisk: () => program('sfdisk'),
  'mkfs.vfat': () => program('mkfs.vfat'),
  sqlite: () => program('sqlite3'),
  postgres: () => postgres(),
  mariadb: () => program('mariadbd'),
  shellcheck: () => program('shellcheck'),
  busybox: () => program('busybox'),
  git: () => program('git'),
  xxhash: () => program('xxh128sum'),
  perl: () =>
    succeeds('perl', '-MTime::Period', '-MTime::ParseDate', '-e1')
      ? undefined
      : 'no Time::Period or Time::ParseDate for Perl',
} satisfies Record<string, () => string | undefined>;

export type Need = keyof typeof CHECKS;

/** Why a test that needs these can't run here; undefined when it can. */
export function lacks(...needs: readonly Need[]): string | undefined {
  const reasons = needs.flatMap((need) => {
    const reason = CHECKS[need]();
    return reason === undefined ? [] : [`needs ${need}: ${reason}`];
  });
  return reasons.length === 0 ? undefined : reasons.join('; ');
}

/**
 * At the top of a file or a `describe`: where something is lacking, its tests are skipped, with the reason printed
 * at the end of the run. With CI=true lacking is a failure. The result guards a `beforeAll`, which runs all the same.
 */
export function needs(...names: readonly Need[]): boolean {
  const reason = lacks(...names);
  if (reason === undefined) return true;
  if (process.env['CI'] === 'true') throw new Error(`CI has to provide everything, but ${reason}`);
  beforeEach((context) => context.skip(reason));
  return false;
}

function succeeds(file: string, ...args: string[]): boolean {
  return spawnSync(file, args, { stdio: 'ignore', env: { ...process.env, PATH: searchPath() } }).status === 0;
}

/** sshd lets in only accounts that may log in. */
function loginShell(): string | undefined {
  return /\/(nologin|false)$/.test(userInfo().shell ?? '') ? 'the account has no login shell' : undefined;
}

/** Debian keeps its programs out of the path. */
function postgres(): string | undefined {
  return succeeds('sh', '-c', 'ls /usr/lib/postgresql/*/bin/initdb')
    ? undefined
    : 'postgresql is not installed';
}

function program(name: string): string | undefined {
  const found = searchPath()
    .split(':')
    .some((directory) => {
      try {
        accessSync(`${directory}/${name}`, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
  return found ? undefined : `${name} is not installed`;
}

function fileSystem(name: string): string | undefined {
  const known = () => new RegExp(`\\b${name}$`, 'm').test(readFileSync('/proc/filesystems', 'utf8'));
  if (known() || (succeeds('modprobe', name) && known())) return undefined;
  return `the kernel has no ${name}`;
}
