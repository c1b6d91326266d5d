import type { Problem } from '../errors.ts';

/** One value of a list, with the line it stands on (from 1). */
export interface Item {
  readonly text: string;
  readonly line: number;
}

/** One statement of a configuration file, not yet understood. */
export type Statement =
  | {
      readonly verb: 'option';
      readonly name: string;
      readonly line: number;
      /** What follows the colon on its line; undefined for nothing. */
      readonly text: string | undefined;
      readonly items: readonly Item[];
    }
  | {
      readonly verb: 'SET' | 'UNSET' | 'RESET';
      readonly names: readonly string[];
      readonly line: number;
      /** Indented lines after a RESET of one list: its new values. */
      readonly items: readonly Item[];
    };

export interface Parsed {
  readonly statements: readonly Statement[];
  readonly problems: readonly Problem[];
}

type Line =
  | { readonly kind: 'item'; readonly text: string }
  | { readonly kind: 'verb'; readonly verb: 'SET' | 'UNSET' | 'RESET'; readonly names: readonly string[] }
  | { readonly kind: 'option'; readonly name: string; readonly text: string | undefined }
  | { readonly kind: 'wrong'; readonly message: string };

/** Splits a configuration file into statements. Everything wrong is reported, each with file and line. */
export function parseText(text: string, file: string): Parsed {
  const statements: Statement[] = [];
  const problems: Problem[] = [];
  let open: Item[] | undefined;
  let last = 'the beginning of the file';
  text.split('\n').forEach((raw, index) => {
    const line = index + 1;
    const content = withoutComment(index === 0 ? raw.replace(/^\uFEFF/, '') : raw);
    if (content === '') return;
    const read = readLine(content);
    if (read.kind === 'wrong') {
      open = undefined;
      last = 'a line that is not understood';
      problems.push({ file, line, message: read.message });
    } else if (read.kind === 'item') {
      if (open === undefined) {
        problems.push({ file, line, message: `an indented line after ${last}, where no list is open` });
      } else open.push({ text: read.text, line });
    } else {
      const items: Item[] = [];
      const takesItems = read.kind === 'option' || (read.verb === 'RESET' && read.names.length === 1);
      open = takesItems ? items : undefined;
      last = read.kind === 'verb' ? `${read.verb} ${read.names.join(' ')}` : `${read.name}:`;
      statements.push(
        read.kind === 'option'
          ? { verb: 'option', name: read.name, text: read.text, line, items }
          : { verb: read.verb, names: read.names, line, items },
      );
    }
  });
  return { statements, problems };
}

/** A `#` opens a comment only at the start of a line or after white space. */
function withoutComment(line: string): string {
  return line.replace(/(^|\s)#[^]*$/, '').trimEnd();
}

function readLine(content: string): Line {
  const fault = characterFault(content);
  if (fault !== undefined) return wrong(fault);
  if (/^\s/.test(content)) return { kind: 'item', text: content.trimStart() };
  const [first = '', ...names] = content.split(/\s+/);
  if (first === 'SET' || first === 'UNSET' || first === 'RESET') {
    if (names.length === 0) return wrong(`${first} needs the name of an option`);
    return { kind: 'verb', verb: first, names };
  }
  const option = /^([^\s:]+):\s*(.*)$/.exec(content);
  if (option !== null) return { kind: 'option', name: option[1] ?? '', text: option[2] || undefined };
  if (/^(set|unset|reset)\s/i.test(content)) return wrong(`write ${first.toUpperCase()} in capitals`);
  const spaced = /^(\S+)\s+:/.exec(content);
  if (spaced !== null) return wrong(`no space is allowed before the colon: write "${spaced[1]}:"`);
  return wrong(
    `not understood: "${shorten(content)}"; write "option: value", or indent the values of a list`,
  );
}

function wrong(message: string): Line {
  return { kind: 'wrong', message };
}

/** What can't be in a line of configuration: control characters, and bytes that are no UTF-8 (see raw-text.ts). */
export function characterFault(text: string): string | undefined {
  if (/[\udc80-\udcff]/u.test(text)) return 'is not UTF-8 text';
  const isControl = [...text].some((char) => (char < ' ' && char !== '\t') || char === '\u007F');
  return isControl ? 'has a control character; is this a text file?' : undefined;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
