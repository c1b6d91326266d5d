import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { needs } from '../../support/needs.ts';
import { rsyncd } from '../../support/rsyncd.ts';
import { tempDir } from '../../support/temp.ts';
import { compareTrees, sharedInodes, snapshotTree } from '../../support/tree.ts';
import { fill, makePlace, summaryOf } from '../run/place.ts';

needs('root', 'rsync', 'xattr');

/** A place whose tree is a directory of a module of an rsync daemon. */
async function makeServed(config: readonly string[] = [], client = '127.0.0.1') {
  const path = tempDir('module');
  mkdirSync(`${path}/a dir`);
  fill(`${path}/a dir`);
  const daemon = await rsyncd({ path, config });
  const port = `rsync-option:\n\t--port=${daemon.port}\n`;
  const place = makePlace({ client, tree: ':data/a\\ dir', vault: port });
  return { path: `${path}/a dir`, place, port };
}

describe('a tree of an rsync daemon', () => {
  it('is backed up twice, plainly and with one connection a time', async () => {
    const { path, place } = await makeServed();
    await place.image('i1');
    writeFileSync(`${path}/a`, 'changed');
    const ran = await place.image('i2');
    expect(ran.out).toMatch(/^v@i2: good .* \(link-dest, against i1\)$/m);
    expect(ran.err).toContain('engine link-dest: the tree is served by an rsync daemon');
    expect(compareTrees(snapshotTree(path), place.tree('i2'))).toEqual([]);
    expect(sharedInodes(place.tree('i1'), place.tree('i2'))).toEqual(['b', 'link', 'sub/c', 'sub/deep/d']);
    expect(summaryOf(`${place.vault}/i2`).get('tree')).toBe(':data/a\\ dir');
  });

  for (const client of ['backup@127.0.0.1', 'backup@localhost']) {
    it(`asks for a password of its own: ${client}`, async () => {
      const secret = `${tempDir('secret')}/daemon`;
      writeFileSync(secret, 'backup:open sesame\n', { mode: 0o600 });
      const config = ['auth users = backup', `secrets file = ${secret}`];
      const { path, place, port } = await makeServed(config, client);
      const refused = await place.call(['run', 'v', '--image', 'i1']);
      expect(refused.code).toBe(4);
      expect(refused.err).toMatch(/auth failed|password/i);
      expect(place.images()).toEqual([]);

      writeFileSync(`${place.home}/password`, 'open sesame\n', { mode: 0o600 });
      place.configure(`${port}password-file: ${place.home}/password\n`);
      const ran = await place.image('i2');
      expect(compareTrees(snapshotTree(path), place.tree('i2'))).toEqual([]);
      for (const text of [ran.out, ran.err, ...summaryOf(`${place.vault}/i2`).values()])
        expect(text).not.toContain('sesame');
    });
  }

  it('that has no such module fails', async () => {
    const { place, port } = await makeServed();
    place.configure(`${port}tree: :other/\n`);
    const ran = await place.call(['run', 'v']);
    expect(ran.code).toBe(4);
    expect(ran.err).toMatch(/Unknown module 'other'/);
    expect(place.images()).toEqual([]);
  });

  it('that is empty makes no image', async () => {
    const { place, port, path } = await makeServed();
    mkdirSync(`${path}/../empty`);
    place.configure(`${port}tree: :data/empty\n`);
    const ran = await place.call(['run', 'v']);
    expect(ran.code).toBe(4);
    expect(ran.err).toContain('is empty');
    expect(place.images()).toEqual([]);
  });
});
