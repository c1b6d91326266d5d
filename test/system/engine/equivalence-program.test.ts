import { mkdirSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyMutations, applyTree } from '../../support/apply.ts';
import { excludes, mutations, treeOperations } from '../../support/arbitrary.ts';
import { checkBank } from '../../support/invariants.ts';
import { loopDisk } from '../../support/loop.ts';
import { needs } from '../../support/needs.ts';
import { must, mustSync } from '../../support/process.ts';
import { tempDir, withTempDir } from '../../support/temp.ts';
import { snapshotTree } from '../../support/tree.ts';
import { objectsOf, VAULT } from '../cli/program.ts';
import { ALWAYS, differences, runs, SEED } from './equivalence-case.ts';

needs('root', 'rsync', 'xattr', 'gcc');

/** A bank with one vault, and the built program. */
function programGround(home: string, bank: string, settings: readonly string[] = []) {
  const source = `${home}/source`;
  mkdirSync(`${bank}/v/dirvish`, { recursive: true });
  mkdirSync(source, { recursive: true });
  mustSync(['chmod', '0700', home, bank, `${bank}/v`, `${bank}/v/dirvish`]);
  const lines = ['client: localhost', `tree: ${source}`, ...settings];
  writeFileSync(`${bank}/v/dirvish/default.conf`, `${lines.join('\n')}\n`, { mode: 0o600 });
  writeFileSync(`${home}/master.conf`, `bank: ${bank}\nlock-wait: 10m\n`, { mode: 0o600 });
  const options = ['--config', `${home}/master.conf`, '--state-dir', `${home}/state`, '--json'];
  const run = async (image: string, ...more: string[]) => {
    const { out } = await must([process.execPath, VAULT, ...options, 'run', 'v', '--image', image, ...more]);
    return objectsOf(out).find((object) => object['type'] === 'image') ?? {};
  };
  return { source, bank, run, tree: (image: string) => snapshotTree(`${bank}/v/${image}/tree`) };
}

describe('through the program', () => {
  it(`both engines make the same image (seed ${SEED})`, { timeout: 600_000 }, async () => {
    const property = fc.asyncProperty(
      treeOperations(),
      mutations(),
      excludes(),
      async (tree, night, exclude) =>
        withTempDir(async (home) => {
          const settings = exclude.length === 0 ? [] : ['exclude:', ...exclude.map((one) => `\t${one}`)];
          const { source, bank, run, tree: treeOf } = programGround(home, `${home}/bank`, settings);
          applyTree(source, [...tree, ALWAYS]);
          await run('first');
          applyMutations(source, [...night, ALWAYS]);
          const earlier = new Map([['v/first', treeOf('first')]]);
          const plain = await run('plain', '--reference', 'first', '--engine', 'link-dest');
          const delta = await run('delta', '--reference', 'first', '--engine', 'delta');
          expect([plain['engine'], delta['engine']]).toEqual(['link-dest', 'delta']);
          const before = earlier.get('v/first') ?? new Map();
          expect(differences(before, treeOf('plain'), treeOf('delta'))).toEqual([]);
          expect(checkBank(bank, { earlier })).toEqual([]);
        }),
    );
    await fc.assert(property, { numRuns: runs(10), seed: SEED, endOnFailure: true });
  });
});

describe('on a bank whose inodes keep whole seconds only', () => {
  needs('ext4');

  it('an unchanged tree is found unchanged', async () => {
    const disk = await loopDisk({ type: 'ext4', mkfs: ['-I', '128'] });
    const { source, run, tree } = programGround(tempDir('seconds'), `${disk.directory}/bank`, [
      'UNSET acls xattrs',
    ]);
    mustSync(['sh', '-ec', 'mkdir d; for n in 1 2 3; do echo $n >d/$n; done'], { cwd: source });
    await run('first');
    const before = tree('first');
    const second = await run('second', '--engine', 'delta');
    const plain = await run('plain', '--reference', 'first', '--engine', 'link-dest');
    expect([second['engine'], plain['engine']]).toEqual(['delta', 'link-dest']);
    const after = tree('second');
    expect(differences(before, tree('plain'), after)).toEqual([]);
    for (const name of ['d/1', 'd/2', 'd/3']) expect(after.get(name)?.inode).toBe(before.get(name)?.inode);
  });
});
