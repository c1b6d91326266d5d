import { describe, expect, it } from 'vitest';
import {
  allowedOption,
  atLeast,
  chooseEngine,
  parseRsyncVersion,
  type EngineFacts,
} from '../../../src/image/engine.ts';

const local = { kind: 'local', client: 'localhost', path: '/home' } as const;

function choose(more: Partial<EngineFacts> = {}) {
  return chooseEngine({
    wanted: 'auto',
    hasReference: true,
    source: local,
    userOptions: [],
    serverRsync: [3, 2, 7],
    clientRsync: undefined,
    permissions: true,
    devices: true,
    dropped: [],
    ...more,
  });
}

describe('the engine', () => {
  it('is delta where there is a reference', () => {
    expect(choose()).toEqual({ engine: 'delta', reason: undefined });
    expect(choose({ wanted: 'delta' }).engine).toBe('delta');
  });

  it('is the plain one for a first image, without a reason', () => {
    expect(choose({ hasReference: false, wanted: 'delta' })).toEqual({
      engine: 'link-dest',
      reason: undefined,
    });
  });

  it.each<[Partial<EngineFacts>, RegExp]>([
    [{ wanted: 'link-dest' }, /option `engine`/],
    [{ source: { ...local, kind: 'daemon' } }, /daemon/],
    [{ serverRsync: [3, 0, 9] }, /of this machine/],
    [{ serverRsync: undefined }, /of this machine/],
    [{ source: { ...local, kind: 'ssh' }, clientRsync: [3, 0, 9] }, /client's rsync/],
    [{ source: { ...local, kind: 'ssh' }, clientRsync: undefined }, /client's rsync/],
    [{ permissions: false }, /permissions/],
    [{ devices: false }, /devices/],
    [{ dropped: ['ACLs', 'extended attributes'] }, /ACLs and extended attributes/],
    [{ userOptions: ['-v', '--update'] }, /--update/],
  ])('is the plain one with %j, and says why', (facts, reason) => {
    const choice = choose(facts);
    expect(choice.engine).toBe('link-dest');
    expect(choice.reason).toMatch(reason);
    // Asking for delta does not make it safe.
    expect(choose({ wanted: 'delta', ...facts }).engine).toBe('link-dest');
  });

  it('is delta over ssh with a new enough client', () => {
    expect(choose({ source: { ...local, kind: 'ssh' }, clientRsync: [3, 1, 0] }).engine).toBe('delta');
  });
});

describe('options', () => {
  it.each([
    '-a',
    '-vH',
    '-C',
    '--checksum',
    '--exclude=x',
    '--filter=- x',
    '--filter=+_x',
    '--filter=exclude x',
  ])('%s is proven', (option) => {
    expect(allowedOption(option)).toBe(true);
  });

  it.each([
    ...[
      '-F',
      '-FF',
      '-vF',
      '-vC',
      '-e',
      '-f- x',
      '-n',
      '-b',
      '-u',
      '',
      '-',
      '--',
      'x',
      '--update',
      '--no-perms',
    ],
    ...['--filter', '--filter=P x', '--filter=-r x', '--filter=-x x', '--filter=exclude,r x', '--filter=: x'],
    ...['--filter=!', '--filter=.x', '--files-from=x', '--Checksum', '--check sum'],
  ])('%j is not', (option) => {
    expect(allowedOption(option)).toBe(false);
  });
});

describe('versions', () => {
  it.each([
    ['rsync  version 3.2.7  protocol version 31\nCopyright', [3, 2, 7]],
    ['rsync  version v3.2.4  protocol version 31', [3, 2, 4]],
    ['rsync  version 3.1  protocol version 31', [3, 1, 0]],
    ['banner\nrsync  version 3.5.0  protocol version 32', [3, 5, 0]],
    ['no rsync', undefined],
    ['', undefined],
  ])('%j', (text, expected) => {
    expect(parseRsyncVersion(text)).toEqual(expected);
  });

  it('openrsync is never new enough, whatever it is compatible with', () => {
    const version = parseRsyncVersion('openrsync: protocol version 29\nrsync version 2.6.9 compatible\n');
    expect(atLeast(version, [3, 1])).toBe(false);
  });

  it.each([
    [[3, 1, 0], [3, 1], true],
    [[3, 0, 9], [3, 1], false],
    [[4], [3, 1], true],
    [[3], [3, 1], false],
    [[3, 10, 0], [3, 2, 4], true],
    [undefined, [0], false],
  ])('%j is at least %j: %s', (version, wanted, expected) => {
    expect(atLeast(version, wanted)).toBe(expected);
  });
});
