import { styleText } from 'node:util';
import { pad, textWidth, wrap } from './text.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export interface Column {
  readonly title: string;
  /** Numbers go right. */
  readonly align?: 'left' | 'right';
  /** Prose, which may be broken over several lines. Only for the last column. */
  readonly prose?: boolean;
}

/** Printable text (see `printable`), with or without a colour. */
export type Cell = string | { readonly text: string; readonly style: Style };

/** How to lay out: the width in cells, and whether colours may be used. A Context fits. */
export interface Layout {
  readonly columns: number;
  readonly color: boolean;
}

const GAP = '  ';
const INDENT = '    ';
const PROSE_AT_LEAST = 24;

/**
 * Plain aligned columns below their titles, as lines without a newline at the end. Nothing is ever cut. Where the
 * table is too wide, prose is broken; then a long first cell (a name) gets a line of its own above the rest of its
 * row; what is still too wide stays so.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  layout: Layout,
): string {
  const widths = columns.map((column, at) =>
    rows.reduce((widest, row) => Math.max(widest, textWidth(plain(row[at]))), textWidth(column.title)),
  );
  const fitted = fit(columns, widths, layout.columns);
  const titles: readonly Cell[] = columns.map((column) => ({ text: column.title, style: 'dim' }));
  return [titles, ...rows].flatMap((row) => rowLines(columns, fitted, row, layout.color)).join('\n');
}

/** One text, coloured if colours may be used. */
export function paint(text: string, style: Style, layout: Pick<Layout, 'color'>): string {
  return layout.color ? styleText(style, text, { validateStream: false }) : text;
}

function plain(cell: Cell | undefined): string {
  return typeof cell === 'object' ? cell.text : (cell ?? '');
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
}

/** The widths to lay out with. A first width smaller than a name means: that name gets its own line. */
function fit(columns: readonly Column[], natural: readonly number[], available: number): readonly number[] {
  const widths = [...natural];
  const last = widths.length - 1;
  const narrowed = (at: number, atLeast: number) =>
    Math.max(Math.min(widths[at] ?? 0, atLeast), (widths[at] ?? 0) - Math.max(0, total(widths) - available));
  if (columns[last]?.prose) widths[last] = narrowed(last, PROSE_AT_LEAST);
  if (last > 0) widths[0] = narrowed(0, Math.max(textWidth(columns[0]?.title ?? ''), INDENT.length));
  return widths;
}

function rowLines(
  columns: readonly Column[],
  widths: readonly number[],
  row: readonly Cell[],
  color: boolean,
): readonly string[] {
  const first = row[0];
  if (columns.length > 1 && first !== undefined && textWidth(plain(first)) > (widths[0] ?? 0)) {
    const rest = rowLines(columns, widths, ['', ...row.slice(1)], color);
    return [typeof first === 'object' ? paint(first.text, first.style, { color }) : first, ...rest];
  }
  const last = columns.length - 1;
  const prose = columns[last]?.prose ? wrap(plain(row[last]), Math.max(widths[last] ?? 0, 1)) : undefined;
  const line = columns
    .map((column, at) => {
      const cell = row[at];
      const text = at === last && prose !== undefined ? (prose[0] ?? '') : plain(cell);
      const padded =
        at === last && column.align !== 'right' ? text : pad(text, widths[at] ?? 0, column.align);
      return typeof cell === 'object' ? paint(padded, cell.style, { color }) : padded;
    })
    .join(GAP);
  const indent = ' '.repeat(total(widths) - (widths[last] ?? 0));
  return [line.trimEnd(), ...(prose ?? []).slice(1).map((text) => indent + text)];
}
