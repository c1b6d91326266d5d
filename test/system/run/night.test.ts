import { rmSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { needs } from '../../support/needs.ts';
import { mustSync } from '../../support/process.ts';
import { fill, fillMany, makePlace, manyName } from './place.ts';

needs('root', 'rsync', 'xattr');

it('one vault that fails, one that is held: the others go on, and all is told, line by line', async () => {
  const place = makePlace({ inMemory: true, master: 'Runall:\n\tv\n\tbroken\n\tw\n' });
  fillMany(place.source, 2_000);
  const other = `${place.home}/other`;
  mustSync(['mkdir', other]);
  fill(other);
  for (const [name, tree] of [
    ['broken', `${place.home}/nosuch`],
    ['w', other],
  ]) {
    mustSync(['mkdir', '-p', '-m', '0700', `${place.bank}/${name}/dirvish`]);
    writeFileSync(`${place.bank}/${name}/dirvish/default.conf`, `client: localhost\ntree: ${tree}\n`);
  }
  await place.image('i1');
  for (let index = 0; index < 1_000; index += 1) rmSync(manyName(place.source, index));
  const ran = await place.call(['runall']);
  expect(ran.code).toBe(4);
  expect(ran.err).toMatch(/^vault: error: v@.*: held in /m);
  expect(ran.err).toMatch(/^vault: error: {3}vault accept v@/m);
  expect(ran.err).toMatch(/^vault: error: broken: .*nosuch.* is empty or cannot be read/m);
  expect(ran.err).not.toContain('\\012');
  expect(ran.out).toMatch(/^v +held .*$/m);
  expect(ran.out).toMatch(/^broken +failed /m);
  expect(ran.out).toMatch(/^w +good .*$/m);
});

it('a vault that no bank has stops everything, with the line; status tells it too', async () => {
  const place = makePlace({ master: 'Runall:\n\tv\n\tlost\n' });
  fill(place.source);
  const ran = await place.call(['runall']);
  expect(ran.code).toBe(8);
  expect(ran.err).toMatch(/^\S+\/master\.conf:6: Runall: lost: There is no vault lost in /m);
  expect(place.images()).toEqual([]);
  const status = await place.call(['status', '--alarm']);
  expect(status.code).toBe(12);
  expect(status.out).toMatch(/^ {2}lost: is under Runall, but in none of the banks$/m);
});
