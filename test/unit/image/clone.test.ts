import { describe, expect, it } from 'vitest';
import {
  additions,
  ancestorsOf,
  cloneIsCheap,
  isRoot,
  isUnlinkable,
  listEntry,
  parentOf,
  removals,
  skippedXattrs,
} from '../../../src/image/clone.ts';
import type { Change } from '../../../src/image/scan.ts';

const change = (item: string, path: string, target?: string): Change => ({
  item,
  size: 0,
  path: Buffer.from(path),
  target: target === undefined ? undefined : Buffer.from(target),
  directory: item[1] === 'd',
});
const names = (paths: readonly Buffer[]) => paths.map(String);

describe('what leaves the clone', () => {
  it.each([
    ['*deleting', undefined, ['a'], []],
    ['cd+++++++++', undefined, ['a'], []],
    ['.d..t......', undefined, [], []],
    ['>f+++++++++', undefined, [], ['a']],
    ['.f...p.....', undefined, [], ['a']],
    ['cL+++++++++', undefined, [], ['a']],
    ['hf+++++++++', 'b', [], ['a', 'b']],
    ['hS', 'b', [], ['a', 'b']],
  ] as const)('%s of a', (item, target, structure, entries) => {
    const one = change(item, 'a', target);
    expect(names(removals(one, 'structure'))).toEqual(structure);
    expect(names(removals(one, 'entries'))).toEqual(entries);
  });
});

describe('what rsync has to create', () => {
  it.each([
    ['*deleting', undefined, []],
    ['.d..t......', undefined, ['a']],
    ['>f+++++++++', undefined, ['a']],
    ['hf+++++++++', 'b', ['a', 'b']],
  ] as const)('for %s of a', (item, target, expected) => {
    expect(names(additions(change(item, 'a', target)))).toEqual(expected);
  });
});

describe('paths', () => {
  it('have parents and ancestors', () => {
    expect(parentOf(Buffer.from('a/b/c'))?.toString()).toBe('a/b');
    expect(parentOf(Buffer.from('a'))).toBeUndefined();
    expect(names(ancestorsOf(Buffer.from('a/b/c')))).toEqual(['a', 'a/b']);
    expect(ancestorsOf(Buffer.from('a'))).toEqual([]);
  });

  it('the root is a dot', () => {
    expect([isRoot(Buffer.from('.')), isRoot(Buffer.from('..')), isRoot(Buffer.from('a'))]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('are nothing special for rsync', () => {
    expect(listEntry(Buffer.from('#x')).toString()).toBe('./#x\0');
  });
});

describe('what cp says', () => {
  it.each([
    ["cp: cannot create hard link './b' to './a': Too many links", true],
    ["cp: cannot create hard link './b' to './a': Operation not permitted", true],
    ["cp: cannot create hard link './b' to './a': Invalid cross-device link", true],
    ["cp: cannot create directory './b': No space left on device", false],
    ["cp: cannot open './a: Too many links' for reading: Input/output error", false],
  ])('%s', (line, expected) => {
    expect(isUnlinkable(line)).toBe(expected);
  });
});

describe('xattr.conf', () => {
  it('names what cp skips', () => {
    const text = '# user.no skip\nsystem.x permissions\nuser.Beagle.*\t\tskip\t# index\n security.evm skip\n';
    const pattern = skippedXattrs(text) ?? '';
    expect(pattern).toBe('^(user\\.Beagle\\..*|security\\.evm)$');
    expect(
      ['user.Beagle.x', 'userXBeagle.x', 'security.evm2'].map((name) => new RegExp(pattern).test(name)),
    ).toEqual([true, false, false]);
  });

  it('may skip nothing', () => {
    expect(skippedXattrs('')).toBeUndefined();
    expect(skippedXattrs('user.x permissions\n')).toBeUndefined();
  });
});

describe('cloning before the judgement', () => {
  const space = { freeBytes: 1e12, freeInodes: 1e9, blockSize: 4096 };
  it.each([
    [undefined, space, false],
    [1000, space, true],
    [1000, { ...space, freeInodes: undefined }, true],
    [1000, { ...space, freeBytes: 4096 * 1000 }, false],
    [1000, { ...space, freeInodes: 1000 }, false],
  ])('of %j directories with %j', (directories, room, expected) => {
    expect(cloneIsCheap(directories, room)).toBe(expected);
  });
});
