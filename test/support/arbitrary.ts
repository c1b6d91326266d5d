import fc, { type Arbitrary } from 'fast-check';
import type { Attributes, Operation, Target, What } from './operation.ts';

export interface Kind {
  /** Owners, devices, `trusted` attributes and capabilities too, and modes that shut out even the owner. */
  readonly privileged: boolean;
}

const ROOT: Kind = { privileged: process.getuid?.() === 0 };

/** Names that something on the way from one disk to another might take for something else. */
const ODD_NAMES: readonly string[] = [
  ...['a', 'b', 'c', 'dir', 'tree', 'summary', '.hidden', '...', 'x.o', 'core', 'CVS', '.incomplete-x'],
  ...['#hash', ';semicolon', '-dash', '--delete', '+ plus', '- minus', '!', ':C', '.rsync-partial', '~'],
  ...['new\nline', '\n', ' leading', 'trailing ', ' ', 'tab\t', '\r', '\x01\x7f', '\x1b[31m'],
  ...['\\#123', '\\#012x', 'back\\slash', '\\', '*', '?', '[x]', '**', '%i', '%', '$HOME', '`id`', "'", '"'],
  ...[
    'a => b',
    ' => ',
    '=>',
    '*deleting   x',
    '>f+++++++++ x',
    'cd+++++++++ y',
    'host:path',
    'host::module',
    '@',
  ],
  ...[
    '\xc3\xbc\xc3\xb1',
    '\xff\xfe',
    '\xc3',
    'e\xcc\x81',
    '\xe2\x80\xae',
    'x'.repeat(255),
    '\xff'.repeat(255),
  ],
];

const LINK_TARGETS: readonly string[] = [
  ...['a', 'b', 'dir', '.', '..', 'nowhere', '/etc/passwd', '../../../../etc', 'a => b', 'new\nline', '\xff'],
  ...[' ', '\\#123', '-dash', 'x'.repeat(300)],
];

const XATTRS = ['user.a', 'user.b=c', 'user.\xff', 'trusted.a', 'security.capability'] as const;

/** cap_net_raw, permitted and effective; cap_net_bind_service, permitted. */
const CAPABILITIES = ['0100000200200000000000000000000000000000', '0000000200040000000000000000000000000000'];

const RULES = ['- *.o', '- /a', '- b', '- dir/', '+ b', '- c*', '+ */', '- \\#hash', '- *'] as const;

const number = () => fc.nat(1000);

/** Not made smaller: equal moments would give unlike files equal times, which no backup could tell apart. */
const moment = () => fc.noShrink(fc.noBias(fc.nat(0x7fff_ffff)));

const name = () =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...ODD_NAMES) },
    {
      weight: 2,
      arbitrary: fc
        .uint8Array({ minLength: 1, maxLength: 12 })
        .map((bytes) => Buffer.from(bytes).toString('latin1').replaceAll(/[\0/]/g, '_'))
        .filter((text) => text !== '.' && text !== '..'),
    },
  );

const owner = ({ privileged }: Kind) =>
  privileged ? fc.constantFrom(0, 1, 7, 65_534, 4_000_000_000) : fc.constant(-1);

const mode = ({ privileged }: Kind) => {
  const modes = [
    0o644, 0o600, 0o755, 0o700, 0o777, 0o4755, 0o2755, 0o1777, 0o6711, 0o7777, 0o444, 0o555, 0o000, 0o200,
  ];
  return privileged ? fc.constantFrom(...modes) : fc.constantFrom(...modes.map((bits) => bits | 0o700));
};

const attributes = (kind: Kind): Arbitrary<Attributes> =>
  fc.record({ mode: mode(kind), uid: owner(kind), gid: owner(kind), at: moment() });

const size = () => fc.constantFrom(0, 1, 7, 700, 4096, 5000, 70_000);

const file = (): Arbitrary<What> => size().map((length) => ({ type: 'file', size: length, from: 0, length }));

const sparse = (): Arbitrary<What> =>
  fc
    .record({
      size: fc.constantFrom(65_536, 300_000, 1_000_000),
      block: fc.nat(15),
      length: fc.constantFrom(0, 1, 4096),
    })
    .map((hole) => ({
      type: 'file',
      size: hole.size,
      from: Math.min(hole.block * 4096, hole.size - hole.length),
      length: hole.length,
    }));

const special = ({ privileged }: Kind): Arbitrary<What> =>
  fc
    .constantFrom<('fifo' | 'socket' | 'char' | 'block')[]>(
      ...(privileged ? (['fifo', 'socket', 'char', 'block'] as const) : (['fifo', 'socket'] as const)),
    )
    .map((type) => ({ type }));

const what = (kind: Kind): Arbitrary<What> =>
  fc.oneof(
    { weight: 6, arbitrary: file() },
    { weight: 4, arbitrary: fc.constant<What>({ type: 'directory' }) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(...LINK_TARGETS).map<What>((target) => ({ type: 'symlink', target })),
    },
    { weight: 1, arbitrary: sparse() },
    { weight: 1, arbitrary: special(kind) },
  );

const anything = (): Arbitrary<Target> =>
  fc.oneof({ weight: 6, arbitrary: number() }, { weight: 1, arbitrary: fc.constant<Target>('root') });

const create = (kind: Kind): Arbitrary<Operation> =>
  fc.record({
    do: fc.constant('create'),
    in: number(),
    name: name(),
    what: what(kind),
    as: attributes(kind),
  });

const link = (): Arbitrary<Operation> =>
  fc.record({ do: fc.constant('link'), of: number(), in: number(), name: name(), at: moment() });

const xattr = ({ privileged }: Kind): Arbitrary<Operation> =>
  fc.constantFrom(...XATTRS.filter((one) => privileged || one.startsWith('user.'))).chain((attribute) =>
    fc.record({
      do: fc.constant('xattr' as const),
      of: attribute === 'security.capability' ? number() : anything(),
      name: fc.constant(attribute),
      value:
        attribute === 'security.capability'
          ? fc.constantFrom(...CAPABILITIES)
          : fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    }),
  );

const metadata = (kind: Kind): Arbitrary<Operation> =>
  fc.oneof<Arbitrary<Operation>[]>(
    fc.record({ do: fc.constant('chmod'), of: anything(), mode: mode(kind) }),
    fc.record({ do: fc.constant('chown'), of: anything(), uid: owner(kind), gid: owner(kind) }),
    fc.record({ do: fc.constant('touch'), of: anything(), at: moment(), sameSecond: fc.boolean() }),
    xattr(kind),
    fc.record({
      do: fc.constant('unxattr'),
      of: number(),
      name: fc.constantFrom(...XATTRS.filter((one) => kind.privileged || one.startsWith('user.'))),
    }),
    fc.record({
      do: fc.constant('acl'),
      of: anything(),
      kind: fc.constantFrom('access', 'default'),
      uid: fc.constantFrom(1, 7, 65_534),
      perm: fc.constantFrom(0, 4, 5, 7),
    }),
  );

const change = (kind: Kind): Arbitrary<Operation> =>
  fc.oneof<{ weight: number; arbitrary: Arbitrary<Operation> }[]>(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('rewrite'),
        of: number(),
        how: fc.constantFrom('same size', 'same second', 'longer', 'empty', 'fresh'),
        as: attributes(kind),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('rename'),
        of: number(),
        in: number(),
        name: name(),
        at: moment(),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('delete'), of: number(), at: moment() }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('retype'),
        of: number(),
        what: what(kind),
        as: attributes(kind),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('clear'), of: anything(), at: moment() }) },
  );

const filter = (): Arbitrary<Operation> =>
  fc.record({
    do: fc.constant('filter'),
    in: number(),
    rules: fc.array(fc.constantFrom(...RULES), { minLength: 1, maxLength: 3 }),
    at: moment(),
  });

/** A tree, as the operations that make it out of an empty directory. */
export function treeOperations(kind: Kind = ROOT): Arbitrary<Operation[]> {
  return fc.array(
    fc.oneof(
      { weight: 10, arbitrary: create(kind) },
      { weight: 2, arbitrary: link() },
      { weight: 3, arbitrary: metadata(kind) },
    ),
    { maxLength: 30, size: 'max' },
  );
}

export interface MutationKind extends Kind {
  /** `.rsync-filter` files too. */
  readonly filters: boolean;
}

/** What happens to a tree from one night to the next. */
export function mutations(kind: MutationKind = { ...ROOT, filters: false }): Arbitrary<Operation[]> {
  return fc.array(
    fc.oneof(
      { weight: 3, arbitrary: create(kind) },
      { weight: 2, arbitrary: link() },
      { weight: 6, arbitrary: metadata(kind) },
      { weight: 6, arbitrary: change(kind) },
      ...(kind.filters ? [{ weight: 1, arbitrary: filter() }] : []),
    ),
    { maxLength: 16, size: 'max' },
  );
}

/** Exclude patterns as in a vault's configuration. */
export function excludes(): Arbitrary<string[]> {
  return fc.uniqueArray(
    fc.constantFrom('*.o', '/a', 'b', 'dir/', '/dir/**', '*/c', '.hidden', 'x*', '[x]', '/tree/'),
    {
      maxLength: 3,
    },
  );
}
