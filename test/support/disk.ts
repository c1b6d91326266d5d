import { closeSync, existsSync, openSync, truncateSync, writeFileSync } from 'node:fs';
import { cleanUp } from './cleanup.ts';
import { must, mustSync, ran } from './process.ts';
import { tempDir } from './temp.ts';

/** A whole disk on a loop device, with its partitions; detached at the end of the test. */
export interface TestDisk {
  /** `/dev/loop3`. */
  readonly device: string;
  readonly image: string;
  /** `/dev/loop3p1`. */
  readonly partition: (number: number) => string;
}

/** A disk with the partition table that sfdisk makes of `script`. */
export async function partitionedDisk(sizeMiB: number, script: string): Promise<TestDisk> {
  const image = `${tempDir('disk')}/image`;
  writeFileSync(image, '');
  truncateSync(image, sizeMiB * 1024 ** 2);
  await must(['sfdisk', '-q', image], { input: script });
  const device = mustSync(['losetup', '--find', '--show', image]).toString().trim();
  // The device goes with its last user: us, whatever happens.
  const hold = openSync(device, 'r');
  cleanUp(async () => {
    await ran(['partx', '-d', device]);
    await ran(['losetup', '-d', device]);
    closeSync(hold);
  });
  await must(['partx', '-a', device]);
  const partition = (number: number) => `${device}p${number}`;
  if (!existsSync(partition(1))) throw new Error(`no ${partition(1)}`);
  return { device, image, partition };
}
