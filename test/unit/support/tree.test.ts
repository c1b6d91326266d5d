import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, test } from 'vitest';
import { needs } from '../../support/needs.ts';
import { mustSync } from '../../support/process.ts';
import { tempDir } from '../../support/temp.ts';
import { changesSince, compareTrees, sharedInodes, snapshotTree, type Tree } from '../../support/tree.ts';

needs('xattr', 'acl', 'root');

const ODD = Buffer.concat([Buffer.from('odd\n\\#123 \xff', 'latin1'), Buffer.from([0xfe])]);

/** A small tree, its copy, and what is found different after the copy was changed. */
function afterChange(change: (copy: string) => void): string[] {
  const { original, copy } = pair();
  change(copy);
  return compareTrees(snapshotTree(original), snapshotTree(copy));
}

function pair(): { original: string; copy: string } {
  const directory = tempDir();
  const original = `${directory}/original`;
  mkdirSync(`${original}/sub`, { recursive: true });
  writeFileSync(`${original}/file`, 'content');
  writeFileSync(`${original}/other`, 'more');
  linkSync(`${original}/file`, `${original}/sub/linked`);
  symlinkSync('file', `${original}/symbolic`);
  writeFileSync(Buffer.concat([Buffer.from(`${original}/sub/`), ODD]), 'odd');
  mustSync(['mkfifo', `${original}/fifo`]);
  mustSync(['mknod', `${original}/device`, 'c', '1', '3']);
  mustSync(['cp', '-a', original, `${directory}/copy`]);
  return { original, copy: `${directory}/copy` };
}

describe('compareTrees', () => {
  test('finds no difference between a tree and its faithful copy', () => {
    expect(afterChange(() => undefined)).toEqual([]);
  });

  const fixed = new Date(1_600_000_000_000);
  const keepTime = (path: string, action: () => void) => {
    execFileSync('touch', ['-r', path, `${path}.time`]);
    action();
    execFileSync('touch', ['-h', '-r', `${path}.time`, path]);
    rmSync(`${path}.time`);
  };
  test.each<[string, (copy: string) => void, string]>([
    ['mode', (copy) => chmodSync(`${copy}/file`, 0o4644), '"file" mode: 0644 != 04644'],
    ['owner', (copy) => mustSync(['chown', '7', `${copy}/other`]), '"other" uid: 0 != 7'],
    ['group owner', (copy) => mustSync(['chown', '-h', ':7', `${copy}/symbolic`]), '"symbolic" gid: 0 != 7'],
    ['size', (copy) => truncateSync(`${copy}/other`, 3), '"other" size: 4 != 3'],
    ['time', (copy) => utimesSync(`${copy}/sub`, fixed, fixed), '"sub" mtime: '],
    ['time of a link', (copy) => lutimesSync(`${copy}/symbolic`, fixed, fixed), '"symbolic" mtime: '],
    [
      'content',
      (copy) => keepTime(`${copy}/other`, () => writeFileSync(`${copy}/other`, 'MORE')),
      '"other" content: ',
    ],
    [
      'xattr',
      (copy) => mustSync(['setfattr', '-n', 'user.x', '-v', '1', `${copy}/other`]),
      '"other" xattrs: "" != ',
    ],
    [
      'trusted xattr of a link',
      (copy) => mustSync(['setfattr', '-h', '-n', 'trusted.x', '-v', '1', `${copy}/symbolic`]),
      '"symbolic" xattrs: ',
    ],
    [
      'capability',
      (copy) => mustSync(['setcap', 'cap_net_raw+ep', `${copy}/other`]),
      'security.capability=0x',
    ],
    [
      'access ACL',
      (copy) => mustSync(['setfacl', '-m', 'u:7:r', `${copy}/sub`]),
      'system.posix_acl_access=0x',
    ],
    ['default ACL', (copy) => mustSync(['setfacl', '-d', '-m', 'u:7:r', copy]), '"." xattrs: '],
    [
      'a joined link',
      (copy) => {
        unlinkSync(`${copy}/other`);
        linkSync(`${copy}/file`, `${copy}/other`);
      },
      '"other" group: "other" != "file"',
    ],
    [
      'a broken link',
      (copy) => mustSync(['sh', '-c', `cp -p ${copy}/file ${copy}/x && mv ${copy}/x ${copy}/file`]),
      '"sub/linked" group: "file" != "sub/linked"',
    ],
    [
      'target',
      (copy) => {
        unlinkSync(`${copy}/symbolic`);
        symlinkSync('elif', `${copy}/symbolic`);
      },
      '"symbolic" target: "file" != "elif"',
    ],
    [
      'device',
      (copy) => mustSync(['sh', '-c', `rm ${copy}/device && mknod ${copy}/device c 1 5`]),
      '"device" rdev: "259" != "261"',
    ],
    [
      'type',
      (copy) => mustSync(['sh', '-c', `rm ${copy}/fifo && mkdir ${copy}/fifo`]),
      '"fifo" type: "fifo" != "directory"',
    ],
    [
      'a missing path',
      (copy) => rmSync(`${copy}/sub`, { recursive: true }),
      '"sub/linked" is only in the first',
    ],
    ['an odd name', (copy) => mustSync(['sh', '-c', `rm ${copy}/sub/odd*`]), 'odd\\n\\\\#123 '],
    ['an added path', (copy) => writeFileSync(`${copy}/new`, ''), '"new" is only in the second'],
  ])('notices %s', (_, change, expected) => {
    expect(afterChange(change).join('\n')).toContain(expected);
  });

  test('leaves out what it is told to ignore', () => {
    const { original, copy } = pair();
    chmodSync(`${copy}/other`, 0o600);
    expect(compareTrees(snapshotTree(original), snapshotTree(copy), { ignore: ['mode'] })).toEqual([]);
  });
});

describe('changesSince', () => {
  test('allows another link to a file, which changes its ctime and link count', () => {
    const { original } = pair();
    const before = snapshotTree(original);
    linkSync(`${original}/file`, `${original}/../elsewhere`);
    expect(changesSince(before, snapshotTree(original))).toEqual([]);
  });

  test('notices a file that was replaced by an equal one', () => {
    const { original } = pair();
    const before = snapshotTree(original);
    keepDirectoryTime(original, () => {
      mustSync(['cp', '-p', `${original}/other`, `${original}/x`]);
      renameSync(`${original}/x`, `${original}/other`);
    });
    const changes = changesSince(before, snapshotTree(original));
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatch(/^"other" inode: /);
  });

  test('notices a hole where there were zeros', () => {
    const directory = tempDir();
    writeFileSync(`${directory}/zeros`, Buffer.alloc(65_536));
    // Without it the blocks may not have been allocated yet.
    mustSync(['sync', `${directory}/zeros`]);
    const before = snapshotTree(directory);
    execFileSync('touch', [
      '-r',
      `${directory}/zeros`,
      `${directory}/../${directory.split('/').at(-1)}.time`,
    ]);
    mustSync(['fallocate', '--dig-holes', `${directory}/zeros`]);
    execFileSync('touch', ['-r', `${directory}.time`, `${directory}/zeros`]);
    rmSync(`${directory}.time`);
    expect(changesSince(before, snapshotTree(directory)).join()).toContain('"zeros" blocks: ');
  });
});

function keepDirectoryTime(directory: string, action: () => void): void {
  const time = `${directory}.time`;
  execFileSync('touch', ['-r', directory, time]);
  action();
  execFileSync('touch', ['-r', time, directory]);
}

test('sharedInodes names the files that are one and the same in both trees', () => {
  const { original, copy } = pair();
  const shared = (): string[] => sharedInodes(snapshotTree(original), snapshotTree(copy));
  expect(shared()).toEqual([]);
  unlinkSync(`${copy}/other`);
  linkSync(`${original}/other`, `${copy}/other`);
  expect(shared()).toEqual(['other']);
});

test('a tree holds the bytes of every name', () => {
  const { original } = pair();
  const tree: Tree = snapshotTree(original);
  expect(tree.has(`sub/${ODD.toString('latin1')}`)).toBe(true);
});
