import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VAULT } from '../cli/program.ts';
import { loopDisk } from '../../support/loop.ts';
import { needs } from '../../support/needs.ts';
import { mustSync, ran } from '../../support/process.ts';
import { tempDir } from '../../support/temp.ts';
import { contentsOf, fill, makePlace } from './place.ts';

needs('root', 'rsync', 'ext4');

/** `vault create etc` with nothing there yet but an empty bank. */
function makeFirst() {
  const home = tempDir('create');
  mkdirSync(`${home}/bank`, { mode: 0o700 });
  mkdirSync(`${home}/source`);
  const call = (config: string, ...more: string[]) => {
    const vault = [process.execPath, VAULT, '--config', `${home}/${config}`, '--state-dir', `${home}/state`];
    const what = ['--client', 'localhost', '--tree', `${home}/source`, '--bank', `${home}/bank`];
    return ran([...vault, 'create', 'etc', ...what, ...more]);
  };
  return { home, bank: `${home}/bank`, call };
}

describe('a first vault', () => {
  it('is made with its master file, and can be run', async () => {
    const { home, bank, call } = makeFirst();
    expect((await call('sub/dir/master.conf')).code).toBe(0);
    expect(existsSync(`${bank}/etc/dirvish/default.conf`)).toBe(true);
    expect(existsSync(`${bank}/.vault/bank.json`)).toBe(true);
    expect(existsSync(`${home}/sub/dir/master.conf`)).toBe(true);
  });

  it.each(['bank', ''])('leaves nothing where others may write to /%s', async (name) => {
    const { home, call } = makeFirst();
    mustSync(['chmod', '0777', `${home}/${name}`]);
    const before = contentsOf(home);
    const result = await call('conf/master.conf');
    expect(result.code).toBe(10);
    expect(result.err).toMatch(/^vault: error: \S+\/bank can't be trusted: .* is writable by everyone/m);
    expect(contentsOf(home)).toEqual(before);
  });

  it('leaves nothing where the master file cannot be written, or is not to be trusted', async () => {
    const { home, call } = makeFirst();
    writeFileSync(`${home}/file`, '');
    mkdirSync(`${home}/open`);
    mustSync(['chmod', '0777', `${home}/open`]);
    const before = [...contentsOf(home).keys()];
    const unwritable = await call('file/master.conf');
    expect(unwritable.code).toBe(4);
    expect(unwritable.err).toMatch(
      /^vault: error: Cannot write \S+\/file\/master\.conf \(\S+\/file is not a directory\)/m,
    );
    expect([...contentsOf(home).keys()]).toEqual(before);
    const untrusted = await call('open/sub/dir/master.conf');
    expect(untrusted.code).toBe(10);
    expect(untrusted.err).toMatch(/\/open is writable by everyone/);
    expect([...contentsOf(home).keys()]).toEqual(before);
  });
});

describe('the mount point of a known disk, with nothing mounted', () => {
  /** A bank on a disk that was backed up to, and that is away; a directory as the bank is in its place. */
  async function forgotten() {
    const disk = await loopDisk({ type: 'ext4' });
    const place = makePlace({ bank: `${disk.directory}/bank` });
    fill(place.source);
    await place.image('i1');
    await disk.unmount();
    mkdirSync(place.bank, { mode: 0o700 });
    const what = ['create', 'w', '--client', 'localhost', '--tree', place.source];
    return { disk, place, what };
  }

  it('gets no vault, adopted or not, and no word in it', async () => {
    const { place, what } = await forgotten();
    const before = readFileSync(`${place.home}/state/banks.json`, 'utf8');
    for (const adopt of [[], ['--adopt-bank']]) {
      const result = await place.call([...what, ...adopt]);
      expect(result.code).toBe(7);
      expect(result.err).toMatch(/^vault: error: Bank \S+ lies on the root file system/m);
      expect(contentsOf(place.bank).size).toBe(1);
    }
    expect(readFileSync(`${place.home}/state/banks.json`, 'utf8')).toBe(before);
  });

  it('gets no image, even where a vault of an earlier mistake has its id in the list', async () => {
    const disk = await loopDisk({ type: 'ext4' });
    await disk.unmount();
    // The mistake: nothing is mounted on the first day.
    const place = makePlace({ bank: `${disk.directory}/bank` });
    fill(place.source);
    await place.image('i1');
    const images = contentsOf(place.vault).size;
    await disk.mount();
    mkdirSync(`${place.vault}/dirvish`, { recursive: true, mode: 0o700 });
    mustSync(['chmod', '0700', place.bank, place.vault]);
    place.configure('');
    const other = await place.call(['run', 'v']);
    expect(other.code).toBe(7);
    expect(other.err).toContain('--adopt-bank');
    expect((await place.call(['run', 'v', '--image', 'i2', '--adopt-bank'])).code).toBe(0);
    await disk.unmount();
    const under = await place.call(['run', 'v']);
    expect(under.code).toBe(7);
    expect(under.err).toContain('lies on the root file system');
    expect(contentsOf(place.vault).size).toBe(images);
    await disk.mount();
    await place.image('i3');
  });
});

describe('disks that take turns', () => {
  it('are each adopted once', async () => {
    const place = makePlace();
    fill(place.source);
    await place.image('i1');
    mustSync(['mv', place.bank, `${place.home}/first`]);
    mkdirSync(place.bank, { mode: 0o700 });
    // It has been a bank of another machine's: an id it has.
    mkdirSync(`${place.bank}/.vault`, { mode: 0o700 });
    writeFileSync(`${place.bank}/.vault/bank.json`, JSON.stringify({ schema: 1, id: 'foreign' }));
    const what = ['create', 'v', '--client', 'localhost', '--tree', place.source];
    const refused = await place.call(what);
    expect(refused.code).toBe(7);
    expect(refused.err).toContain('--adopt-bank');
    expect(existsSync(place.vault)).toBe(false);
    expect((await place.call([...what, '--adopt-bank'])).code).toBe(0);
    await place.image('i2');
    mustSync(['mv', place.bank, `${place.home}/second`]);
    mustSync(['mv', `${place.home}/first`, place.bank]);
    await place.image('i3');
  });

  it('a list with bare ids, as they were written at first, is understood', async () => {
    const place = makePlace();
    fill(place.source);
    await place.image('i1');
    const { id } = JSON.parse(readFileSync(`${place.bank}/.vault/bank.json`, 'utf8'));
    const list = `${place.home}/state/banks.json`;
    const written = (known: unknown) =>
      writeFileSync(list, JSON.stringify({ schema: 1, banks: { [place.bank]: [known] } }));
    written('another');
    expect((await place.call(['run', 'v'])).code).toBe(7);
    written(id);
    await place.image('i2');
    expect(JSON.parse(readFileSync(list, 'utf8')).banks[place.bank]).toEqual([{ id, ownDevice: false }]);
  });
});
