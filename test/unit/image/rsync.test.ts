import { describe, expect, it } from 'vitest';
import {
  directoriesArgv,
  plainArgv,
  rootOnlyArgv,
  rshEnvironment,
  scanArgv,
  sourceArgument,
  strictRsh,
  transferArgv,
  type RsyncSetup,
} from '../../../src/image/rsync.ts';

const SETUP: RsyncSetup = {
  source: { kind: 'local', client: 'localhost', path: '/home' },
  program: 'rsync',
  programArgs: [],
  clientProgram: undefined,
  rsh: ['ssh'],
  hardLinks: true,
  permissions: true,
  devices: true,
  sparse: true,
  acls: true,
  xattrs: true,
  numericIds: true,
  checksum: false,
  wholeFile: false,
  xdev: false,
  compress: false,
  speedLimit: undefined,
  timeoutSeconds: 600,
  passwordFile: undefined,
  userOptions: [],
  ownExcludes: [],
  hasExcludes: false,
  modifyWindow: -1,
  quotesRemoteArgs: true,
};

const scan = (more: Partial<RsyncSetup> = {}) =>
  scanArgv({ ...SETUP, ...more }, { reference: './r/tree', excludesFrom: './x', onlyListed: false }, 'nonce');
const transfer = (more: Partial<RsyncSetup> = {}) =>
  transferArgv({ ...SETUP, ...more }, ['../../r/tree'], './n/tree', 'nonce');
const plain = (more: Partial<RsyncSetup> = {}) =>
  plainArgv({ ...SETUP, ...more }, ['../../r/tree'], './n/tree', './x', 'nonce');

describe('command lines', () => {
  it('of a scan change nothing and list deletions', () => {
    expect(scan()).toEqual([
      ...['rsync', '-rltHpgoDAXS8', '--numeric-ids', '--modify-window=-1', '--timeout=600', '--stats'],
      ...['--no-human-readable', '-n', '--delete', '--delete-excluded', '--ignore-errors'],
      ...['--out-format=nonce %i %l %n//%L', '--', '/home/', './r/tree/'],
    ]);
  });

  it('of a transfer only create, from a final list', () => {
    const argv = transfer({ xdev: true, hasExcludes: true, ownExcludes: ['/bank'] });
    expect(argv).toEqual(
      expect.arrayContaining(['--no-r', '--ignore-existing', '--from0', '--files-from=-']),
    );
    expect(argv).toContain('--link-dest=../../r/tree');
    expect(argv.join(' ')).not.toMatch(/delete|exclude|-rl|8x/);
    expect(argv[1]).toBe('-ltHpgoDAXS8');
  });

  it('of a plain run have the filters in their order', () => {
    const argv = plain({ hasExcludes: true, ownExcludes: ['/bank'], userOptions: ['--exclude=mine'] });
    const filters = argv.filter((argument) => /exclude/.test(argument));
    expect(filters).toEqual(['--exclude=mine', '--exclude=/bank', '--exclude-from=./x']);
    expect(argv.join(' ')).not.toContain('--delete');
  });

  it('for the root alone touch nothing else', () => {
    const argv = rootOnlyArgv({ ...SETUP, userOptions: ['-C', '--exclude=x'] }, './n/tree', 'nonce');
    expect(argv).toEqual(expect.arrayContaining(['--no-r', '--dirs', '--exclude=/*']));
    expect(argv).not.toContain('-C');
    expect(argv).not.toContain('--exclude=x');
  });

  it('for directories follow no link and change nothing', () => {
    const argv = directoriesArgv({ ...SETUP, xdev: true }, './n/tree', 'nonce');
    expect(argv).toEqual(expect.arrayContaining(['-n', '--no-r', '--no-implied-dirs', '--files-from=-']));
    expect(argv.join(' ')).not.toContain('--delete ');
  });

  it('of a second scan take a list', () => {
    const request = { reference: './n/tree', excludesFrom: './x', onlyListed: true };
    expect(scanArgv(SETUP, request, 'nonce')).toEqual(
      expect.arrayContaining(['-r', '--from0', '--files-from=-']),
    );
  });

  it.each<[Partial<RsyncSetup>, string]>([
    [{ hardLinks: false }, '-rltpgoDAXS8'],
    [{ permissions: false }, '-rltHDAXS8'],
    [{ devices: false }, '-rltHpgoAXS8'],
    [{ sparse: false, acls: false, xattrs: false }, '-rltHpgoD8'],
    [{ checksum: true, wholeFile: true, xdev: true }, '-rltHpgoDAXScWx8'],
    [{ compress: true }, '-rltHpgoDAXS8'],
    [{ compress: true, source: { kind: 'ssh', client: 'c', path: '' } }, '-rltHpgoDAXSz8'],
  ])('with %j: %s', (more, letters) => {
    for (const argv of [scan(more), plain(more)]) expect(argv[1]).toBe(letters);
  });

  it.each<[Partial<RsyncSetup>, string]>([
    [{ speedLimit: 80 }, '--bwlimit=8000'],
    [{ modifyWindow: 0 }, '--modify-window=0'],
    [{ timeoutSeconds: 7 }, '--timeout=7'],
    [{ source: { kind: 'daemon', client: 'c', path: 'm' }, passwordFile: '/p' }, '--password-file=/p'],
    [
      { source: { kind: 'ssh', client: 'c', path: '' }, clientProgram: 'nice rsync' },
      '--rsync-path=nice rsync',
    ],
    [{ source: { kind: 'ssh', client: 'c', path: '/a b' }, quotesRemoteArgs: false }, '--protect-args'],
  ])('with %j have %s', (more, expected) => {
    for (const argv of [scan(more), plain(more), transfer(more)]) expect(argv).toContain(expected);
  });
});

describe('the user and what rsync prints', () => {
  it.each([
    [['-q'], []],
    [['--quiet', '--human-readable', '-hh', '-i', '-vv', '--info=none', '--debug=all', '--stderr=all'], []],
    [['-aqHv'], ['-aH']],
    [['--no-stats', '--no-v', '--progress', '--verbose', '--msgs2stderr'], []],
    [
      ['-e', 'ssh -q', '-f- *q', '--exclude=-q'],
      ['-e', 'ssh -q', '-f- *q', '--exclude=-q'],
    ],
  ])('%j becomes %j', (userOptions, expected) => {
    const without = plain();
    const added = plain({ userOptions }).filter((argument) => !without.includes(argument));
    expect(added).toEqual(expected);
  });
});

describe('filters of the user', () => {
  it('reach the scan and not the transfer', () => {
    const userOptions = [
      '-C',
      '--exclude=a',
      '--include=b',
      '--filter=- c',
      '--exclude-from=d',
      '-f- e',
      '-F',
      '-W',
    ];
    expect(scan({ userOptions })).toEqual(expect.arrayContaining(userOptions));
    expect(transfer({ userOptions }).filter((argument) => userOptions.includes(argument))).toEqual(['-W']);
  });
});

describe('the source', () => {
  it.each([
    ['local', '/home', '/home/'],
    ['local', '', '/'],
    ['ssh', '/home', 'c:/home/'],
    ['ssh', '', 'c:/'],
    ['daemon', 'module/path', 'c::module/path/'],
  ] as const)('%s %j is %s', (kind, path, expected) => {
    expect(sourceArgument({ kind, client: 'c', path })).toBe(expected);
  });
});

describe('ssh', () => {
  it('never asks and never learns a key, whatever the user says', () => {
    const argv = strictRsh(['/usr/bin/ssh', '-o', 'StrictHostKeyChecking=no', '-p', '2222']);
    expect(argv.indexOf('StrictHostKeyChecking=yes')).toBeGreaterThan(0);
    expect(argv.indexOf('StrictHostKeyChecking=yes')).toBeLessThan(argv.indexOf('StrictHostKeyChecking=no'));
    expect(argv).toContain('BatchMode=yes');
    expect(argv).toEqual(expect.arrayContaining(['-p', '2222']));
  });

  it('is ssh only where it is called so', () => {
    expect(strictRsh(['rsh', '-x'])).toEqual(['rsh', '-x']);
  });

  it('gets arguments with blanks and quotes whole', () => {
    const setup: RsyncSetup = {
      ...SETUP,
      source: { kind: 'ssh', client: 'c', path: '' },
      rsh: ['ssh', '-F', 'a b', `it's`, 'x"y'],
    };
    expect(rshEnvironment(setup)).toEqual({ RSYNC_RSH: `ssh -F 'a b' "it's" 'x"y'` });
    expect(rshEnvironment(SETUP)).toEqual({});
  });
});
