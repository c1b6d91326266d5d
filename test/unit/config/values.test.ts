import { describe, expect, it } from 'vitest';
import { optionOf } from '../../../src/config/options.ts';
import type { OptionName } from '../../../src/config/options.ts';
import { editDistance, mostSimilar } from '../../../src/config/similar.ts';
import { parseTree } from '../../../src/config/tree.ts';
import { readValue } from '../../../src/config/values.ts';
import { splitWords } from '../../../src/config/words.ts';

describe('values', () => {
  it.each<[OptionName, string, unknown]>([
    ['xdev', '1', true],
    ['xdev', '0', false],
    ['bank', '/backup/', ['/backup']],
    ['bank', '/', ['/']],
    ['retries', '0', 0],
    ['speed-limit', '0.5', 0.5],
    ['max-delete-percent', '33 %', 33],
    ['image-perm', '0700', '0700'],
    ['rsync-timeout', '10m', 600],
    ['engine', 'link-dest', 'link-dest'],
    ['rsh', `ssh -o 'User=my name' -p\\ 1 "a\\"b"`, ['ssh', '-o', 'User=my name', '-p 1', 'a"b']],
    ['log', '/usr/bin/gzip -9', { format: 'gzip', argv: ['/usr/bin/gzip', '-9'] }],
    ['index', 'none', { format: 'none', argv: [] }],
    ['Runall', 'v:b  yesterday 22:00', [{ vault: 'v', branch: 'b', time: 'yesterday 22:00' }]],
    ['Runall', 'v', [{ vault: 'v', branch: undefined, time: undefined }]],
    ['time-zone', 'Europe/Vienna', 'Europe/Vienna'],
    ['client', 'root@box.example', 'root@box.example'],
    ['image-default', '%Y%m%d', '%Y%m%d'],
    ['expire', 'Never', 'Never'],
  ])('%s: %s', (name, text, value) => {
    expect(readValue(optionOf(name), text)).toEqual({ value });
  });

  it.each<[OptionName, string]>([
    ['jobs', '0'],
    ['retries', '1.5'],
    ['speed-limit', '1M'],
    ['image-perm', '99'],
    ['client', 'a;b'],
    ['client', 'Root@box'],
    ['branch', '../x'],
    ['image', '.hidden'],
    ['image', '-x'],
    ['image', 'a/b'],
    ['password-file', 'secret'],
    ['rsync-client', ''],
    ['exclude', ''],
  ])('%s: %j is refused', (name, text) => {
    expect(readValue(optionOf(name), text)).toHaveProperty('message');
  });
});

describe('commands', () => {
  it.each(['a $b', 'a | b', 'a; b', 'a > b', '`a`', '"$a"', "'a", '"a', 'a \\', '(a)'])(
    '%j is refused',
    (text) => {
      expect(splitWords(text)).toHaveProperty('message');
    },
  );

  it('keep what is quoted', () => {
    expect(splitWords(`a 'b $c' "d 'e'" '' \\$f g'h'i`)).toEqual({
      words: ['a', 'b $c', "d 'e'", '', '$f', 'ghi'],
    });
  });
});

describe('trees', () => {
  it.each([
    ['/', { path: '/', alias: '/', daemon: false }],
    ['/home/', { path: '/home', alias: '/home', daemon: false }],
    ['/e/home /home', { path: '/e/home', alias: '/home', daemon: false }],
    ['/my\\ files  /a\\ b/', { path: '/my files', alias: '/a b', daemon: false }],
    [':module/path/', { path: 'module/path', alias: '/module/path', daemon: true }],
    [':module /home', { path: 'module', alias: '/home', daemon: true }],
  ])('%s', (text, tree) => {
    expect(parseTree(text)).toEqual(tree);
  });

  it.each(['', 'home', '/a /b /c', '/a/../b', ':', ':/x', '::m'])('%j is refused', (text) => {
    expect(parseTree(text)).toBeUndefined();
  });
});

describe('similar names', () => {
  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['exlude', 'exclude', 1],
    ['ecxlude', 'exclude', 1],
    ['kitten', 'sitting', 3],
  ])('%j and %j are %d apart', (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
    expect(editDistance(to, from)).toBe(distance);
  });

  it('are found if they are near', () => {
    const known = ['exclude', 'expire', 'xdev', 'numeric-ids'];
    expect(mostSimilar('exculde', known)).toBe('exclude');
    expect(mostSimilar('Numeric_Ids', known)).toBe('numeric-ids');
    expect(mostSimilar('frobnicate', known)).toBeUndefined();
  });
});
