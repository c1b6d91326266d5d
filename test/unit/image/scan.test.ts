import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeChanges,
  encodeChange,
  escapeName,
  lineCutter,
  listFormat,
  parseLine,
  parseTotals,
  unescapeName,
  type Change,
} from '../../../src/image/scan.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const parse = (line: string) => parseLine(bytes(`nonce ${line}`), 'nonce');

describe('lines of the list', () => {
  it.each([
    ['>f+++++++++ 12 a/b//', { item: '>f+++++++++', size: 12, path: 'a/b', directory: false }],
    ['.d..t...... 4096 a///', { item: '.d..t......', size: 4096, path: 'a', directory: true }],
    ['.d..t...... 4096 .///', { path: '.', directory: true }],
    ['cL+++++++++ 3 link// -> a//b', { path: 'link', target: undefined }],
    ['hf+++++++++ 7 new// => old', { path: 'new', target: 'old' }],
    ['hS          0 new// => old', { item: 'hS', path: 'new', target: 'old' }],
    ['hf..t...... 7 last//', { path: 'last', target: undefined }],
    ['*deleting   0 gone//', { item: '*deleting', path: 'gone', directory: false }],
    ['*deleting   0 gone///', { item: '*deleting', path: 'gone', directory: true }],
    ['>f+++++++++ 1  two  blanks // => x', { path: ' two  blanks ', target: undefined }],
    ['>f+++++++++ 1 a => b//', { path: 'a => b' }],
    ['>f+++++++++ 1 new\\#012line\\#134#123//', { path: 'new\nline\\#123' }],
    ['>f+++++++++ 1 \xff\xfe//', { path: '\xff\xfe' }],
    ['.f........x 1 x//', { item: '.f........x' }],
    ['cD+++++++++ 0 null//', { item: 'cD+++++++++' }],
  ])('%s', (line, expected) => {
    const change = parse(line);
    const shown = change && {
      ...change,
      path: change.path.toString('latin1'),
      target: change.target?.toString('latin1'),
    };
    expect(shown).toMatchObject(expected);
  });

  it.each([
    '',
    'sending incremental file list',
    '.f          1 unchanged//',
    '>f+++++++++ 1 no separator',
    '>x+++++++++ 1 a//',
    '>f++++ 1 a//',
    '*deleting 0 a//',
    '*deleting',
  ])('%j is no change', (line) => {
    expect(parse(line)).toBeUndefined();
  });

  it.each([
    'other >f+++++++++ 1 a//',
    'nonce2 >f+++++++++ 1 a//',
    ' nonce >f+++++++++ 1 a//',
    '>f+++++++++ 1 a//',
  ])('%j is not of this run', (line) => {
    expect(parseLine(bytes(line), 'nonce')).toBeUndefined();
  });

  it.each(['..', '../a', 'a/../b', '/a', 'a/./b', 'a\\#000b', './a', 'a/..'])(
    '%j leads out of the tree',
    (name) => {
      expect(() => parse(`>f+++++++++ 1 ${name}//`)).toThrow(/leads out of the tree/);
      expect(() => parse(`hf+++++++++ 1 a// => ${name}`)).toThrow(/leads out of the tree/);
    },
  );

  it('have the nonce, the item, the size, the name and the link', () => {
    expect(listFormat('abc')).toBe('abc %i %l %n//%L');
  });
});

describe('names', () => {
  it('come back from what rsync shows', () => {
    expect(unescapeName(bytes('a\\#012\\#177\\#999\\#01')).toString('latin1')).toBe('a\n\x7f\\#999\\#01');
  });

  it('have no control characters when shown', () => {
    expect(escapeName(bytes('a\nb\x7f\xff ü')).toString('latin1')).toBe('a\\#012b\\#177\xff ü');
  });
});

describe('cutting lines', () => {
  it('gives the same lines however the output is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[ab]{0,5}$/)), fc.array(fc.nat(40)), (lines, cuts) => {
        const data = bytes(lines.map((line) => `${line}\n`).join(''));
        const seen: string[] = [];
        const cut = lineCutter((line) => seen.push(line.toString()));
        const places = [
          0,
          ...cuts.map((at) => Math.min(at, data.length)).toSorted((a, b) => a - b),
          data.length,
        ];
        for (const [index, from] of places.entries())
          cut(data.subarray(from, places[index + 1] ?? data.length));
        cut(undefined);
        expect(seen).toEqual(lines);
      }),
    );
  });

  it('gives the last line without its end', () => {
    const seen: string[] = [];
    const cut = lineCutter((line) => seen.push(line.toString()));
    cut(bytes('a\nb'));
    cut(undefined);
    expect(seen).toEqual(['a', 'b']);
  });
});

describe('statistics', () => {
  it.each([
    [
      ['Number of files: 1,234 (reg: 1,000, dir: 234)', 'Total file size: 5,678 bytes'],
      [1234, 234, 1000, 5678],
    ],
    [
      ['Number of files: 1.234 (dir: 234)', 'Total file size: 0 bytes'],
      [1234, 234, 0, 0],
    ],
    [
      ['Number of files: 12', 'Total file size: 7 bytes'],
      [12, 0, 0, 7],
    ],
  ])('%j', (lines, [entries, directories, regular, size]) => {
    expect(parseTotals(lines)).toEqual({ entries, directories, regular, bytes: size });
  });

  it.each([[[]], [['Number of files: 12']], [['Number of files: 12', 'Total file size: 1.2M bytes']]])(
    '%j tell nothing',
    (lines) => {
      expect(parseTotals(lines)).toBeUndefined();
    },
  );
});

describe('the spool', () => {
  const name = fc
    .uint8Array({ minLength: 1, maxLength: 20 })
    .map((data) => Buffer.from(data.map((byte) => byte || 1)));
  const change: fc.Arbitrary<Change> = fc
    .record({
      item: fc.constantFrom('>f+++++++++', '.d..t......', '*deleting', 'hf', 'cL+++++++++', 'hD..t......'),
      size: fc.nat(),
      path: name,
      target: fc.option(name, { nil: undefined }),
      isGoneDirectory: fc.boolean(),
    })
    .map(({ isGoneDirectory, ...rest }) => ({
      ...rest,
      directory:
        rest.item[1] === 'd' && rest.item !== '*deleting'
          ? true
          : rest.item === '*deleting' && isGoneDirectory,
    }));

  it('gives back every change, however it is read', async () => {
    const property = fc.asyncProperty(
      fc.array(change),
      fc.integer({ min: 1, max: 50 }),
      async (changes, step) => {
        const data = Buffer.concat(changes.map(encodeChange));
        const read = async function* () {
          for (let at = 0; at < data.length; at += step) yield data.subarray(at, at + step);
        };
        const back: Change[] = [];
        for await (const one of decodeChanges(read())) back.push(one);
        expect(back).toEqual(changes);
      },
    );
    await fc.assert(property);
  });
});
