import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyStatement, emptyDraft } from '../../../src/config/apply.ts';
import { optionNames, settingsFrom } from '../../../src/config/options.ts';
import { parseText } from '../../../src/config/parse.ts';

describe('a configuration file', () => {
  it('is statements with their lines', () => {
    const text = [
      '# a comment',
      'client:host',
      'tree:  /a b  # why',
      'exclude: /one#two',
      '\t/three  ',
      '   # a comment among items',
      '',
      '\t#also a comment',
      '\t*~',
      'SET xdev  checksum',
      'RESET exclude',
      '\t/again',
    ];
    expect(parseText(text.join('\n'), 'f')).toEqual({
      problems: [],
      statements: [
        { verb: 'option', name: 'client', text: 'host', line: 2, items: [] },
        { verb: 'option', name: 'tree', text: '/a b', line: 3, items: [] },
        {
          verb: 'option',
          name: 'exclude',
          text: '/one#two',
          line: 4,
          items: [
            { text: '/three', line: 5 },
            { text: '*~', line: 9 },
          ],
        },
        { verb: 'SET', names: ['xdev', 'checksum'], line: 10, items: [] },
        { verb: 'RESET', names: ['exclude'], line: 11, items: [{ text: '/again', line: 12 }] },
      ],
    });
  });

  it('may begin with a byte order mark and end its lines as Windows does', () => {
    const { statements, problems } = parseText('\uFEFFxdev: 1\r\nexclude:\r\n\t/x # y\r\n', 'f');
    expect(problems).toEqual([]);
    expect(statements).toMatchObject([{ text: '1' }, { text: undefined, items: [{ text: '/x' }] }]);
  });

  const line = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc
      .tuple(
        fc.constantFrom('', '\t', '  ', 'SET ', 'UNSET ', 'RESET '),
        fc.constantFrom('Foo', ...optionNames()),
        fc.constantFrom('', ':', ': ', ' :', ':\t'),
        fc.oneof(
          fc.string({ maxLength: 20 }),
          fc.constantFrom('0', '1', '* * * * 1 +3 months', 'wd { 1', '22:00', '/x'),
        ),
      )
      .map((parts) => parts.join('')),
  );

  it('whatever it holds, gives settings of the right types or problems with their lines', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const text = lines.join('\n');
        const draft = emptyDraft();
        const { statements, problems } = parseText(text, 'f');
        for (const statement of statements) applyStatement(draft, statement, 'vault', 'f');
        for (const each of [...problems, ...draft.problems, ...draft.notes]) {
          expect(each.file).toBe('f');
          expect(each.line).toBeGreaterThan(0);
          expect(each.line).toBeLessThanOrEqual(text.split('\n').length);
        }
        const settings = settingsFrom(draft.values);
        expect(typeof settings.xdev).toBe('boolean');
        expect(Number.isFinite(settings.retries)).toBe(true);
        expect(Array.isArray(settings.exclude)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
