import { describe, expect, it } from 'vitest';
import type { Change } from '../../../src/image/scan.ts';
import {
  bytesToFetch,
  bytesToWrite,
  deleted,
  EMPTY_TALLY,
  filesToWrite,
  isUnchanged,
  referenceFiles,
  sumOf,
  tallier,
} from '../../../src/image/tally.ts';

const change = (
  item: string,
  size = 0,
  path = 'a',
  directory = item[1] === 'd' && item[0] !== '*',
): Change => ({
  item,
  size,
  path: Buffer.from(path),
  target: undefined,
  directory,
});

function tallyOf(...changes: Change[]) {
  const counts = tallier();
  for (const one of changes) counts.add(one);
  return counts.get();
}

describe('counting', () => {
  it.each([
    [change('>f+++++++++', 5), { newFiles: 1, newBytes: 5 }],
    [change('>f.st......', 5), { changedFiles: 1, changedBytes: 5 }],
    [change('>fcst......', 5), { changedFiles: 1, changedBytes: 5 }],
    [change('.f...p.....', 5), { attributeFiles: 1, attributeBytes: 5 }],
    [change('cL+++++++++', 5), { newOther: 1 }],
    [change('cLc.t......', 5), { changedOther: 1 }],
    [change('hf+++++++++', 5), { newOther: 1 }],
    [change('hS', 5), { changedOther: 1 }],
    [change('cd+++++++++', 4096), { newDirectories: 1 }],
    [change('.d..t......', 4096), { changedDirectories: 1 }],
    [change('*deleting'), { deletedFiles: 1 }],
    [change('*deleting', 0, 'a', true), { deletedDirectories: 1 }],
  ])('%j', (one, expected) => {
    const { largest, ...counts } = tallyOf(one);
    const { largest: _, ...none } = EMPTY_TALLY;
    expect(counts).toEqual({ ...none, ...expected });
    expect(largest.length).toBe(one.item.startsWith('>') ? 1 : 0);
    expect(isUnchanged(tallyOf(one))).toBe(false);
  });

  it('names the ten largest, largest first', () => {
    const sizes = [5, 3, 12, 1, 9, 7, 2, 11, 4, 8, 6, 10];
    const { largest } = tallyOf(...sizes.map((size) => change('>f+++++++++', size, String(size))));
    expect(largest.map(({ path }) => Number(path.toString()))).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  });

  it('nothing is unchanged', () => {
    expect(isUnchanged(tallyOf())).toBe(true);
  });
});

describe('sums', () => {
  const tally = {
    ...EMPTY_TALLY,
    ...{ newFiles: 1, newBytes: 10, newOther: 2, changedFiles: 3, changedBytes: 100, changedOther: 4 },
    ...{ attributeFiles: 5, attributeBytes: 1000, deletedFiles: 6, deletedDirectories: 7 },
  };

  it('of bytes and files', () => {
    expect([bytesToWrite(tally), bytesToFetch(tally), filesToWrite(tally), deleted(tally)]).toEqual([
      1110, 110, 15, 13,
    ]);
  });

  it('of two scans', () => {
    const a = tallyOf(change('>f+++++++++', 5, 'a'), change('*deleting'));
    const b = tallyOf(change('>f+++++++++', 7, 'b'), change('*deleting'), change('.d..t......'));
    expect(sumOf(a, b)).toMatchObject({ newFiles: 2, newBytes: 12, deletedFiles: 2, changedDirectories: 1 });
    expect(sumOf(a, b).largest.map(({ size }) => size)).toEqual([7, 5]);
  });

  it('of what the reference had', () => {
    const totals = { entries: 100, directories: 10, regular: 80, bytes: 0 };
    expect(referenceFiles(tally, totals)).toBe(93);
    expect(referenceFiles({ ...tally, newFiles: 1000 }, totals)).toBe(0);
  });
});
