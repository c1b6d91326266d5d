/** Text in the language of manual pages: nothing in it is taken for a request or an escape. */
export function roff(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll('…', '...');
  return escaped.replace(/^\./gm, '\\&.');
}

export function bold(text: string): string {
  return `\\fB${roff(text)}\\fR`;
}

/** Placeholders, which are capitals, in italics; the rest in bold. */
export function syntax(text: string): string {
  return text
    .split(/([A-Z][A-Z0-9]*)/)
    .map((part, index) => (part === '' ? '' : index % 2 === 1 ? `\\fI${part}\\fR` : bold(part)))
    .join('');
}

/** An item and what is said of it. */
export function tagged(tag: string, text: string): string {
  return `.TP\n${tag}\n${text}`;
}
