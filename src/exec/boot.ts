import { randomUUID } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename } from 'node:path';

/** The kernel's id of this boot: what was written before another one may be half on the disk. */
export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/** When this machine was started, in seconds since the epoch. */
export async function bootTime(): Promise<number> {
  const text = await readFile('/proc/stat', 'utf8');
  return Number(/^btime (\d+)$/m.exec(text)?.[1] ?? 0);
}

/**
 * Names this boot and this mount of the file system that a descriptor is on. Mount ids and device numbers come again
 * with the next mount; the inode of the superblock's directory in sysfs does not. Where there is none, the name is
 * one that never comes again, so that nothing is taken to be of the same mount.
 */
export async function mountIdentity(fd: number, device: bigint): Promise<string> {
  const info = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8');
  const mount = /^mnt_id:\s*(\d+)/m.exec(info)?.[1] ?? '?';
  const since = (await superblockInode(mount, device)) ?? randomUUID();
  return `${await bootId()} ${device} ${mount} ${since}`;
}

async function superblockInode(mount: string, device: bigint): Promise<string | undefined> {
  for (const name of await deviceNames(mount, device)) {
    const uuids = await readdir('/sys/fs/btrfs').catch((): string[] => []);
    for (const uuid of uuids) {
      if (await inodeOf(`/sys/fs/btrfs/${uuid}/devices/${name}`)) return inodeOf(`/sys/fs/btrfs/${uuid}`);
    }
    for (const type of ['ext4', 'xfs', 'f2fs']) {
      const inode = await inodeOf(`/sys/fs/${type}/${name}`);
      if (inode !== undefined) return inode;
    }
  }
  return undefined;
}

/** What the block device of a mount may be called: by its number, and by what was mounted (btrfs has no number). */
async function deviceNames(mount: string, device: bigint): Promise<string[]> {
  // Linux's encoding of device numbers: makedev(3).
  const major = (device >> 8n) & 0xfffn;
  const minor = (device & 0xffn) | ((device >> 12n) & 0xfff00n);
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const line = mounts.split('\n').find((each) => each.startsWith(`${mount} `));
  const source = / - \S+ (\S+)/.exec(line ?? '')?.[1];
  const paths = [`/sys/dev/block/${major}:${minor}`, ...(source?.startsWith('/') ? [source] : [])];
  const real = await Promise.all(paths.map((path) => realpath(path).catch(() => undefined)));
  return real.flatMap((path) => (path === undefined ? [] : [basename(path)]));
}

async function inodeOf(path: string): Promise<string | undefined> {
  return stat(path, { bigint: true }).then(
    (found) => String(found.ino),
    () => undefined,
  );
}
