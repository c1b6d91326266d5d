import { mkdirSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../src/config/options.ts';
import { applyMutations, applyTree } from '../../support/apply.ts';
import { mutations, treeOperations } from '../../support/arbitrary.ts';
import { cleanUp } from '../../support/cleanup.ts';
import { loopDisk } from '../../support/loop.ts';
import { needs } from '../../support/needs.ts';
import { must, mustSync } from '../../support/process.ts';
import { tempDir } from '../../support/temp.ts';
import { changesSince, snapshotTree } from '../../support/tree.ts';
import { ALWAYS, differences } from './equivalence-case.ts';
import { openGround, type Ground } from './equivalence-ground.ts';

needs('root', 'rsync', 'xattr', 'gcc');

/** One large tree with everything in it, and one large change. */
const TREE = fc.sample(treeOperations(), { seed: 5, numRuns: 5 }).flat();
const CHANGE = fc.sample(mutations(), { seed: 6, numRuns: 5 }).flat();

/** Every option of the allow-list of src/image/engine.ts, and how the short ones may be put together. */
const DELTA: readonly (readonly string[])[] = [
  ...[
    '-a',
    '-A',
    '-c',
    '-D',
    '-g',
    '-h',
    '-H',
    '-i',
    '-l',
    '-o',
    '-p',
    '-q',
    '-r',
    '-s',
    '-S',
    '-t',
    '-v',
    '-W',
  ],
  ...['-x', '-xx', '-X', '-z', '-4', '-6', '-C', '-aAXHS', '-hhqivv', '-vvvv', '-ii'],
  ...['--acls', '--archive', '--bwlimit=100000', '--checksum', '--checksum-choice=md5', '--compress'],
  ...[
    '--compress-choice=zlib',
    '--compress-level=1',
    '--cvs-exclude',
    '--debug=all',
    '--devices',
    '--exclude=b',
  ],
  ...[
    '--exclude-from=/dev/null',
    '--exclude=!',
    '--filter=- b',
    '--filter=+_b',
    '--filter=exclude b',
    '--group',
  ],
  ...[
    '--hard-links',
    '--human-readable',
    '--include=b',
    '--include-from=/dev/null',
    '--info=none',
    '--info=del0',
  ],
  ...[
    '--info=progress2',
    '--info=stats0',
    '--ipv4',
    '--ipv6',
    '--itemize-changes',
    '--links',
    '--new-compress',
  ],
  ...['--no-compress', '--no-human-readable', '--no-whole-file', '--numeric-ids', '--old-compress'],
  ...['--one-file-system', '--owner', '--perms', '--port=1', '--progress', '--protect-args', '--quiet'],
  ...[
    '--recursive',
    '--rsync-path=rsync',
    '--secluded-args',
    '--skip-compress=gz',
    '--sockopts=SO_KEEPALIVE',
  ],
  ...[
    '--sparse',
    '--specials',
    '--stats',
    '--times',
    '--timeout=60',
    '--verbose',
    '--whole-file',
    '--xattrs',
  ],
  ...['--zc=zlib', '--zl=2'],
].map((option) => [option]);

/** What would make an image that differs, or that nobody has tried. */
const LINK_DEST: readonly string[] = [
  ...[
    '--update',
    '-u',
    '--ignore-existing',
    '--existing',
    '--max-size=1k',
    '--min-size=1',
    '-b',
    '--backup',
    '-O',
  ],
  ...[
    '--omit-dir-times',
    '--no-perms',
    '--no-owner',
    '--no-group',
    '--no-times',
    '--no-links',
    '-F',
    '-FF',
    '-vF',
  ],
  ...[
    '--filter=P b',
    '--filter=protect_b',
    '--filter=R b',
    '--filter=-r b',
    '--filter=exclude,r b',
    '--filter=: x',
  ],
  ...[
    '--filter=dir-merge x',
    '--filter=. /dev/null',
    '--filter=-x user.a',
    '--filter=!',
    '-f- b',
    '--chmod=go=',
  ],
  ...[
    '--copy-links',
    '-L',
    '-k',
    '-K',
    '--inplace',
    '--append',
    '--delete',
    '--fuzzy',
    '-y',
    '-P',
    '--partial',
  ],
  ...[
    '--size-only',
    '-I',
    '--ignore-times',
    '--modify-window=2',
    '--usermap=*:0',
    '--chown=0:0',
    '--fake-super',
  ],
  ...[
    '--files-from=/dev/null',
    '--compare-dest=/x',
    '--link-dest=/x',
    '--iconv=.',
    '--remote-option=-v',
    '-n',
  ],
];

async function prepared(first: Partial<Settings> = {}): Promise<Ground> {
  const ground = await openGround(tempDir('options'));
  cleanUp(ground.close);
  applyTree(ground.source, [...TREE, ALWAYS]);
  await ground.make('0', { engine: 'link-dest', settings: first });
  applyMutations(ground.source, [...CHANGE, ALWAYS]);
  return ground;
}

/** Makes an image with each engine; gives all differences, and the engine that was taken where delta was asked for. */
async function compare(ground: Ground, settings: Partial<Settings>) {
  const before = snapshotTree(`${ground.vault}/0/tree`);
  const plain = await ground.make('plain', { engine: 'link-dest', reference: '0', settings });
  const delta = await ground.make('delta', { engine: 'delta', reference: '0', settings });
  const found = differences(before, snapshotTree(plain.tree), snapshotTree(delta.tree));
  const changed = changesSince(before, snapshotTree(`${ground.vault}/0/tree`));
  expect(delta.made.totals).toEqual(plain.made.totals);
  expect(delta.made.tally).toEqual(plain.made.tally);
  return { found: [...found, ...changed], engine: delta.plan.engine.engine, delta };
}

describe('every rsync option on the allow-list gives the same image', () => {
  it.each(DELTA.map((options) => ({ options })))('$options', async ({ options }) => {
    const ground = await prepared();
    const result = await compare(ground, { 'rsync-option': options });
    expect(result.found).toEqual([]);
    expect(result.engine).toBe('delta');
    expect(result.delta.made.totals?.entries).toBeGreaterThan(15);
  });
});

describe('other options take the plain engine, and say why', () => {
  it.each(LINK_DEST.map((option) => ({ option })))('$option', async ({ option }) => {
    const ground = await openGround(tempDir('options'));
    const settings = { 'rsync-option': [option] };
    const plan = ground.plan('1', { engine: 'delta', reference: '0', settings });
    await ground.close();
    expect(plan.engine).toMatchObject({ engine: 'link-dest' });
    expect(plan.engine.reason).toContain(option);
  });
});

/** Switches that may be on when the reference is made and off afterwards, and the other way round. */
const SWITCHES = [
  ...(['checksum', 'sparse', 'whole-file', 'hard-links', 'numeric-ids', 'xdev'] as const),
  ...(['acls', 'xattrs', 'devices', 'permissions'] as const),
];

describe('every switch, kept or changed since the reference', () => {
  const cases = SWITCHES.flatMap((name) =>
    [true, false].flatMap((was) => [true, false].map((now) => ({ name, was, now }))),
  );
  it.each(cases)('$name: $was, then $now', async ({ name, was, now }) => {
    const ground = await prepared({ [name]: was });
    const { found, engine } = await compare(ground, { [name]: now });
    expect(found).toEqual([]);
    const isLost = (name === 'acls' || name === 'xattrs') && was && !now;
    const isNeeded = (name === 'devices' || name === 'permissions') && !now;
    expect(engine).toBe(isLost || isNeeded ? 'link-dest' : 'delta');
  });
});

describe('what only real file systems show', () => {
  it.each([{ options: [] }, { options: ['-x'] }, { options: ['-xx'] }])(
    'mounts below the source with $options',
    async ({ options }) => {
      const ground = await prepared();
      const mounted = `${ground.source}/mounted`;
      mkdirSync(mounted);
      mustSync(['mount', '-t', 'tmpfs', '-o', 'mode=0751', 'tmpfs', mounted]);
      cleanUp(() => void mustSync(['umount', mounted]));
      mustSync(['sh', '-ec', 'mkdir d; echo x >d/x; touch -d @1500000000 .'], { cwd: mounted });
      const { found, engine } = await compare(ground, { 'rsync-option': options });
      expect(found).toEqual([]);
      expect(engine).toBe('delta');
    },
  );
});

describe('the link limit of ext4', () => {
  needs('ext4', 'perl');

  it('what has no link left is copied, and said so', { timeout: 600_000 }, async () => {
    const disk = await loopDisk({ type: 'ext4', sizeMiB: 128 });
    const ground = await openGround(disk.directory);
    cleanUp(ground.close);
    const { source, vault } = ground;
    writeFileSync(`${source}/full`, 'at the limit');
    mustSync(['ln', 'full', 'other'], { cwd: source });
    writeFileSync(`${source}/near`, 'one link left');
    writeFileSync(`${source}/free`, 'far from it');
    await ground.make('0', { engine: 'link-dest' });
    mkdirSync(`${vault}/links`);
    const fill = 'for ($n = (stat "0/tree/$ARGV[0]")[3]; $n < $ARGV[1]; $n++)';
    const link = 'link "0/tree/$ARGV[0]", "links/$ARGV[0]$n" or die $!';
    await must(['perl', '-e', `${fill} { ${link} }`, 'full', '65000'], { cwd: vault });
    await must(['perl', '-e', `${fill} { ${link} }`, 'near', '64999'], { cwd: vault });
    const before = snapshotTree(`${vault}/0/tree`);
    expect(before.get('full')?.nlink).toBe(65_000);
    writeFileSync(`${source}/free`, 'changed');
    // Each engine on its own: the first to come would take the last link.
    const delta = await ground.make('delta', { engine: 'delta', reference: '0' });
    const after = snapshotTree(delta.tree);
    mustSync(['rm', '-r', `${vault}/delta`]);
    const plain = await ground.make('plain', { engine: 'link-dest', reference: '0' });
    expect(differences(before, snapshotTree(plain.tree), after)).toEqual([]);
    expect(after.get('near')?.inode).toBe(before.get('near')?.inode);
    expect(after.get('full')?.inode).not.toBe(before.get('full')?.inode);
    expect(after.get('other')?.group).toBe('full');
    expect(delta.made.findings).toContainEqual(expect.objectContaining({ code: 'links', files: 2 }));
  });
});
