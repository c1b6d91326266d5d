import { readFileSync, statfsSync, writeFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fault } from '../../support/fault.ts';
import { loopDisk, type FileSystem } from '../../support/loop.ts';
import { needs } from '../../support/needs.ts';
import { must, mustSync, start } from '../../support/process.ts';

describe.each<FileSystem>(['ext4', 'xfs', 'btrfs'])('on %s', (type) => {
  needs('root', type, 'gcc');

  test('a power cut keeps what was synced, and forgets what was only in memory', async () => {
    const disk = await loopDisk({ type });
    mkdirSync(`${disk.directory}/bank`);
    const write = (name: string, then: string) =>
      `printf ${name} > ${disk.directory}/bank/${name} && ${then} ${disk.directory}/bank/${name}`;
    const prepared = fault({ prefix: `${disk.directory}/bank/stop-here`, mode: 'stop', at: 1 });
    const script = `${write('synced', 'sync -f')} && ${write('unsynced', 'test -s')} && mkdir bank/stop-here`;
    const running = start(['sh', '-c', script], { cwd: disk.directory, env: prepared.env });
    await prepared.happened();
    await disk.powerCut(() => prepared.killAll());
    expect((await running.ended).signal).toBe('SIGKILL');
    expect(readdirSync(disk.directory)).toContain('bank');
    expect(readFileSync(`${disk.directory}/bank/synced`, 'utf8')).toBe('synced');
    const unsynced = `${disk.directory}/bank/unsynced`;
    expect(existsSync(unsynced) ? readFileSync(unsynced, 'utf8') : '').toBe('');
    expect(existsSync(`${disk.directory}/bank/stop-here`)).toBe(false);
  });

  test('unmounting gives the device back', async () => {
    const disk = await loopDisk({ type });
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toContain(disk.directory);
    await disk.unmount();
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(disk.directory);
    expect(mustSync(['losetup', '--all']).toString()).not.toContain(disk.image);
  });
});

describe('ext4', () => {
  needs('root', 'ext4');

  test('is as large as asked for, and full when it is full', async () => {
    const disk = await loopDisk({ type: 'ext4', sizeMiB: 16 });
    expect(() => writeFileSync(`${disk.directory}/big`, Buffer.alloc(20 * 1024 ** 2))).toThrow(/ENOSPC/);
  });

  test('with 128-byte inodes keeps whole seconds only', async () => {
    const disk = await loopDisk({ type: 'ext4', mkfs: ['-I', '128'] });
    await must(['touch', '-d', '2026-01-01 00:00:00.5', `${disk.directory}/file`]);
    const { out } = await must(['stat', '-c', '%.9Y', `${disk.directory}/file`]);
    expect(out.trim()).toMatch(/\.000000000$/);
  });

  test('with few inodes runs out of them', async () => {
    const disk = await loopDisk({ type: 'ext4', mkfs: ['-N', '16'] });
    const { ffree } = statfsSync(disk.directory);
    for (let file = 0; file < ffree; file++) writeFileSync(`${disk.directory}/${file}`, '');
    expect(() => writeFileSync(`${disk.directory}/one-more`, '')).toThrow(/ENOSPC/);
  });
});
