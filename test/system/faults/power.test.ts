import { readdirSync, renameSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fault } from '../../support/fault.ts';
import { lacks, needs } from '../../support/needs.ts';
import { must, start } from '../../support/process.ts';
import { loopDisk, type FileSystem, type LoopDisk } from '../../support/loop.ts';
import { tempDir } from '../../support/temp.ts';
import type { Tree } from '../../support/tree.ts';
import { expectHealed, makeGround, type Ground } from './ground.ts';

needs('root', 'gcc', 'rsync');

/** The changes around which the order of the commit matters, as the fault library logs them. */
const STAGES: readonly (readonly [string, RegExp])[] = [
  ['while the tree is transferred', /^rename .*\.incomplete-.*\/tree\//],
  ['when the tree has just been made durable', /summary\.new/],
  ['before the image is renamed into place', /^rename .*\/small\/\d{8}-\d{6}(-\d)?$/],
  ['before the commit point', /^rename .*\/summary$/],
  ['before the history is written', /default\.hist/],
];

/** The same trees on a file system that was mounted again: its device has another number. */
function mountedAgain(ground: Ground): Ground {
  const device = statSync(ground.bank).dev;
  const moved = (tree: Tree): Tree =>
    new Map(
      [...tree].map(([name, entry]) => [
        name,
        { ...entry, inode: entry.inode.replace(/^\d+/, String(device)) },
      ]),
    );
  return { ...ground, earlier: new Map([...ground.earlier].map(([name, tree]) => [name, moved(tree)])) };
}

async function restore(disk: LoopDisk, from: string): Promise<void> {
  await disk.unmount();
  await must(['cp', '--sparse=always', from, disk.image]);
  await disk.mount();
}

describe.each<FileSystem>(['ext4', 'xfs', 'btrfs'])('power cut on %s', (type) => {
  test('at each stage of the commit', { timeout: 300_000 }, async (context) => {
    const lacking = lacks(type);
    if (lacking !== undefined && process.env['CI'] !== 'true') context.skip(lacking);
    const disk = await loopDisk({ type });
    const ground = await makeGround(tempDir('power'), `${disk.directory}/bank`);
    await must(['sync', '-f', disk.directory]);
    const before = `${tempDir('before')}/image`;
    renameSync(await disk.copy(), before);
    // One run to learn the sequence: names differ in the next ones, the order of the calls does not.
    const counted = fault({ prefix: disk.directory, mode: 'count', log: true });
    const ended = await start(ground.argv, { env: counted.env }).ended;
    expect(ended.code, ended.err).toBe(0);
    const calls = counted.calls();
    for (const [stage, pattern] of STAGES) {
      const at = calls.findIndex((call) => pattern.test(call)) + 1;
      expect(at, `${stage}: ${calls.join('\n')}`).toBeGreaterThan(0);
      await restore(disk, before);
      const stopped = fault({ prefix: disk.directory, mode: 'stop', at });
      const running = start(ground.argv, { env: stopped.env });
      await stopped.happened();
      await disk.powerCut(() => running.stop());
      await running.ended;
      await expectHealed(mountedAgain(ground), Math.floor(Date.now() / 1000) - 60);
      expect(readdirSync(`${ground.bank}/small`).length, stage).toBeGreaterThan(3);
    }
  });
});
