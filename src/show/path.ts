import type { RawPath } from '../model.ts';
import { textOf } from '../raw-text.ts';
import { printable } from './text.ts';

/**
 * A file name for people: UTF-8 where it is valid, `\ooo` for every other byte and for control characters. A
 * backslash that three octal digits follow is shown as `\134`, so that two names never look the same.
 */
export function showPath(path: RawPath): string {
  return printable(textOf(path).replace(/\\(?=[0-7]{3})/g, '\\134'));
}

/** A file name for JSON: `path` is UTF-8; where that loses something, `pathB64` stands beside it and rules. */
export function jsonPath(path: RawPath): { readonly path: string; readonly pathB64?: string } {
  const text = path.toString('utf8');
  return Buffer.from(text, 'utf8').equals(path)
    ? { path: text }
    : { path: text, pathB64: path.toString('base64') };
}
