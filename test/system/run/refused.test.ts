import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VAULT } from '../cli/program.ts';
import { loopDisk } from '../../support/loop.ts';
import { needs } from '../../support/needs.ts';
import { mustSync, ran } from '../../support/process.ts';
import { compareTrees } from '../../support/tree.ts';
import { contentsOf, fill, makePlace, tooWide, type Place, type PlaceOptions } from './place.ts';

needs('root', 'rsync', 'xattr', 'faketime');

/** A place with a source and one good image, `i1`. */
async function makeUsed(options: PlaceOptions = {}): Promise<Place> {
  const place = makePlace(options);
  fill(place.source);
  await place.image('i1');
  return place;
}

/**
 * Runs the program and expects a failure with this code, without an image and without a trace: everything in the
 * bank is what it was, but for the times of directories in which lock files come and go. Gives what it said.
 */
async function refused(place: Place, code: number, args: readonly string[], at?: string): Promise<string> {
  const before = contentsOf(place.bank);
  const result = await place.call(args, at === undefined ? {} : { at });
  expect(result.code, result.out + result.err).toBe(code);
  expect(compareTrees(before, contentsOf(place.bank), { ignore: ['mtime'], also: ['inode'] })).toEqual([]);
  expect(result.err).toMatch(/^vault: error: .*[^ ]$/m);
  expect(tooWide(result.out)).toEqual([]);
  return result.err;
}

describe('a bank', () => {
  it('that is not there', async () => {
    const place = await makeUsed();
    mustSync(['mv', place.bank, `${place.home}/away`]);
    const err = await refused(place, 7, ['run', 'v']);
    expect(err).toContain(place.bank);
    expect(err).toMatch(/^hint: .*mounted\?/m);
  });

  it('that is a file', async () => {
    const place = await makeUsed();
    mustSync(['mv', place.bank, `${place.home}/away`]);
    writeFileSync(place.bank, '');
    const result = await place.call(['run', 'v']);
    expect(result.code).toBe(7);
    expect(result.err).toContain(place.bank);
  });

  it('whose disk is not mounted', async () => {
    const disk = await loopDisk({ type: 'ext4' });
    const place = await makeUsed({ bank: `${disk.directory}/bank` });
    await disk.unmount();
    mkdirSync(place.bank);
    const err = await refused(place, 7, ['run', 'v']);
    expect(err).toMatch(/^hint: .*mounted\?/m);
    expect((await place.call(['list'])).out).toContain('or its disk is not mounted');
    expect(contentsOf(place.bank).size).toBe(1);
    rmSync(place.bank, { recursive: true });
    await disk.mount();
    await place.image('i2');
  });

  it('in whose place something else is mounted, with a vault of that name', async () => {
    const place = await makeUsed();
    mustSync(['mv', place.bank, `${place.home}/away`]);
    mkdirSync(`${place.vault}/dirvish`, { recursive: true });
    place.configure('');
    const err = await refused(place, 7, ['run', 'v']);
    expect(err).toContain(`Bank ${place.bank} is not the file system that was backed up to before`);
    expect(err).toContain('--adopt-bank');
    expect(place.images()).toEqual([]);
    expect((await place.call(['run', 'v', '--image', 'i2', '--adopt-bank'])).code).toBe(0);
    await place.image('i3');
  });
});

describe('a vault', () => {
  it('whose name is none', async () => {
    const place = await makeUsed();
    for (const name of ['a/b', '..', '.', '../v', '/v', '.hidden', 'v:', ':b', 'v:../x', 'v@latest', '']) {
      expect(await refused(place, 2, ['run', '--', name]), name).toMatch(/^hint: /m);
    }
  });

  it('with a leading dash', async () => {
    const place = await makeUsed();
    expect(await refused(place, 2, ['run', '--', '-rf'])).toContain('-rf');
    expect(await refused(place, 2, ['run', '-rf'])).toContain('-r');
  });

  it('that nobody knows', async () => {
    const place = await makeUsed();
    const err = await refused(place, 8, ['run', 'nosuch']);
    expect(err).toMatch(/no vault nosuch in /);
    expect(err).toContain(place.bank);
    expect(err).toMatch(/^hint: .*vault list/m);
  });

  it('without that branch', async () => {
    const place = await makeUsed();
    const err = await refused(place, 8, ['run', 'v:weekly']);
    expect(err).toContain('weekly');
    expect(err).toMatch(/^hint: /m);
  });
});

describe('the configuration', () => {
  it('is not there', async () => {
    const place = await makeUsed();
    const hidden =
      'for d in /etc/vault /etc/dirvish; do [ ! -d $d ] || mount -t tmpfs tmpfs $d; done; [ ! -e /etc/dirvish.conf ] || exit 99; exec "$@"';
    const command = [process.execPath, VAULT, '--state-dir', `${place.home}/state`, 'run', 'v'];
    const result = await ran(['unshare', '--mount', 'sh', '-c', hidden, 'sh', ...command]);
    expect(result.code).toBe(8);
    expect(result.err).toMatch(/\/etc\/vault\/master\.conf/);
    expect(result.err).toMatch(/^hint: .*--config FILE/m);
    const named = await refused(place, 8, ['--config', `${place.home}/nosuch.conf`, 'run', 'v']);
    expect(named).toContain(`${place.home}/nosuch.conf`);
  });

  it('goes round in a circle', async () => {
    const place = await makeUsed();
    place.configure('config: other.conf\n');
    writeFileSync(`${place.vault}/dirvish/other.conf`, '\n# round\nconfig: default.conf\n', { mode: 0o600 });
    const err = await refused(place, 8, ['run', 'v']);
    expect(err).toMatch(new RegExp(`^${place.vault}/dirvish/other\\.conf:3: .*loop`, 'm'));
  });

  it('has mistakes: all of them at once, with file and line', async () => {
    const place = await makeUsed();
    place.configure('exclud: /tmp\nxdev: no\nexpire-rule: sometimes +3 months\nspeed-limit: fast\n');
    const err = await refused(place, 8, ['run', 'v']);
    for (const line of [3, 4, 5, 6])
      expect(err).toMatch(new RegExp(`^${place.vault}/dirvish/default\\.conf:${line}: `, 'm'));
    expect(err).toContain('did you mean');
  });

  it('could have been changed by somebody else', async () => {
    const place = await makeUsed();
    mustSync(['chmod', '666', `${place.vault}/dirvish/default.conf`]);
    const err = await refused(place, 10, ['run', 'v']);
    expect(err).toMatch(/default\.conf.*writable by everyone/);
    expect(err).toMatch(/^hint: .*chmod/m);
  });
});

describe('a source', () => {
  it('that is empty', async () => {
    const place = await makeUsed();
    mustSync(['find', place.source, '-mindepth', '1', '-delete']);
    const err = await refused(place, 4, ['run', 'v']);
    expect(err).toContain(`localhost:${place.source} is empty`);
    expect(err).toContain('No image was made and nothing was deleted.');
  });

  it('that is empty, of a new vault', async () => {
    const place = makePlace();
    const result = await place.call(['run', 'v']);
    expect(result.code).toBe(4);
    expect(mustSync(['ls', '-A', place.vault]).toString()).toBe('dirvish\n');
  });

  it('that is empty but for what is left out', async () => {
    const place = await makeUsed();
    place.configure('exclude:\n\t*\n');
    expect(await refused(place, 4, ['run', 'v'])).toContain('is empty');
  });

  it('that is not there', async () => {
    const place = await makeUsed();
    mustSync(['rm', '-r', place.source]);
    const err = await refused(place, 4, ['run', 'v']);
    expect(err).toContain(place.source);
    expect(err).toContain('No such file or directory');
  });

  it('that lies inside the bank', async () => {
    const place = await makeUsed();
    for (const tree of [place.bank, place.vault, `${place.vault}/i1/tree`]) {
      writeFileSync(`${place.vault}/dirvish/default.conf`, `client: localhost\ntree: ${tree}\n`);
      const err = await refused(place, 10, ['run', 'v']);
      expect(err).toContain(`The tree ${tree} lies inside the bank ${place.bank}.`);
      expect(err).toMatch(/^hint: /m);
    }
    const link = `${place.home}/link`;
    symlinkSync(place.vault, link);
    writeFileSync(`${place.vault}/dirvish/default.conf`, `client: localhost\ntree: ${link}\n`);
    await refused(place, 10, ['run', 'v']);
  });
});

describe('the clock', () => {
  it('before the newest image', async () => {
    const place = makePlace();
    fill(place.source);
    expect((await place.call(['run', 'v', '--image', 'i1'], { at: '2036-01-02 03:04:05' })).code).toBe(0);
    const err = await refused(place, 10, ['run', 'v', '--image', 'i2'], '2035-12-31 03:04:05');
    expect(err).toContain('The clock is before the newest image');
    expect(err).toMatch(/^hint: .*--image-time/m);
    const dated = ['run', 'v', '--image', 'i2', '--image-time', '2035-12-31 03:00'];
    expect((await place.call(dated, { at: '2035-12-31 03:04:05' })).code).toBe(0);
    expect(place.images()).toEqual(['i1', 'i2']);
    // Next to it, or after it, all is well.
    expect((await place.call(['run', 'v', '--image', 'i3'], { at: '2036-01-02 03:05:00' })).code).toBe(0);
  });
});

describe('an image', () => {
  it('of the same name is another one', async () => {
    const place = await makeUsed();
    const before = contentsOf(`${place.vault}/i1`);
    writeFileSync(`${place.source}/a`, 'changed');
    const second = await place.image('i1');
    expect(second.out).toMatch(/^v@i1-2: good/m);
    expect(second.err).toContain('there is an image i1 already: this one is i1-2');
    expect((await place.image('i1')).out).toMatch(/^v@i1-3: good/m);
    expect(place.images()).toEqual(['i1', 'i1-2', 'i1-3']);
    expect(compareTrees(before, contentsOf(`${place.vault}/i1`), { also: ['inode'] })).toEqual([]);
  });

  it('has a name that is one', async () => {
    const place = await makeUsed();
    for (const name of ['..', 'a/b', '.x', 'dirvish', '-x', 'two words', 'a@b', ''])
      expect(await refused(place, 2, ['run', 'v', `--image=${name}`]), name).toContain('name');
  });

  it('can refer to nothing that is not there', async () => {
    const place = await makeUsed();
    const err = await refused(place, 2, ['run', 'v', '--reference', 'nosuch']);
    expect(err).toContain('nosuch');
    expect(err).toContain('vault list v');
  });

  it('is not made where a directory of somebody else lies in the way', async () => {
    const place = await makeUsed();
    mkdirSync(`${place.vault}/i2`);
    mkdtempSync(`${place.vault}/i2/precious-`);
    expect((await place.image('i2')).out).toMatch(/^v@i2-2: good/m);
    expect(contentsOf(`${place.vault}/i2`).size).toBe(2);
  });
});
