import { randomBytes } from 'node:crypto';
import { readdirSync, statfsSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loopDisk, type FileSystem } from '../../support/loop.ts';
import { needs } from '../../support/needs.ts';
import { must, mustSync } from '../../support/process.ts';
import { checkBank } from '../../support/invariants.ts';
import { makeGround, type Ground } from './ground.ts';

needs('root', 'ext4', 'xfs', 'btrfs');

async function onDisk(type: FileSystem): Promise<{ readonly ground: Ground; readonly bank: string }> {
  const disk = await loopDisk({ type, ...(type === 'ext4' ? { sizeMiB: 256 } : {}) });
  const bank = `${disk.directory}/bank`;
  return { ground: makeGround({ bank }), bank };
}

/** What is free, with all that is pending done. */
function free(bank: string): number {
  mustSync(['sync', '-f', bank]);
  const { bfree, bsize } = statfsSync(bank);
  return bfree * bsize;
}

/** Inodes that go, each counted once. */
function inodesIn(...directories: readonly string[]): number {
  const lines = mustSync(['find', ...directories, '-printf', '%i\\n'])
    .toString()
    .split('\n');
  return new Set(lines).size;
}

describe.each(['ext4', 'xfs', 'btrfs'] as const)('on %s', (type) => {
  it('frees what was foretold, within a block an inode', async () => {
    const { ground, bank } = await onDisk(type);
    const vault = ground.vault;
    for (const [index, name] of ['a', 'b', 'c', 'newest'].entries()) {
      ground.written(name, { completed: `2026-01-1${index} 22:00:00` });
      for (let file = 0; file < 40; file += 1) {
        writeFileSync(`${vault}/${name}/tree/own${file}`, randomBytes(100 + file * file * 170));
      }
    }
    // Links between two that go, and to one that stays.
    for (let file = 0; file < 10; file += 1) {
      mustSync(['ln', `${vault}/a/tree/own${file + 20}`, `${vault}/b/tree/of-a${file}`]);
      mustSync(['ln', `${vault}/a/tree/own${file + 30}`, `${vault}/newest/tree/of-a${file}`]);
    }
    const inodes = inodesIn(`${vault}/a`, `${vault}/b`, `${vault}/c`);
    const before = free(bank);
    const { code, err, objects } = await ground.expire('--time', 'now', '--bytes');
    expect([code, err]).toEqual([0, '']);
    const freed = free(bank) - before;
    const foretold = Number(objects[0]?.['freesBytes']);
    expect(foretold).toBeGreaterThan(5_000_000);
    expect(Math.abs(freed - foretold)).toBeLessThanOrEqual(inodes * 4096);
    const each = objects
      .filter(({ action }) => action === 'delete')
      .map((image) => Number(image['freesBytes']));
    expect(each.reduce((sum, bytes) => sum + bytes, 0)).toBe(foretold);
    expect(readdirSync(`${vault}/newest/tree`).filter((name) => name.startsWith('of-a'))).toHaveLength(10);
    expect(checkBank(bank)).toEqual([]);
  });

  it('names a file that cannot be deleted, exit 4, deletes the others, and the rest when it can', async () => {
    const { ground } = await onDisk(type);
    for (const [index, name] of ['a', 'b', 'newest'].entries()) {
      ground.written(name, { completed: `2026-01-1${index} 22:00:00` });
      writeFileSync(`${ground.vault}/${name}/tree/sub/own`, name);
    }
    await must(['chattr', '+i', `${ground.vault}/a/tree/sub/own`]);
    const first = await ground.expire('--time', 'now');
    expect(first.code).toBe(4);
    expect(first.err).toContain('.deleting-a/tree/sub/own');
    expect([...first.outcomes].toSorted()).toEqual([
      ['a', 'failed'],
      ['b', 'deleted'],
    ]);
    expect(first.result).toMatchObject({ deleted: 1, failed: 1 });
    expect(ground.images()).toEqual(['newest']);
    expect((await ground.expire('--time', 'now')).code).toBe(4);
    await must(['chattr', '-i', `${ground.vault}/.deleting-a/tree/sub/own`]);
    expect((await ground.expire('--time', 'now')).code).toBe(0);
    expect(ground.dotted()).toEqual([]);
  });
});

describe('a full disk', () => {
  it('is one that expire can work on', async () => {
    const { ground, bank } = await onDisk('ext4');
    for (const [index, name] of ['a', 'newest'].entries()) {
      ground.written(name, { completed: `2026-01-1${index} 22:00:00` });
    }
    writeFileSync(`${ground.vault}/a/tree/large`, Buffer.alloc(1_000_000, 1));
    await must([
      'sh',
      '-c',
      `for i in 1 2 3; do cat /dev/zero > '${bank}/filler'$i; sync; done 2>/dev/null; true`,
    ]);
    const left = statfsSync(bank).bavail;
    expect(left).toBeLessThan(100);
    const { code, err } = await ground.expire('--time', 'now');
    expect([code, err]).toEqual([0, '']);
    expect(ground.images()).toEqual(['newest']);
    expect(statfsSync(bank).bavail - left).toBeGreaterThan(200);
  });
});
