import { mkdirSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { needs } from '../../support/needs.ts';
import { mustSync } from '../../support/process.ts';
import { fill, makePlace, summaryOf, type Place } from './place.ts';

needs('root', 'rsync', 'xattr');

describe('an image with a summary that cannot be read', () => {
  /** Two images; the summary of the newer one is a directory, which no kernel reads. */
  async function makeDamaged(): Promise<Place> {
    const place = makePlace({ master: 'Runall:\n\tv\n' });
    fill(place.source);
    await place.image('i1');
    await place.image('i2');
    rmSync(`${place.vault}/i2/summary`);
    mkdirSync(`${place.vault}/i2/summary`);
    return place;
  }
  const why = (place: Place) => `Cannot read ${place.vault}/i2/summary (EISDIR).`;

  it('is told by list, status and runall --next, beside all the others', async () => {
    const place = await makeDamaged();
    const images = await place.call(['list', 'v']);
    expect(images.code).toBe(0);
    expect(images.out).toMatch(/^i1 .* good /m);
    expect(images.out).toMatch(/^i2 +- +unreadable /m);
    for (const args of [['list'], ['list', 'v'], ['status'], ['runall', '--next']]) {
      const told = await place.call(args);
      expect(told.code, args.join(' ')).toBe(0);
      expect(told.out).toContain(`v: i2 is unreadable: ${why(place)}`);
      expect(told.out).toMatch(/just now| good /);
    }
    expect((await place.call(['status', '--alarm'])).code).toBe(12);
    const objects = (await place.call(['list', '--json'])).out.split('\n').slice(0, -1);
    expect(objects.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ type: 'image', vault: 'v', directory: 'i2', verdict: 'unreadable' }),
    );
    const shown = await place.call(['show', 'v@i2']);
    expect(shown.code).toBe(4);
    expect(shown.err).toContain(why(place));
  });

  it('does not keep the next one from being made, and stays as it is', async () => {
    const place = await makeDamaged();
    const ran = await place.call(['run', 'v', '--image', 'i3']);
    expect(ran.code, ran.err).toBe(0);
    expect(ran.err).toContain(`vault: warning: v: i2 is unreadable and left alone: ${why(place)}`);
    expect(ran.err).not.toContain('/proc/');
    expect(summaryOf(`${place.vault}/i3`).get('Reference')).toBe('i1');
    expect(place.images()).toEqual(['i1', 'i2', 'i3']);
    // Its name is taken.
    expect((await place.image('i2')).out).toMatch(/^v@i2-2: good/m);
  });
});

it('an absent bank is named by list, and does not hide the others', async () => {
  const place = makePlace();
  fill(place.source);
  await place.image('i1');
  const away = `${place.home}/away`;
  mustSync(['sed', '-i', `s,^\\t${place.bank}$,\\t${away}\\n&,`, `${place.home}/master.conf`]);
  const listed = await place.call(['list']);
  expect(listed.code).toBe(7);
  expect(listed.out).toMatch(/^v +1 +/m);
  expect(listed.err).toContain(`Cannot read bank ${away} (ENOENT).`);
  const objects = (await place.call(['list', '--json'])).out.split('\n').slice(0, -1);
  expect(objects.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ type: 'vault', vault: 'v' }),
    expect.objectContaining({ type: 'warning', code: 'absent', bank: away }),
    expect.objectContaining({ type: 'result', exitCode: 7 }),
  ]);
});
