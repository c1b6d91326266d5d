import { readFile, realpath, stat } from 'node:fs/promises';

/** The device under a bank, as far as it matters for how many images are made on it at once. */
export interface BankDevice {
  /** The same for all banks on one file system. */
  readonly id: string;
  /** One head, or one narrow cable: two writers are slower than one. */
  readonly slow: boolean;
}

/** Looks at the device of a bank in /sys. Unknown devices (network, btrfs) are taken for quick ones. */
export async function observeBank(bank: string): Promise<BankDevice> {
  const { dev } = await stat(bank);
  // Linux's encoding of device numbers: makedev(3).
  const major = ((dev >> 8) & 0xfff) | 0;
  const minor = (dev & 0xff) | ((dev >> 12) & 0xfff00);
  const device = await realpath(`/sys/dev/block/${major}:${minor}`).catch(() => undefined);
  if (device === undefined) return { id: String(dev), slow: false };
  // Virtual devices call themselves rotational whatever lies below them.
  const real = !/\/(virtual|virtio\d+)\//.test(device);
  const rotates = real && ((await rotational(device)) ?? (await rotational(`${device}/..`)) ?? false);
  return { id: String(dev), slow: rotates || /\/usb\d/.test(device) };
}

async function rotational(device: string): Promise<boolean | undefined> {
  const text = await readFile(`${device}/queue/rotational`, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : text.trim() === '1';
}
