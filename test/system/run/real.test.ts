import { expect, it } from 'vitest';
import { needs } from '../../support/needs.ts';
import { must, ran } from '../../support/process.ts';
import { sshd } from '../../support/sshd.ts';
import { sharedInodes } from '../../support/tree.ts';
import { makePlace, summaryOf, type Place } from './place.ts';

needs('root', 'rsync', 'sshd', 'xattr');

const LONG = { timeoutMs: 600_000 };

/** What rsync would do to make one tree like the other: nothing at all, both ways. */
async function differences(tree: string, image: string): Promise<string[]> {
  const compare = (from: string, to: string) =>
    must(
      ['rsync', '-naHAXSci', '--numeric-ids', '--modify-window=-1', '--delete', `${from}/`, `${to}/`],
      LONG,
    );
  const both = await Promise.all([compare(tree, image), compare(image, tree)]);
  return both.flatMap((result) => result.out.split('\n').filter((line) => line !== ''));
}

async function backUp(place: Place, name: string) {
  const result = await ran(place.argv('run', 'v', '--image', name), LONG);
  expect(result.code, result.err).toBe(0);
  return result.out;
}

for (const tree of ['/etc', '/usr/share']) {
  it(`${tree} of this machine, over ssh, twice`, { timeout: 1_200_000 }, async () => {
    const server = await sshd();
    const place = makePlace({ client: 'box', tree, vault: `rsh: ${server.rsh}\n` });
    expect(await backUp(place, 'i1')).toMatch(/^v@i1: good in /m);
    expect(await backUp(place, 'i2')).toMatch(/^v@i2: good in .* \(delta, against i1\)$/m);
    expect(await differences(tree, `${place.vault}/i2/tree`)).toEqual([]);

    const [files = 0, directories = 0] = ['Vault-files', 'Vault-directories'].map((field) =>
      Number(summaryOf(`${place.vault}/i2`).get(field)),
    );
    const found = (await must(['find', `${place.vault}/i2/tree`, '-printf', '%y\n'])).out
      .split('\n')
      .slice(0, -1);
    expect(found).toHaveLength(files + directories);
    expect(found.filter((type) => type === 'd')).toHaveLength(directories);
    if (tree === '/etc')
      expect(sharedInodes(place.tree('i1'), place.tree('i2')).length).toBeGreaterThan(files - 20);
  });
}
