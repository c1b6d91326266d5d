import { readFile } from 'node:fs/promises';

/** The kernel's id of this boot: what was written before another one may be half on the disk. */
export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/** When this machine was started, in seconds since the epoch. */
export async function bootTime(): Promise<number> {
  const text = await readFile('/proc/stat', 'utf8');
  return Number(/^btime (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** Names this boot and this mount of the file system that a descriptor is on. */
export async function mountIdentity(fd: number, device: bigint): Promise<string> {
  const info = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8');
  const mount = /^mnt_id:\s*(\d+)/m.exec(info)?.[1] ?? '?';
  return `${await bootId()} ${device} ${mount}`;
}
