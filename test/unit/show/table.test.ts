import { describe, expect, it } from 'vitest';
import { paint, table, type Cell, type Column } from '../../../src/show/table.ts';
import { textWidth } from '../../../src/show/text.ts';

const PLAIN = { columns: 80, color: false };
const COLUMNS: readonly Column[] = [
  { title: 'vault' },
  { title: 'files', align: 'right' },
  { title: 'newest' },
  { title: 'remark', prose: true },
];

function lines(rows: readonly (readonly Cell[])[], columns = 80) {
  return table(COLUMNS, rows, { columns, color: false }).split('\n');
}

describe('table', () => {
  it('aligns words left and numbers right, with no spaces at the ends', () => {
    expect(
      lines([
        ['etc', '1,234', '20261120-2200', ''],
        ['laptop-root', '99', '20261119-2200', 'frozen'],
      ]),
    ).toEqual([
      'vault        files  newest         remark',
      'etc          1,234  20261120-2200',
      'laptop-root     99  20261119-2200  frozen',
    ]);
  });
  it('breaks prose to keep within the width', () => {
    const remark = 'nothing of this branch expires before 2026-11-27, since a third was rewritten';
    const result = lines([['laptop-root', '99', '20261119-2200', remark]]);
    expect(result).toEqual([
      'vault        files  newest         remark',
      'laptop-root     99  20261119-2200  nothing of this branch expires before',
      '                                   2026-11-27, since a third was rewritten',
    ]);
  });
  it('keeps a long name whole, on a line of its own', () => {
    const name = 'the-old-file-server-in-the-cellar-that-nobody-dares-to-switch-off';
    const result = lines([
      ['etc', '1,234', '20261120-2200', 'ok'],
      [name, '99', '20261119-2200', 'ok'],
    ]);
    expect(result).toContain(name);
    expect(result.every((line) => textWidth(line) <= 80)).toBe(true);
    expect(result.at(-1)?.trim()).toBe('99  20261119-2200  ok');
  });
  it('counts wide characters as two cells', () => {
    expect(
      table(
        [{ title: 'name' }, { title: 'n' }],
        [
          ['日本', '1'],
          ['abcd', '2'],
        ],
        PLAIN,
      ),
    ).toBe('name  n\n日本  1\nabcd  2');
  });
  it('has colours only where they may be', () => {
    const red: Cell = { text: 'failed', style: 'red' };
    const two = [{ title: 'a' }, { title: 'b' }];
    expect(table(two, [[red, 'x']], PLAIN)).not.toContain('\u001b');
    expect(table(two, [[red, 'x']], { columns: 80, color: true })).toContain('\u001b[31mfailed\u001b[39m  x');
    expect(paint('x', 'bold', { color: false })).toBe('x');
  });
  it('copes with many rows, and none', () => {
    const many = Array.from({ length: 200_000 }, () => ['a', '1', 'x', '']);
    expect(table(COLUMNS, many, PLAIN).length).toBeGreaterThan(200_000);
    expect(table(COLUMNS, [], PLAIN)).toBe('vault  files  newest  remark');
  });
});
