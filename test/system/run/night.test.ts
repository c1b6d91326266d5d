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

it('a client that is away, and may be, is no concern until its newest image is too old', async () => {
  const place = makePlace({ master: 'Runall:\n\tv\n' });
  fill(place.source);
  await place.image('i1');
  const away = { client: 'nosuch.invalid', tree: place.source };
  const lines = (presence: string) => `client: ${away.client}\ntree: ${away.tree}\npresence: ${presence}\n`;
  const file = `${place.vault}/dirvish/default.conf`;
  writeFileSync(file, lines('required'), { mode: 0o600 });
  expect((await place.call(['runall'])).code).toBe(11);
  expect((await place.call(['status', '--alarm'])).out).toMatch(/^ {2}v: the last run failed /m);
  writeFileSync(file, lines('optional'), { mode: 0o600 });
  const ran = await place.call(['runall']);
  expect(ran.code).toBe(0);
  expect(ran.out).toMatch(/^v +absent /m);
  const status = await place.call(['status', '--alarm']);
  expect(status.out).toContain('All is well.');
  expect(status.code).toBe(0);
});

it('what a configuration file makes of the command line is told by status; a slip by hand is not', async () => {
  const place = makePlace({ master: 'Runall:\n\tv\n' });
  fill(place.source);
  await place.image('i1');
  expect((await place.call(['run', 'v', '--reference', 'nosuch'])).code).toBe(2);
  expect((await place.call(['status', '--alarm'])).code).toBe(0);
  place.configure('reference: nosuch\n');
  expect((await place.call(['runall'])).code).toBe(2);
  const status = await place.call(['status', '--alarm']);
  expect(status.code).toBe(12);
  expect(status.out).toMatch(/^ {2}v: the last run failed .*nosuch/m);
});

it('branches of one vault wait for each other, though their clients are two', async () => {
  // In memory: on a slow disk one would wait for the other anyway.
  const place = makePlace({ inMemory: true, master: 'Runall:\n\tv\n\tv:away\n' });
  fillMany(place.source, 1_000);
  const lines = `client: nosuch.invalid\ntree: ${place.source}\nbranch: away\n`;
  writeFileSync(`${place.vault}/dirvish/away.conf`, lines, { mode: 0o600 });
  const ran = await place.call(['runall', '--jobs', '4', '--lock-wait', '0']);
  expect(ran.out).toMatch(/^v +good /m);
  expect(ran.out).toMatch(/^v:away +unreachable /m);
  expect(ran.code).toBe(11);
});
