import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyMutations, applyTree } from '../../support/apply.ts';
import { excludes, mutations, treeOperations } from '../../support/arbitrary.ts';
import { needs } from '../../support/needs.ts';
import type { Model, Operation } from '../../support/operation.ts';
import { compileOperations } from '../../support/operations.ts';
import { mustSync } from '../../support/process.ts';
import { tempDir, withTempDir } from '../../support/temp.ts';
import { compareTrees, snapshotTree, type Tree } from '../../support/tree.ts';

needs('gcc', 'xattr', 'root', 'rsync');

const SEED = 20_261_125;
const everything = () => mutations({ privileged: true, filters: true });

test('the same operations make the same tree', async () => {
  await fc.assert(
    fc.asyncProperty(treeOperations(), everything(), (tree, changes) =>
      withTempDir((directory) => {
        const [first, second] = ['a', 'b'].map((name) => {
          applyTree(`${directory}/${name}`, tree);
          applyMutations(`${directory}/${name}`, changes);
          return snapshotTree(`${directory}/${name}`);
        }) as [Tree, Tree];
        expect(compareTrees(first, second)).toEqual([]);
      }),
    ),
    { numRuns: 25, seed: SEED },
  );
});

test('rsync copies whatever they make, before and after the changes', async () => {
  const copy = (directory: string, name: string) => {
    mustSync(['rsync', '-aHAXS', '--numeric-ids', `${directory}/source/`, `${directory}/${name}/`]);
    return compareTrees(snapshotTree(`${directory}/source`), snapshotTree(`${directory}/${name}`));
  };
  await fc.assert(
    fc.asyncProperty(treeOperations(), everything(), (tree, changes) =>
      withTempDir((directory) => {
        applyTree(`${directory}/source`, tree);
        expect(copy(directory, 'first')).toEqual([]);
        applyMutations(`${directory}/source`, changes);
        expect(copy(directory, 'second')).toEqual([]);
      }),
    ),
    { numRuns: 25, seed: SEED },
  );
});

test('excludes keep rsync from copying some of it', async () => {
  let left = 0;
  await fc.assert(
    fc.asyncProperty(treeOperations(), excludes(), (tree, patterns) =>
      withTempDir((directory) => {
        applyTree(`${directory}/source`, tree);
        const flags = patterns.map((pattern) => `--exclude=${pattern}`);
        mustSync([
          'rsync',
          '-aHAXS',
          '--numeric-ids',
          ...flags,
          `${directory}/source/`,
          `${directory}/copy/`,
        ]);
        left += snapshotTree(`${directory}/source`).size - snapshotTree(`${directory}/copy`).size;
      }),
    ),
    { numRuns: 25, seed: SEED },
  );
  expect(left).toBeGreaterThan(0);
});

describe('in a hundred trees there are', () => {
  const trees = (): Tree[] =>
    fc
      .sample(fc.tuple(treeOperations(), everything()), { numRuns: 100, seed: SEED })
      .map(([tree, changes], index) => {
        const directory = `${root}/${index}`;
        applyTree(directory, tree);
        applyMutations(directory, changes);
        return snapshotTree(directory);
      });
  let root = '';
  let entries: [string, ReturnType<Tree['get']> & object][] = [];
  const made = () => {
    if (entries.length > 0) return entries;
    root = tempDir('trees');
    entries = trees().flatMap((tree) => [...tree]);
    return entries;
  };
  const every = ['file', 'directory', 'symlink', 'fifo', 'socket', 'char', 'block'];
  test.each(every)('entries of type %s', (type) => {
    expect(made().some(([, entry]) => entry.type === type)).toBe(true);
  });

  test.each<[string, (name: string, entry: ReturnType<Tree['get']> & object) => boolean]>([
    ['newlines in names', (name) => name.includes('\n')],
    [
      'invalid UTF-8',
      (name) => Buffer.from(Buffer.from(name, 'latin1').toString()).toString('latin1') !== name,
    ],
    ['names of 255 bytes', (name) => name.split('/').some((part) => part.length === 255)],
    ['comment signs', (name) => name.split('/').some((part) => part.startsWith('#') || part.startsWith(';'))],
    ['hard links', (name, entry) => entry.group !== name],
    ['sparse files', (_, entry) => entry.type === 'file' && entry.blocks * 512 < entry.size],
    ['user attributes', (_, entry) => entry.xattrs.includes('user.')],
    [
      'trusted attributes on links',
      (_, entry) => entry.type === 'symlink' && entry.xattrs.includes('trusted.'),
    ],
    ['capabilities', (_, entry) => entry.xattrs.includes('security.capability')],
    ['access ACLs', (_, entry) => entry.xattrs.includes('posix_acl_access')],
    ['default ACLs', (_, entry) => entry.xattrs.includes('posix_acl_default')],
    ['files of mode 000', (_, entry) => entry.type === 'file' && entry.mode === 0],
    ['setuid files', (_, entry) => entry.type === 'file' && (entry.mode & 0o4000) !== 0],
    ['owners beyond 2^31', (_, entry) => entry.uid === 4_000_000_000],
    ['fractions of seconds', (_, entry) => !entry.mtime.endsWith('000000000')],
    ['whole seconds', (_, entry) => entry.mtime.endsWith('000000000')],
    ['filter files', (name) => name.endsWith('.rsync-filter')],
    ['changed roots', (name, entry) => name === '' && entry.mode !== 0o755],
  ])('%s', (_, holds) => {
    expect(made().some(([name, entry]) => holds(name, entry))).toBe(true);
  });
});

describe('compileOperations', () => {
  const model = (): Model =>
    new Map([
      ['', { type: 'directory', size: 0, seconds: 0, nanoseconds: 0 }],
      ['d', { type: 'directory', size: 0, seconds: 0, nanoseconds: 0 }],
      ['d/f', { type: 'file', size: 5, seconds: 77, nanoseconds: 3 }],
    ]);
  const as = { mode: 0o644, uid: 0, gid: 0, at: 5 };
  const compiled = (...operations: Operation[]) => compileOperations(model(), operations);

  test('a rewrite within a second keeps size and second, not the fraction', () => {
    expect(compiled({ do: 'rewrite', of: 0, how: 'same second', as })).toEqual([
      ['data', 'd/f', 'old', 5, 0, 5, 5],
      ['time', 'd/f', 77, 9],
    ]);
  });

  test('a directory is never moved into itself, nor onto another path of its own', () => {
    expect(compiled({ do: 'rename', of: 0, in: 1, name: 'x', at: 1 })).toEqual([]);
    expect(compiled({ do: 'rename', of: 0, in: 0, name: 'd', at: 1 })).toEqual([]);
  });

  test('what was moved is found at its new place by the next operation', () => {
    const instructions = compiled(
      { do: 'rename', of: 0, in: 0, name: 'e', at: 1 },
      { do: 'chmod', of: 2, mode: 0o600 },
    );
    expect(instructions[0]).toEqual(['rename', 'd', 'e']);
    expect(instructions.at(-1)).toEqual(['chmod', 'e/f', 0o600]);
  });

  test('nothing is made over something else', () => {
    expect(compiled({ do: 'create', in: 0, name: 'd', what: { type: 'fifo' }, as })).toEqual([]);
  });
});
