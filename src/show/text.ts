import { bytesOf } from '../raw-text.ts';

/**
 * What a terminal would obey instead of showing: control characters, the controls of writing direction, line
 * separators, and the lone surrogates that stand for bytes which are no UTF-8.
 */
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Foreign text made harmless: whatever a terminal would obey is shown as the octal escapes `\ooo` of its bytes. */
export function printable(text: string): string {
  return text.replace(UNSHOWABLE, (character) => octal(bytesOf(character)));
}

function octal(bytes: Buffer): string {
  return Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}

const ZERO_WIDTH = /\p{Mark}/u;
const WIDE = new RegExp(
  '[\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\ua4cf\\ua960-\\ua97f\\uac00-\\ud7a3\\uf900-\\ufaff' +
    '\\ufe30-\\ufe6f\\uff00-\\uff60\\uffe0-\\uffe6\\u{1f300}-\\u{1faff}\\u{20000}-\\u{3fffd}]',
  'u',
);

/** The number of terminal cells a printable text takes. */
export function textWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += cellsOf(character);
  return width;
}

function cellsOf(character: string): number {
  if (ZERO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Filled up with spaces to a width in cells; longer text stays whole. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const fill = ' '.repeat(Math.max(0, width - textWidth(text)));
  return align === 'left' ? text + fill : fill + text;
}

/** Cut to a width in cells, with `…` for what is missing in the middle, since names differ at their ends. */
export function shorten(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  const characters = Array.from(text);
  const tail = takeCells(characters.toReversed(), Math.floor((width - 1) / 2)).toReversed();
  const head = takeCells(characters, width - 1 - textWidth(tail.join('')));
  return `${head.join('')}…${tail.join('')}`;
}

function takeCells(characters: readonly string[], cells: number): string[] {
  const taken: string[] = [];
  let width = 0;
  for (const character of characters) {
    width += cellsOf(character);
    if (width > cells) break;
    taken.push(character);
  }
  return taken;
}

/** Broken at spaces into lines of at most `width` cells. A longer word gets a line of its own and stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line === '') line = word;
      else if (textWidth(line) + 1 + textWidth(word) <= width) line += ` ${word}`;
      else {
        lines.push(line);
        line = word;
      }
    }
    lines.push(line);
  }
  return lines;
}
