import { writeFileSync } from 'node:fs';
import fc, { type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../src/config/options.ts';
import { excludes, mutations } from '../../support/arbitrary.ts';
import { needs } from '../../support/needs.ts';
import type { Operation } from '../../support/operation.ts';
import { tempDir, withTempDir } from '../../support/temp.ts';
import { play, runs, SEED, stories, type Story } from './equivalence-case.ts';

needs('root', 'rsync', 'xattr', 'gcc');

const TIMEOUT = 3_600_000;

/** The random operations of most cases, with others before and after them. */
function among(extra: Arbitrary<Operation>): Arbitrary<Operation[]> {
  const some = fc.array(extra, { maxLength: 4, size: 'max' });
  return fc.tuple(some, mutations(), some).map((parts) => parts.flat());
}

/** Attributes that /etc/xattr.conf has `cp -a` leave out, and some that it copies. */
const oddAttributes: Arbitrary<Operation> = fc.record({
  do: fc.constant('xattr'),
  of: fc.oneof(fc.nat(1000), fc.constant<'root'>('root')),
  name: fc.constantFrom('user.Beagle.x', 'trusted.SGI_ACL_FILE', 'security.evm', 'security.other'),
  value: fc.constantFrom('0301ff', '61'),
});

/** Few changes, each of a kind that is easily overlooked when it comes alone. */
const alone: Arbitrary<Operation[]> = fc.oneof<Arbitrary<Operation[]>[]>(
  fc.constant([]),
  fc
    .record({ do: fc.constant('chmod'), of: fc.constant('root'), mode: fc.constant(0o711) })
    .map((one) => [one]),
  fc
    .record({
      do: fc.constant('touch'),
      of: fc.constant('root'),
      at: fc.nat(0x7fff_ffff),
      sameSecond: fc.boolean(),
    })
    .map((one) => [one]),
  fc.array(fc.record({ do: fc.constant('delete'), of: fc.nat(1000), at: fc.nat(0x7fff_ffff) }), {
    minLength: 1,
    maxLength: 3,
    size: 'max',
  }),
);

const RULES = [
  'P b',
  'R a',
  'H c*',
  'S a',
  '!',
  '- *.o',
  '+ b',
  '- a',
  '-! */',
  '-s b',
  '-r b',
  '- dir/',
  '-x user.a',
];

const ruleFile: Arbitrary<Operation> = fc.record({
  do: fc.constant('filter'),
  in: fc.nat(1000),
  rules: fc.array(fc.constantFrom(...RULES), { minLength: 1, maxLength: 3 }),
  at: fc.nat(0x7fff_ffff),
});

const FILTERS: readonly (readonly string[])[] = [
  ...[
    ['-C'],
    ['--exclude=b'],
    ['--include=a', '--exclude=c*'],
    ['--filter=-_b'],
    ['--filter=+ b', '--filter=- *o*'],
  ],
  ...[['--filter=exclude /a'], ['--exclude=!', '--exclude=core'], ['--include-from=RULES', '--exclude=x*']],
  // With these, every engine is link-dest.
  ...[
    ['-F'],
    ['-FF'],
    ['-F', '-C'],
    ['--filter=dir-merge,- .rsync-filter'],
    ['--filter=P b'],
    ['--filter=exclude,r b'],
  ],
];

const OPTIONS = [
  ...[
    '-c',
    '-W',
    '-z',
    '-S',
    '-x',
    '-H',
    '-A',
    '-X',
    '-a',
    '-v',
    '-q',
    '-h',
    '-i',
    '-vvhhqi',
    '--no-whole-file',
  ],
  ...[
    '--checksum',
    '--compress',
    '--no-perms',
    '--no-owner',
    '--no-group',
    '--sparse',
    '--info=none',
    '--quiet',
  ],
  ...['--one-file-system', '--debug=all', '--progress', '--recursive', '--specials', '--numeric-ids'],
];

const usually = fc.nat(9).map((number) => number > 0);
const sometimes = fc.boolean();

const switches: Arbitrary<Partial<Settings>> = fc.record({
  checksum: sometimes,
  sparse: sometimes,
  'whole-file': sometimes,
  'hard-links': sometimes,
  'numeric-ids': sometimes,
  xdev: sometimes,
  acls: usually,
  xattrs: usually,
  devices: usually,
  permissions: usually,
  'rsync-option': fc.subarray(OPTIONS, { maxLength: 2 }),
});

/** Plays all stories; gives how often each engine was taken. */
async function playAll(kind: Arbitrary<Story>, number: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const property = fc.asyncProperty(kind, async (story) => {
    const taken = await withTempDir((directory) => play(directory, story));
    for (const engine of taken) counts[engine] = (counts[engine] ?? 0) + 1;
  });
  await fc.assert(property, { numRuns: runs(number), seed: SEED, endOnFailure: true });
  return counts;
}

/** Two at a time, since a case mostly waits for one process after another. */
describe.concurrent(`both engines make the same image (seed ${SEED})`, () => {
  it('of any tree after any changes, with changing excludes', { timeout: TIMEOUT }, async () => {
    const counts = await playAll(stories(), 110);
    expect(counts['link-dest']).toBeUndefined();
    expect(counts['delta']).toBeGreaterThan(runs(200));
  });

  it('with immutable files and attributes that cp skips', { timeout: TIMEOUT }, async () => {
    const operations = fc.oneof(among(oddAttributes), alone);
    const counts = await playAll(stories({ immutable: true, operations }), 80);
    expect(counts['link-dest']).toBeUndefined();
    expect(counts['delta']).toBeGreaterThan(runs(120));
  });

  it('with filters of the user and of the client', { timeout: TIMEOUT }, async () => {
    const rules = `${tempDir('rules')}/rules`;
    writeFileSync(rules, '+ a\n- b\n*.o\n');
    const filters = FILTERS.map((options) => options.map((option) => option.replace('RULES', rules)));
    const settings = fc.record({ exclude: excludes(), 'rsync-option': fc.constantFrom(...filters) });
    const counts = await playAll(stories({ operations: among(ruleFile), settings }), 50);
    expect(counts['delta']).toBeGreaterThan(runs(40));
    expect(counts['link-dest']).toBeGreaterThan(runs(20));
  });

  it('with options and switches that come and go', { timeout: TIMEOUT }, async () => {
    const counts = await playAll(stories({ settings: switches }), 60);
    expect(counts['delta']).toBeGreaterThan(runs(60));
    expect(counts['link-dest']).toBeGreaterThan(runs(30));
  });
});
