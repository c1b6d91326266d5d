import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkBank } from '../../support/invariants.ts';
import { needs } from '../../support/needs.ts';
import { must, mustSync } from '../../support/process.ts';
import { changesSince, sharedInodes } from '../../support/tree.ts';
import { historyOf, summaryOf, unlike } from '../run/place.ts';
import { makeBoth, rsyncDoing } from './both.ts';

needs('root', 'rsync', 'dirvish', 'xattr');

const HEADING = '#IMAGE\tCREATED\tREFERECE\tEXPIRES\n';
const TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;

describe('a vault of dirvish', () => {
  it('is continued: same reference, same inodes, one more line of history', async () => {
    const both = makeBoth();
    await both.dirvishImage('i1', '--init');
    await both.dirvishImage('i2');
    const before = { first: both.tree('i1'), second: both.tree('i2') };
    const history = readFileSync(`${both.vault}/dirvish/default.hist`, 'utf8');
    writeFileSync(`${both.source}/a`, 'changed');
    rmSync(`${both.source}/sub/c`);

    const ran = await both.image('i3');
    expect(ran.out).toMatch(/^v@i3: good in .* \(delta, against i2\)$/m);
    expect(summaryOf(`${both.vault}/i3`).get('Reference')).toBe('i2');
    const now = readFileSync(`${both.vault}/dirvish/default.hist`, 'utf8');
    expect(now.startsWith(history)).toBe(true);
    expect(historyOf(both.vault).map(([image, , reference]) => [image, reference])).toEqual([
      ['i1', 'default'],
      ['i2', 'i1'],
      ['i3', 'i2'],
    ]);
    expect(historyOf(both.vault).at(-1)).toEqual(['i3', expect.stringMatching(TIME), 'i2', 'Never']);
    // What dirvish left behind of attributes comes now, which needs a copy of its own; hard links too.
    expect(sharedInodes(both.tree('i2'), both.tree('i3'))).toEqual(['link', 'sub/deep/d']);
    expect(unlike(both, 'i3')).toEqual([]);
    expect(changesSince(before.first, both.tree('i1'))).toEqual([]);
    expect(changesSince(before.second, both.tree('i2'))).toEqual([]);

    const again = await both.image('i4');
    expect(again.out).toMatch(/ \(delta, against i3\)$/m);
    expect(sharedInodes(both.tree('i3'), both.tree('i4'))).toHaveLength(5);
  });

  it('keeps its branches: their own file, history and reference', async () => {
    const both = makeBoth();
    both.configure('reference: default\nexpire: +6 months\n', 'weekly');
    await both.dirvishImage('i1', '--init');
    const first = await both.dirvish(['--vault', 'v:weekly', '--image', 'week1']);
    expect(first).toMatchObject({ code: 0, err: '' });

    await must(both.argv('run', 'v:weekly', '--image', 'week2'));
    const summary = summaryOf(`${both.vault}/week2`);
    expect([summary.get('branch'), summary.get('Reference')]).toEqual(['weekly', 'i1']);
    expect(historyOf(both.vault, 'weekly').map(([image]) => image)).toEqual(['week1', 'week2']);
    expect(historyOf(both.vault).map(([image]) => image)).toEqual(['i1']);

    const last = await both.dirvish(['--vault', 'v:weekly', '--image', 'week3']);
    expect(last).toMatchObject({ code: 0, err: '' });
    expect(historyOf(both.vault, 'weekly').map(([image, , reference]) => [image, reference])).toEqual([
      ['week1', 'i1'],
      ['week2', 'i1'],
      ['week3', 'i1'],
    ]);
  });

  it('whose newest image has a warning of dirvish is made against that', async () => {
    const both = makeBoth();
    await both.dirvishImage('i1', '--init');
    const vanishing = rsyncDoing(both.home, 'vanishing', 'rsync "$@"; exit 24');
    const master = `${both.master}rsync: ${vanishing}\n`;
    expect(await both.dirvish(['--image', 'i2'], { master })).toMatchObject({ code: 0 });
    expect(summaryOf(`${both.vault}/i2`).get('Status')).toMatch(/^warning \(24\)/);
    const ran = await both.image('i3');
    expect(ran.out).toContain('against i2)');
    const listed = await must(both.argv('list', 'v'));
    expect(listed.out).toMatch(/^i2 .* good /m);
  });

  it('whose newest image dirvish could not complete is made against the one before', async () => {
    const both = makeBoth();
    await both.dirvishImage('i1', '--init');
    const failing = rsyncDoing(both.home, 'failing', 'rsync "$@"; exit 23');
    const master = `${both.master}rsync: ${failing}\n`;
    expect((await both.dirvish(['--image', 'i2'], { master })).code).toBe(149);
    expect((await both.image('i3')).out).toContain('against i1)');
    expect((await must(both.argv('list', 'v'))).out).toMatch(/^i2 .* partial /m);
  });
});

describe('a vault of ours', () => {
  it('is continued by dirvish: same reference, same inodes, one more line of history', async () => {
    const both = makeBoth();
    await both.image('i1', '--init');
    await both.image('i2');
    const history = readFileSync(`${both.vault}/dirvish/default.hist`, 'utf8');
    expect(history.startsWith(HEADING)).toBe(true);
    const before = both.tree('i2');
    writeFileSync(`${both.source}/a`, 'changed');

    await both.dirvishImage('i3');
    expect(summaryOf(`${both.vault}/i3`).get('Reference')).toBe('i2');
    expect(readFileSync(`${both.vault}/dirvish/default.hist`, 'utf8').startsWith(history)).toBe(true);
    expect(historyOf(both.vault).map(([image, , reference]) => [image, reference])).toEqual([
      ['i1', 'default'],
      ['i2', 'i1'],
      ['i3', 'i2'],
    ]);
    expect(sharedInodes(before, both.tree('i3'))).toEqual(['b', 'link', 'sub/c', 'sub/deep/d']);
    expect(changesSince(before, both.tree('i2'))).toEqual([]);

    const ran = await both.image('i4');
    expect(ran.out).toContain('against i3)');
    expect(unlike(both, 'i4')).toEqual([]);
    expect(checkBank(both.bank)).toEqual([]);
  });

  it('with a partial image at its end is continued from the last good one', async () => {
    const both = makeBoth();
    await both.image('i1');
    const failing = rsyncDoing(
      both.home,
      'failing',
      'rsync "$@" || exit; case " $* " in *" -n "*) ;; *) exit 23; esac',
    );
    await both.image('i2');
    both.configure(`rsync: ${failing}\n`);
    writeFileSync(`${both.source}/new`, 'new');
    expect((await both.call(['run', 'v', '--image', 'i3'])).code).toBe(3);
    both.configure('');
    await both.dirvishImage('i4');
    expect(summaryOf(`${both.vault}/i4`).get('Reference')).toBe('i2');
  });

  it('gets back the line of history that a killed run did not write', async () => {
    const both = makeBoth();
    await both.image('i1');
    await both.image('i2');
    const file = `${both.vault}/dirvish/default.hist`;
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, whole.replace(/^i2.*\n/m, ''));
    await both.image('i3');
    expect(readFileSync(file, 'utf8').startsWith(whole)).toBe(true);
    rmSync(file);
    await both.image('i4');
    await both.dirvishImage('i5');
    expect(historyOf(both.vault).map(([image, , reference]) => [image, reference])).toEqual([
      ['i3', 'i2'],
      ['i4', 'i3'],
      ['i5', 'i4'],
    ]);
  });
});

describe('image-temp', () => {
  it('moves on from either program to the other', async () => {
    const both = makeBoth({ vault: 'image-temp: newest\n' });
    const at = (second: number) => `2026-03-04 05:06:0${second}`;
    expect(await both.dirvish(['--init'], { at: at(1) })).toMatchObject({ code: 0, err: '' });
    expect(summaryOf(`${both.vault}/newest`).get('Image')).toBe('20260304-050601');

    const ours = await both.call(['run', 'v'], { at: at(3) });
    expect(ours).toMatchObject({ code: 0 });
    expect(ours.out).toMatch(/^v@20260304-05060\d: good .*against 20260304-050601\)$/m);
    const name = summaryOf(`${both.vault}/newest`).get('Image') ?? '';
    expect(both.images()).toEqual(['20260304-050601', 'newest']);
    expect(await both.dirvish([], { at: at(9) })).toMatchObject({ code: 0, err: '' });
    expect(both.images()).toEqual(['20260304-050601', name, 'newest']);
    expect(summaryOf(`${both.vault}/newest`).get('Reference')).toBe(name);
    expect(historyOf(both.vault).map(([, , reference]) => reference)).toEqual([
      'default',
      '20260304-050601',
      name,
    ]);
    expect(sharedInodes(both.tree(name), both.tree('newest')).length).toBeGreaterThan(0);
  });

  it('never takes the place of something else', async () => {
    const both = makeBoth({ vault: 'image-temp: newest\n' });
    mustSync(['mkdir', `${both.vault}/newest`]);
    writeFileSync(`${both.vault}/newest/precious`, 'mine');
    const ran = await both.call(['run', 'v']);
    expect(ran.code).toBe(4);
    expect(ran.err).toContain('newest is in the way');
    expect(existsSync(`${both.vault}/newest/precious`)).toBe(true);
    expect(both.images()).toEqual([]);
  });
});
