import { readFileSync, writeFileSync, mkdirSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { must, ran } from '../../support/process.ts';
import { tempDir } from '../../support/temp.ts';
import { changesSince, snapshotTree } from '../../support/tree.ts';

const SCRIPT = fileURLToPath(new URL('../../quickstart.mjs', import.meta.url));

it('backs up a tree twice, restores from the first image, and leaves the tree alone', async () => {
  const place = tempDir('quickstart');
  const tree = join(place, 'some tree');
  mkdirSync(join(tree, 'below'), { recursive: true });
  writeFileSync(join(tree, 'hosts'), '127.0.0.1 localhost\n');
  for (const name of ['a', 'b', 'c']) writeFileSync(join(tree, 'below', name), `${name}\n`);
  const before = snapshotTree(tree);
  for (const time of ['first', 'second']) {
    const { out } = await must([process.execPath, SCRIPT, '--tree', 'some tree'], { cwd: place });
    expect(out, time).toContain('2 files (4 B) shared with the first image, 2 files');
    expect(out, time).toContain(`It is ${join(tree, 'hosts')} again, byte for byte.`);
  }
  expect(changesSince(before, snapshotTree(tree))).toEqual([]);
  expect(readFileSync(join(place, '.quickstart/restored/hosts'), 'utf8')).toBe('127.0.0.1 localhost\n');
  expect(readdirSync(place).toSorted()).toEqual(['.quickstart', 'some tree']);
});

it('removes only what it made', async () => {
  const place = tempDir('quickstart');
  mkdirSync(join(place, '.quickstart'));
  writeFileSync(join(place, '.quickstart/mine'), 'mine');
  const { code, err } = await ran([process.execPath, SCRIPT, '--tree', '/etc'], { cwd: place });
  expect(code).toBe(1);
  expect(err).toContain('was not made by this script');
  expect(existsSync(join(place, '.quickstart/mine'))).toBe(true);
});

it('refuses a tree that it lies in', async () => {
  const place = tempDir('quickstart');
  const { code, err } = await ran([process.execPath, SCRIPT, '--tree', '.'], { cwd: place });
  expect(code).toBe(1);
  expect(err).toContain('choose another --tree');
});
