import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { cleanUp, guarded } from './cleanup.ts';
import { must, mustSync, ran } from './process.ts';
import { tempDir } from './temp.ts';

export type FileSystem = 'ext4' | 'xfs' | 'btrfs';

export interface LoopOptions {
  readonly type: FileSystem;
  /** 64 for ext4, else the least its mkfs takes. */
  readonly sizeMiB?: number;
  /** For mkfs, such as `['-I', '128']` (whole seconds only) or `['-N', '100']` (few inodes) for ext4. */
  readonly mkfs?: readonly string[];
  /** For mount, such as `['ro']`. */
  readonly mount?: readonly string[];
}

export interface LoopDisk {
  /** Where it is mounted. */
  readonly directory: string;
  /** The file behind it. */
  readonly image: string;
  /** Fails while it is in use. */
  readonly unmount: () => Promise<void>;
  /** Mounts it again at the same place, after `unmount`. */
  readonly mount: () => Promise<void>;
  /** A copy of the backing file as it is at this moment: what a machine without power would find. */
  readonly copy: () => Promise<string>;
  /**
   * A power cut, while everything that writes stands still: takes a copy of the backing file, calls `kill` to end
   * the users of the file system, and mounts the copy in its stead.
   */
  readonly powerCut: (kill: () => Promise<void>) => Promise<void>;
}

const LEAST_MIB = { ext4: 64, xfs: 320, btrfs: 256 };
const FORCE = {
  ext4: ['-F', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0'],
  xfs: ['-f'],
  btrfs: ['-f'],
};

/** A file system of its own in a file, mounted; unmounted and removed at the end of the test. */
export async function loopDisk(options: LoopOptions): Promise<LoopDisk> {
  const home = tempDir('loop');
  const image = `${home}/image`;
  const directory = `${home}/mounted`;
  mkdirSync(directory);
  writeFileSync(image, '');
  truncateSync(image, (options.sizeMiB ?? LEAST_MIB[options.type]) * 1024 ** 2);
  await must([`mkfs.${options.type}`, '-q', ...FORCE[options.type], ...(options.mkfs ?? []), image]);
  let release = () => undefined as void;
  const mount = async () => {
    // The file system of a copy has the UUID of the original; only XFS minds when that is gone already.
    const extra = options.type === 'xfs' ? ['nouuid'] : [];
    mountOnLoop(image, directory, [...(options.mount ?? []), ...extra]);
    release = guarded('umount', directory);
  };
  const unmount = async () => {
    await unmountWhenFree(directory);
    release();
  };
  const copy = () => consistentCopy(image, `${home}/copy`);
  await mount();
  cleanUp(async () => {
    if (await isMounted(directory)) await unmount();
  });
  return {
    directory,
    image,
    mount,
    unmount,
    copy,
    powerCut: async (kill) => {
      const cut = await copy();
      await kill();
      await unmount();
      await must(['cp', '--sparse=always', cut, image]);
      rmSync(cut);
      await mount();
    },
  };
}

/** The device is given up at once: it goes with the mount, its last user, whatever happens to us. */
function mountOnLoop(image: string, directory: string, options: readonly string[]): void {
  const device = mustSync(['losetup', '--find', '--show', image]).toString().trim();
  try {
    const flags = options.length === 0 ? [] : ['-o', options.join(',')];
    mustSync(['mount', ...flags, device, directory]);
  } finally {
    mustSync(['losetup', '-d', device]);
  }
}

async function isMounted(directory: string): Promise<boolean> {
  return (await ran(['mountpoint', '-q', directory])).code === 0;
}

/** Killed users take a moment to let go of their files. */
async function unmountWhenFree(directory: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const { code, err } = await ran(['umount', directory]);
    if (code === 0) return;
    if (!/busy/.test(err) || Date.now() > deadline) throw new Error(err);
    await delay(5);
  }
}

/** The kernel writes back on its own: a copy counts only if nothing was written while it was made. */
async function consistentCopy(image: string, to: string): Promise<string> {
  for (let attempt = 0; attempt < 20; attempt++) {
    await must(['cp', '--sparse=always', image, to]);
    if ((await ran(['cmp', '-s', image, to])).code === 0) return to;
  }
  throw new Error(`${image} is being written to all the time: stop its writers first`);
}
