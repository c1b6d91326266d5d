import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { dirvish } from '../../support/dirvish.ts';
import { needs } from '../../support/needs.ts';
import { must } from '../../support/process.ts';
import { fill, fillMany, makePlace, manyName, type Place } from '../run/place.ts';
import { makeBoth } from './both.ts';

needs('root', 'rsync', 'dirvish', 'faketime');

/** What dirvish-expire would delete, and what it would not for want of a good image. */
async function expirable(place: Place, at: string) {
  const result = await dirvish('dirvish-expire', ['--no-run'], { master: place.master, at });
  expect(result).toMatchObject({ code: 0, err: '' });
  const lines = result.out.split('\n');
  return {
    expired: lines.flatMap((line) => /^v:default +(\S+)/.exec(line)?.[1] ?? []),
    kept: lines.flatMap((line) => /^cannot expire v:default:(\S+) No unexpired/.exec(line)?.[1] ?? []),
  };
}

describe('dirvish-expire', () => {
  it('lists what has expired and keeps a good one', async () => {
    const place = makePlace();
    fill(place.source);
    const day = (number: number) => `2026-03-0${number} 22:00:00`;
    for (const number of [1, 2, 3]) {
      const args = ['run', 'v', '--image', `i${number}`, '--expire', '+2 days'];
      expect(await place.call(args, { at: day(number) })).toMatchObject({ code: 0, err: '' });
    }
    expect(await expirable(place, '2026-03-03 23:00:00')).toEqual({ expired: ['i1'], kept: [] });
    expect(await expirable(place, '2026-03-04 23:00:00')).toEqual({ expired: ['i1', 'i2'], kept: [] });
    // When all have expired it keeps one: the oldest, though it says that it is the newest.
    expect(await expirable(place, '2026-06-01 00:00:00')).toEqual({ expired: ['i2', 'i3'], kept: ['i1'] });
  });

  it('counts neither held nor partial nor unfinished images as good', async () => {
    const place = makePlace({ inMemory: true });
    fillMany(place.source, 1_700);
    const good = await place.call(['run', 'v', '--image', 'good', '--expire', '+1 day'], {
      at: '2026-03-01 22:00:00',
    });
    expect(good, good.err).toMatchObject({ code: 0, err: '' });
    for (let index = 0; index < 1_100; index += 1) rmSync(manyName(place.source, index));
    const held = await place.call(['run', 'v', '--image', 'held', '--expire', 'never'], {
      at: '2026-03-02 22:00:00',
    });
    expect(held.code, held.out + held.err).toBe(5);
    const failing = `${place.home}/failing`;
    const body = 'rsync "$@" || exit; case " $* " in *" -n "*) ;; *) exit 23; esac';
    writeFileSync(failing, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    place.configure(`rsync: ${failing}\nmax-delete-percent: 100\n`);
    const partial = await place.call(['run', 'v', '--image', 'partial', '--expire', 'never'], {
      at: '2026-03-03 22:00:00',
    });
    expect(partial.code).toBe(3);
    const unfinished = `${place.vault}/.incomplete-x`;
    mkdirSync(`${unfinished}/tree`, { recursive: true });
    const summary = readFileSync(`${place.vault}/good/summary`, 'utf8').replace(
      /^Expire: .*$/m,
      'Expire: Never',
    );
    writeFileSync(`${unfinished}/summary.new`, summary);

    expect(await expirable(place, '2026-06-01 00:00:00')).toEqual({ expired: [], kept: ['good'] });
    await must(place.argv('accept', 'v@held'));
    expect(await expirable(place, '2026-06-01 00:00:00')).toEqual({ expired: ['good'], kept: [] });
  });
});

describe('dirvish-locate', () => {
  for (const format of ['text', 'gzip', 'bzip2']) {
    it(`finds files through our index: ${format}`, async () => {
      const place = makePlace({ vault: `index: ${format}\n` });
      fill(place.source);
      writeFileSync(`${place.source}/sub/a name`, 'x');
      await place.image('i1');
      writeFileSync(`${place.source}/sub/c`, 'changed');
      await place.image('i2');
      const locate = (pattern: string) => dirvish('dirvish-locate', ['v', pattern], { master: place.master });
      const changed = await locate('sub/c');
      expect(changed).toMatchObject({ code: 0, err: '' });
      // Two versions, one an image.
      expect(changed.out).toMatch(/^1 matches in 2 images\n.*\/source\/sub\/c\n {4}.* i2\n {4}.* i1\n/);
      const same = await locate('deep/d');
      expect(same.out).toMatch(/\/source\/sub\/deep\/d\n {4}.* i2, i1\n/);
      expect((await locate('name')).out).toContain(`${place.source}/sub/a\\ name`);
    });
  }

  it('sees the same lines as in an index of its own', async () => {
    const both = makeBoth({ client: hostname(), vault: 'index: text\n' });
    await both.dirvishImage('theirs', '--init');
    await both.image('ours', '--init');
    const lines = (image: string) =>
      readFileSync(`${both.vault}/${image}/index`, 'utf8')
        .split('\n')
        .map((line) => line.replace(/^ *\d+ +\d+ /, ''))
        // dirvish forgets the root, whose path has no slash at its end.
        .filter((line) => !/\/(tree|source)$/.test(line))
        .toSorted();
    expect(lines('ours')).toEqual(lines('theirs'));
    expect(lines('ours')).toHaveLength(9);
  });
});
