import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loopDisk } from '../../support/loop.ts';
import { needs } from '../../support/needs.ts';
import { must, mustSync, type Ran } from '../../support/process.ts';
import { compareTrees, sharedInodes } from '../../support/tree.ts';
import {
  contentsOf,
  fillMany,
  historyOf,
  makePlace,
  manyName,
  summaryOf,
  unlike,
  type Place,
} from './place.ts';

needs('root', 'rsync', 'xattr', 'ext4');

/** A place with many files, of which there is one good image, `i1`. */
async function makeMany(files: number, lines = ''): Promise<Place> {
  const place = makePlace({ inMemory: true, vault: lines });
  fillMany(place.source, files);
  await place.image('i1');
  return place;
}

function remove(place: Place, count: number): void {
  for (let index = 0; index < count; index += 1) rmSync(manyName(place.source, index));
}

function rewrite(place: Place, count: number): void {
  for (let index = 0; index < count; index += 1)
    writeFileSync(manyName(place.source, index), `rewritten ${index}`);
}

const DAY = 86_400;

/** Good, with a warning, and nothing of its branch expires for a week. */
async function expectWarned(place: Place, ran: Ran, words: RegExp): Promise<void> {
  expect(ran.code, ran.err).toBe(0);
  expect(ran.out).toMatch(/^v@i2: good/m);
  expect(ran.out).toMatch(words);
  const summary = summaryOf(`${place.vault}/i2`);
  expect(summary.get('Status')).toBe('success');
  expect(summary.get('Vault-warnings')).toBe('1');
  const frozen = Date.parse(summary.get('Vault-frozen-until') ?? '') / 1000;
  expect(frozen - Date.parse(summary.get('Vault-time') ?? '') / 1000).toBe(7 * DAY);
  expect((await must(place.argv('list', 'v'))).out).toMatch(/^i2 .* good, warnings, frozen/m);
  // It is a reference.
  expect((await place.image('i3')).out).toContain('against i2)');
  expect(historyOf(place.vault).map(([image]) => image)).toEqual(['i1', 'i2', 'i3']);
}

/** Held: whole, but no reference until it is accepted. */
async function expectHeld(place: Place, ran: Ran, words: RegExp): Promise<void> {
  expect(ran.code, ran.err).toBe(5);
  expect(ran.out).toMatch(/^v@i2: held/m);
  expect(ran.out).toMatch(words);
  expect(ran.out).toContain('vault accept v@i2');
  expect(unlike(place, 'i2')).toEqual([]);
  expect(summaryOf(`${place.vault}/i2`).get('Status')).toMatch(/^error \(held\) -- \d+% of the reference/);
  expect(historyOf(place.vault).map(([image]) => image)).toEqual(['i1']);
  const again = await place.call(['run', 'v', '--image', 'i3']);
  expect(again.code).toBe(5);
  expect(again.out).toContain('against i1)');
  await must(place.argv('accept', 'v@i2'));
  expect((await place.image('i4')).out).toContain('against i2)');
  expect(historyOf(place.vault).map(([image]) => image)).toEqual(['i1', 'i2', 'i4']);
}

describe('a mass deletion', () => {
  it('of a quarter is warned of', async () => {
    const place = await makeMany(4_000);
    remove(place, 1_000);
    await expectWarned(
      place,
      await place.call(['run', 'v', '--image', 'i2']),
      /warn: 25% of the reference has disappeared/,
    );
  });
  it('of less is nothing', async () => {
    const place = await makeMany(4_200);
    remove(place, 1_008);
    const ran = await place.image('i2');
    expect(ran.out).not.toContain('warn');
    expect(summaryOf(`${place.vault}/i2`).get('Vault-frozen-until')).toBeUndefined();
  });
  it('of half is held', async () => {
    const place = await makeMany(2_000);
    remove(place, 1_000);
    await expectHeld(
      place,
      await place.call(['run', 'v', '--image', 'i2']),
      /hold: 50% of the reference has disappeared/,
    );
  });
  it('is judged by whole directories too, and by the plain engine', async () => {
    const place = await makeMany(1_700, 'engine: link-dest\n');
    for (const name of ['d0', 'd1', 'd2', 'd3', 'd4', 'd5'])
      rmSync(`${place.source}/${name}`, { recursive: true });
    await expectHeld(
      place,
      await place.call(['run', 'v', '--image', 'i2']),
      /hold: 60% of the reference has disappeared/,
    );
  });
  it('is foreseen by --dry-run', async () => {
    const place = await makeMany(2_000);
    remove(place, 1_000);
    const before = contentsOf(place.vault);
    const ran = await must(place.argv('run', 'v', '--dry-run'));
    expect(ran.out).toMatch(/1,000 deleted/);
    expect(ran.out).toMatch(/verdict: held\. Nothing was written\./);
    expect(compareTrees(before, contentsOf(place.vault), { also: ['inode', 'ctime'] })).toEqual([]);
  });
});

describe('a mass rewrite', () => {
  it('of less than a third is warned of', async () => {
    const place = await makeMany(3_400);
    rewrite(place, 1_020);
    await expectWarned(
      place,
      await place.call(['run', 'v', '--image', 'i2']),
      /warn: 30% of the reference has been rewritten/,
    );
  });
  it('of most is held', async () => {
    const place = await makeMany(1_700);
    rewrite(place, 1_020);
    await expectHeld(
      place,
      await place.call(['run', 'v', '--image', 'i2']),
      /hold: 60% of the reference has been rewritten/,
    );
  });
  it('may be allowed for a vault', async () => {
    const place = await makeMany(1_200, 'max-change-percent: 100\n');
    rewrite(place, 1_080);
    await expectWarned(
      place,
      await place.call(['run', 'v', '--image', 'i2']),
      /warn: 90% of the reference has been rewritten/,
    );
  });
});

describe('an attribute storm', () => {
  it('is told, with what it costs', async () => {
    const place = await makeMany(1_200);
    mustSync(['chmod', '-R', 'go-r', place.source]);
    const ran = await place.image('i2');
    expect(ran.out).toMatch(
      /note: files are copied again only because owner, mode, .* \(1,200 files, [\d.]+ kB\)/,
    );
    expect(unlike(place, 'i2')).toEqual([]);
    expect(summaryOf(`${place.vault}/i2`).get('Vault-frozen-until')).toBeUndefined();
  });
});

describe('a bank without room', () => {
  it('for the bytes makes nothing, and says what is large', async () => {
    const disk = await loopDisk({ type: 'ext4', sizeMiB: 32 });
    const place = makePlace({ bank: `${disk.directory}/bank` });
    writeFileSync(`${place.source}/small`, 'small');
    await place.image('i1');
    writeFileSync(`${place.source}/the large one`, randomBytes(40e6));
    const before = contentsOf(place.vault);
    const ran = await place.call(['run', 'v', '--image', 'i2']);
    expect(ran.code).toBe(4);
    expect(ran.err).toMatch(
      /^vault: error: No room on .*: the image needs up to 40\.0 MB and [\d.]+ MB are free; the largest new file is the large one \(40\.0 MB\)\.$/m,
    );
    expect(ran.err).toMatch(/^hint: .*--ignore-space/m);
    expect(compareTrees(before, contentsOf(place.vault), { ignore: ['mtime'], also: ['inode'] })).toEqual([]);

    const forced = await place.call(['run', 'v', '--image', 'i2', '--ignore-space']);
    expect(forced.code).toBe(4);
    expect(forced.err).toMatch(
      /^vault: error: No space left on .*: the image was given up, nothing older was touched\.$/m,
    );
    expect(place.images()).toEqual(['i1']);
    rmSync(`${place.source}/the large one`);
    await place.image('i3');
    expect(unlike(place, 'i3')).toEqual([]);
    expect(mustSync(['ls', '-A', place.vault]).toString()).toBe('dirvish\ni1\ni3\n');
  });

  it('for a sparse file goes on when told to, since it has holes', async () => {
    const disk = await loopDisk({ type: 'ext4', sizeMiB: 32 });
    const place = makePlace({ bank: `${disk.directory}/bank` });
    mustSync(['truncate', '-s', '1G', `${place.source}/holes`]);
    const ran = await place.call(['run', 'v', '--image', 'i1']);
    expect(ran.code).toBe(4);
    expect(ran.err).toContain('the largest new file is holes (1.1 GB)');
    expect((await place.image('i1', '--ignore-space')).out).toMatch(/^v@i1: good/m);
  });

  it('for the inodes makes nothing', async () => {
    const disk = await loopDisk({ type: 'ext4', mkfs: ['-N', '128'] });
    const place = makePlace({ bank: `${disk.directory}/bank` });
    writeFileSync(`${place.source}/small`, 'small');
    await place.image('i1');
    fillMany(place.source, 300);
    const ran = await place.call(['run', 'v', '--image', 'i2']);
    expect(ran.code).toBe(4);
    expect(ran.err).toMatch(/^vault: error: No room on .*: the image needs 311 inodes and \d+ are free/m);
    expect(place.images()).toEqual(['i1']);
  });
});

describe('a bank that keeps whole seconds', () => {
  it('is not written anew every night', async () => {
    const disk = await loopDisk({ type: 'ext4', mkfs: ['-I', '128'] });
    const place = makePlace({ bank: `${disk.directory}/bank` });
    fillMany(place.source, 50);
    await place.image('i1');
    writeFileSync(manyName(place.source, 7), 'changed, and longer');
    const ran = await place.image('i2');
    expect(ran.out).toMatch(/^ {2}0 new, 1 changed, 0 deleted;/m);
    expect(sharedInodes(place.tree('i1'), place.tree('i2'))).toHaveLength(49);
    expect(readFileSync(`${place.vault}/i2/summary`, 'utf8')).toContain('--modify-window=0');
  });
});

describe('accepting', () => {
  /** Good: i1; held: i2 and i3, of two nights after a mass deletion. */
  async function makeHeld(): Promise<Place> {
    const place = await makeMany(4_000);
    remove(place, 3_000);
    for (const name of ['i2', 'i3']) {
      expect((await place.call(['run', 'v', '--image', name])).code).toBe(5);
    }
    return place;
  }
  const verdicts = (place: Place) =>
    place.images().map((name) => summaryOf(`${place.vault}/${name}`).get('Vault-verdict'));

  it('a held image accepts the held ones before it, oldest first', async () => {
    const place = await makeHeld();
    const accepted = await must(place.argv('accept', 'v@i3'));
    expect(accepted.out).toMatch(/^v@i2, v@i3: good now\.$/m);
    expect(verdicts(place)).toEqual(['good', 'good', 'good']);
    expect(historyOf(place.vault).map(([image]) => image)).toEqual(['i1', 'i2', 'i3']);
  });

  it('the older of two leaves the newer one held', async () => {
    const place = await makeHeld();
    await must(place.argv('accept', 'v@i2'));
    expect(verdicts(place)).toEqual(['good', 'good', 'held']);
  });

  it('by date means the held image of that day; a good one in front of held ones is refused', async () => {
    const place = await makeHeld();
    const good = await place.call(['accept', 'v@i1']);
    expect(good.code).toBe(2);
    expect(good.err).toContain('i1 is good already; held after it: i2, i3.');
    expect(verdicts(place)).toEqual(['good', 'held', 'held']);
    await must(place.argv('accept', 'v@today'));
    expect(verdicts(place)).toEqual(['good', 'good', 'good']);
  });
});
