export type WordsResult = { readonly words: readonly string[] } | { readonly message: string };

/**
 * Splits a command as a shell would, with quotes and backslashes. What only a shell can do (variables, pipes, …) is
 * an error: such commands are started without one.
 */
export function splitWords(text: string): WordsResult {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    if ('$`;|&<>()'.includes(char)) return { message: `"${char}" needs a shell; put it into a script` };
    const piece = char === "'" || char === '"' ? quoted(text, at) : plain(text, at);
    if (piece === undefined)
      return { message: char === '\\' ? 'a backslash at the end' : `a ${char} that is not closed` };
    if (char === '"' && /[$`]/.test(piece.text))
      return { message: '"$" needs a shell; put it into a script' };
    word = (word ?? '') + piece.text;
    at = piece.end;
  }
  if (word !== undefined) words.push(word);
  return { words };
}

interface Piece {
  readonly text: string;
  /** Index of the last character that was taken. */
  readonly end: number;
}

function plain(text: string, at: number): Piece | undefined {
  if (text[at] !== '\\') return { text: text[at] ?? '', end: at };
  const next = text[at + 1];
  return next === undefined ? undefined : { text: next, end: at + 1 };
}

function quoted(text: string, start: number): Piece | undefined {
  const quote = text[start];
  let result = '';
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === quote) return { text: result, end: at };
    const next = text[at + 1];
    if (quote === '"' && char === '\\' && next !== undefined && '"\\$`'.includes(next)) {
      result += next;
      at += 1;
    } else result += char;
  }
  return undefined;
}
