import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Run } from '../../../src/exec/command.ts';
import { run as realRun } from '../../../src/exec/run.ts';
import { applyMutations, applyTree } from '../../support/apply.ts';
import { mutations, treeOperations } from '../../support/arbitrary.ts';
import { needs } from '../../support/needs.ts';
import type { Operation } from '../../support/operation.ts';
import { mustSync } from '../../support/process.ts';
import { tempDir, withTempDir } from '../../support/temp.ts';
import { changesSince, snapshotTree, type Entry, type Tree } from '../../support/tree.ts';
import { ALWAYS, runs, SEED } from './equivalence-case.ts';
import { openGround } from './equivalence-ground.ts';

needs('root', 'rsync', 'xattr', 'gcc');

/** Lets something happen when the scan has ended and nothing has come of it yet. */
function afterScan(happen: () => void): Run {
  let seen = false;
  return async (command, io, signal) => {
    const result = await realRun(command, io, signal);
    if (!seen && command.argv.includes('--delete-excluded')) {
      seen = true;
      happen();
    }
    return result;
  };
}

const FIELDS = [
  'type',
  'mode',
  'uid',
  'gid',
  'size',
  'mtime',
  'rdev',
  'content',
  'target',
  'xattrs',
] as const;

/**
 * rsync loses the capabilities of a file that is not root's when it copies it from the reference for its mode's
 * sake: it sets them, and then the owner, which clears them. The next run brings them back.
 */
function valueOf(entry: Entry, field: (typeof FIELDS)[number]): string | number {
  if (field !== 'xattrs' || (entry.uid === 0 && entry.gid === 0)) return entry[field];
  return entry.xattrs
    .split('\n')
    .filter((line) => !line.startsWith('security.capability='))
    .join('\n');
}

function isSame(a: Entry | undefined, b: Entry): boolean {
  return a !== undefined && FIELDS.every((field) => valueOf(a, field) === valueOf(b, field));
}

/** Everything in an image that was so at neither moment, and what it lacks although it was there at both. */
function faults(before: Tree, after: Tree, image: Tree): string[] {
  const strange = [...image].filter(
    ([path, entry]) => !isSame(before.get(path), entry) && !isSame(after.get(path), entry),
  );
  const absent = [...before.keys()].filter((path) => after.has(path) && !image.has(path));
  return [
    ...strange.map(([path, entry]) => {
      const differs = FIELDS.filter((field) => before.get(path)?.[field] !== entry[field]);
      return `${JSON.stringify(path)} was so at neither moment: ${differs.join(', ')}`;
    }),
    ...absent.map((path) => `${JSON.stringify(path)} was there at both moments and is missing`),
  ];
}

/** Makes an image of a source that changes in the middle; nothing older changes, and nothing is made up. */
async function playMoments(
  directory: string,
  tree: readonly Operation[],
  night: readonly Operation[],
  meanwhile: readonly Operation[],
): Promise<string[]> {
  const ground = await openGround(directory);
  try {
    applyTree(ground.source, [...tree, ALWAYS]);
    await ground.make('0', { engine: 'link-dest' });
    applyMutations(ground.source, [...night, ALWAYS]);
    const older = snapshotTree(`${ground.vault}/0/tree`);
    const before = snapshotTree(ground.source);
    const run = afterScan(() => applyMutations(ground.source, [...meanwhile, ALWAYS]));
    const { made, tree: path } = await ground.make('1', { engine: 'delta', reference: '0', run });
    const after = snapshotTree(ground.source);
    const image = snapshotTree(path);
    expect(changesSince(older, snapshotTree(`${ground.vault}/0/tree`))).toEqual([]);
    expect(faults(before, after, image)).toEqual([]);
    // Vanishing is a warning, not a failure.
    expect({ partial: made.partial, missing: made.missing }).toEqual({ partial: false, missing: [] });
    const vanished = [...before.keys()].filter((name) => !image.has(name));
    if (vanished.length > 0) expect(made.warnings, `without ${vanished.join()}`).not.toEqual([]);
    return vanished;
  } finally {
    await ground.close();
  }
}

describe.concurrent(`a source that changes between scan and transfer (seed ${SEED})`, () => {
  const moments = async (seed: number) => {
    let vanished = 0;
    const property = fc.asyncProperty(
      treeOperations(),
      mutations(),
      mutations(),
      async (tree, night, meanwhile) => {
        const gone = await withTempDir((directory) => playMoments(directory, tree, night, meanwhile));
        vanished += gone.length > 0 ? 1 : 0;
      },
    );
    await fc.assert(property, { numRuns: runs(60), seed, endOnFailure: true });
    return vanished;
  };

  it('gives a mix of the two moments and nothing else', { timeout: 3_600_000 }, async () => {
    expect(await moments(SEED)).toBeGreaterThan(5);
  });

  it('gives one with other changes too', { timeout: 3_600_000 }, async () => {
    expect(await moments(SEED + 1)).toBeGreaterThan(5);
  });
});

/** A source with `d/x` and `d/keep`, an image of it, and `d/x` rewritten. */
async function smallGround() {
  const ground = await openGround(tempDir('moment'));
  mkdirSync(`${ground.source}/d`);
  for (const name of ['d/x', 'd/keep', 'top']) writeFileSync(`${ground.source}/${name}`, `first ${name}`);
  await ground.make('0', { engine: 'link-dest' });
  writeFileSync(`${ground.source}/d/x`, 'second d/x');
  const older = snapshotTree(`${ground.vault}/0/tree`);
  return {
    ...ground,
    change: async (happen: () => void) => {
      try {
        return await ground.make('1', { engine: 'delta', reference: '0', run: afterScan(happen) });
      } finally {
        await ground.close();
        expect(changesSince(older, snapshotTree(`${ground.vault}/0/tree`))).toEqual([]);
      }
    },
  };
}

describe('between scan and transfer', () => {
  it('a directory that becomes a link leads nowhere', async () => {
    const ground = await smallGround();
    const outside = tempDir('outside');
    for (const name of ['x', 'keep', 'more']) writeFileSync(`${outside}/${name}`, 'secret');
    const { made, tree } = await ground.change(() => {
      rmSync(`${ground.source}/d`, { recursive: true });
      symlinkSync(outside, `${ground.source}/d`);
    });
    const image = snapshotTree(tree);
    expect([...image.keys()]).toEqual(['', 'd', 'top']);
    expect(image.get('d')).toMatchObject({ type: 'symlink', target: outside });
    expect(made.partial).toBe(false);
    expect(made.warnings.join()).toContain('vanished');
  });

  it('attributes of the root alone reach the new image and no older one', async () => {
    const ground = await smallGround();
    mustSync(['touch', '--date=@1500000000.5', ground.source]);
    const { made, tree } = await ground.change(() => {
      mustSync(['chmod', '0711', ground.source]);
      mustSync(['chown', '7:7', ground.source, `${ground.source}/top`]);
    });
    expect(snapshotTree(tree).get('')).toMatchObject({ mode: 0o711, uid: 7, gid: 7 });
    // Not in the list, so it is as it was.
    expect(snapshotTree(tree).get('top')).toMatchObject({ uid: 0, gid: 0 });
    expect(made.warnings).toEqual([]);
  });

  it('a renamed file comes under its new name', async () => {
    const ground = await smallGround();
    const { made, tree } = await ground.change(() => {
      mustSync(['mv', `${ground.source}/d/x`, `${ground.source}/d/y`]);
    });
    expect([...snapshotTree(tree).keys()]).toEqual(['', 'd', 'd/keep', 'd/y', 'top']);
    expect(made.warnings.join()).toContain('d/x');
  });

  it('a file that becomes a directory comes with all that is in it', async () => {
    const ground = await smallGround();
    const { tree } = await ground.change(() => {
      mustSync(['sh', '-ec', 'rm x; mkdir -p x/y; echo z >x/y/z'], { cwd: `${ground.source}/d` });
    });
    expect([...snapshotTree(tree).keys()]).toEqual(['', 'd', 'd/keep', 'd/x', 'd/x/y', 'd/x/y/z', 'top']);
  });

  it('a source that goes away altogether is refused as an empty one', async () => {
    const ground = await smallGround();
    const making = ground.change(() => mustSync(['sh', '-ec', 'rm -r d top'], { cwd: ground.source }));
    await expect(making).rejects.toThrow(/is empty/);
  });

  it('a mass of files that goes away is held', async () => {
    const ground = await openGround(tempDir('moment'));
    const { source, vault } = ground;
    mustSync(['sh', '-ec', 'mkdir many; cd many; seq 1 1500 | xargs touch; echo one >../changed'], {
      cwd: source,
    });
    await ground.make('0', { engine: 'link-dest' });
    const older = snapshotTree(`${vault}/0/tree`);
    writeFileSync(`${source}/changed`, 'two');
    const run = afterScan(() => mustSync(['rm', '-r', `${source}/many`, `${source}/changed`]));
    mkdirSync(`${source}/stays`);
    const { made } = await ground.make('1', { engine: 'delta', reference: '0', run });
    await ground.close();
    expect(made.held).toBe(true);
    expect(made.findings).toContainEqual(expect.objectContaining({ code: 'deleted', level: 'hold' }));
    expect(changesSince(older, snapshotTree(`${vault}/0/tree`))).toEqual([]);
  });
});

it('rsync itself leaves alone what is still in the clone', async () => {
  const ground = await openGround(tempDir('clone'));
  const { source, vault } = ground;
  writeFileSync(`${source}/file`, 'content');
  await ground.make('0', { engine: 'link-dest' });
  const older = snapshotTree(`${vault}/0/tree`);
  mustSync(['sh', '-ec', 'chmod 0600 file; chown 7 file; setfattr -n user.a -v b file'], { cwd: source });
  let spared = 0;
  // As if the removal had missed something.
  const run: Run = (command, io, signal) => {
    if (!command.argv.includes('xargs')) return realRun(command, io, signal);
    spared += 1;
    return realRun({ ...command, argv: ['true'] }, io, signal);
  };
  await ground.make('1', { engine: 'delta', reference: '0', run });
  await ground.close();
  expect(spared).toBe(2);
  expect(changesSince(older, snapshotTree(`${vault}/0/tree`))).toEqual([]);
});
