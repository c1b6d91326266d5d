import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { VAULT } from '../cli/program.ts';
import { checkBank } from '../../support/invariants.ts';
import { must, mustSync, ran, type Ran } from '../../support/process.ts';
import { compareTrees, snapshotTree, type Tree } from '../../support/tree.ts';

/** A bank with two images of a small tree, and a source that has changed in every way since. */
export interface Ground {
  readonly home: string;
  readonly source: string;
  readonly bank: string;
  readonly argv: readonly string[];
  /** The trees that the committed images must keep, by `VAULT/NAME`. */
  readonly earlier: ReadonlyMap<string, Tree>;
}

/** Makes the ground: everything below `home`, the bank perhaps on a file system of its own. */
export async function makeGround(home: string, bank = `${home}/bank`): Promise<Ground> {
  const source = `${home}/source`;
  mkdirSync(`${source}/sub/deep`, { recursive: true });
  mkdirSync(`${bank}/small/dirvish`, { recursive: true });
  mustSync(['chmod', '0700', home, bank, `${bank}/small`, `${bank}/small/dirvish`]);
  for (let index = 0; index < 12; index += 1)
    writeFileSync(`${source}/sub/file${index}`, `${index}`.repeat(3000));
  mustSync(['ln', `${source}/sub/file1`, `${source}/sub/deep/hard`]);
  mustSync(['ln', '-s', 'sub', `${source}/link`]);
  mustSync(['mkfifo', `${source}/fifo`]);
  mustSync(['setfattr', '-n', 'user.colour', '-v', 'blue', `${source}/sub/file2`]);
  writeFileSync(`${bank}/small/dirvish/default.conf`, `client: localhost\ntree: ${source}\n`, {
    mode: 0o600,
  });
  const master = `bank:\n\t${bank}\nimage-default: %Y%m%d-%H%M%S\nlock-wait: 10m\nRunall:\n\tsmall\n`;
  writeFileSync(`${home}/master.conf`, master, { mode: 0o600 });
  const argv = [
    process.execPath,
    VAULT,
    '--config',
    `${home}/master.conf`,
    '--state-dir',
    `${home}/state`,
    'run',
    'small',
  ];
  await must(argv);
  writeFileSync(`${source}/sub/file3`, 'three');
  await must(argv);
  const earlier = treesOf(bank);
  expect(earlier.size).toBe(2);
  changeSource(source);
  return { home, source, bank, argv, earlier };
}

/** New, changed, re-attributed, deleted, retyped, linked: every path through clone and transfer. */
function changeSource(source: string): void {
  writeFileSync(`${source}/sub/new`, 'n'.repeat(70_000));
  writeFileSync(`${source}/sub/file4`, 'four');
  mustSync(['chmod', '0600', `${source}/sub/file5`]);
  mustSync(['rm', `${source}/sub/file6`, `${source}/fifo`]);
  mkdirSync(`${source}/fifo`);
  writeFileSync(`${source}/fifo/inside`, 'was a fifo');
  mustSync(['ln', `${source}/sub/file7`, `${source}/sub/second`]);
  mustSync(['mv', `${source}/sub/deep`, `${source}/moved`]);
}

/** The names of the committed images of the vault `small`. */
export function imagesIn(bank: string): string[] {
  return readdirSync(`${bank}/small`).filter((name) => !name.startsWith('.') && name !== 'dirvish');
}

/** A fresh copy of bank and state, hard links and all, for one case. */
export function save(ground: Ground): void {
  for (const name of ['bank', 'state'])
    mustSync(['cp', '-a', `${ground.home}/${name}`, `${ground.home}/${name}.saved`]);
}

/** Puts back what `save` saved; the copies have inodes of their own. */
export function putBack(ground: Ground): Ground {
  for (const name of ['bank', 'state']) {
    rmSync(`${ground.home}/${name}`, { recursive: true });
    mustSync(['cp', '-a', `${ground.home}/${name}.saved`, `${ground.home}/${name}`]);
  }
  return { ...ground, earlier: treesOf(ground.bank) };
}

function treesOf(bank: string): ReadonlyMap<string, Tree> {
  return new Map(imagesIn(bank).map((name) => [`small/${name}`, snapshotTree(`${bank}/small/${name}/tree`)]));
}

/**
 * After a fault: nothing is broken, and the next run succeeds with no help and leaves nothing lying about. With
 * `timesLost` the faulted image may have other times than the source; the next one may not.
 */
export async function expectHealed(ground: Ground, crashed: number, timesLost = false): Promise<Ran> {
  const { bank, earlier, source } = ground;
  const known = snapshotTree(source);
  const sources = timesLost ? {} : { sources: [known] };
  // Whatever was just being born when everything was killed lets go of its locks in a moment.
  await expect.poll(() => checkBank(bank, { earlier, ...sources, crashed }), { timeout: 20_000 }).toEqual([]);
  const next = await ran(ground.argv);
  expect(next.err).not.toMatch(/bug/i);
  expect(next.code, next.err).toBe(0);
  expect(checkBank(bank, { earlier, ...sources })).toEqual([]);
  const newest = /@(\S+): good/.exec(next.out)?.[1] ?? '';
  expect(compareTrees(known, snapshotTree(`${bank}/small/${newest}/tree`))).toEqual([]);
  expect(readdirSync(`${bank}/small`).filter((name) => name.startsWith('.'))).toEqual([]);
  return next;
}

/** Evenly spread numbers from 1 to `last`, both ends among them; all of them for the long run. */
export function sample(last: number, count: number): number[] {
  const all = Array.from({ length: last }, (_, index) => index + 1);
  if (process.env['VAULT_TEST_LONG'] === '1' || count >= last) return all;
  const step = (last - 1) / (count - 1);
  return [...new Set(Array.from({ length: count }, (_, index) => Math.round(1 + index * step)))];
}
