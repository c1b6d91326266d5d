import { bytesOf, textOf } from '../raw-text.ts';

/** What is kept of a hook's output at either end. */
const KEPT = 64 * 1024;
/** Longer lines are broken. */
const LINE = 4 * 1024;
/** How many of the last lines messages quote. */
const QUOTED = 5;
/** What a terminal would obey instead of showing, and bytes that are no UTF-8. */
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Gathers a hook's output line by line, escaped and bounded: the head, the tail, and how much was cut between. */
export interface HookOutput {
  /** Takes any piece of output. Gives the lines it completes that still belong to the head. */
  add(chunk: Buffer): readonly string[];
  /** All of it as lines, with a line that tells what was cut. */
  lines(): readonly string[];
  /** The last few lines. */
  lastLines(): readonly string[];
}

/** Escapes one line of foreign output. Tabs stay. */
export function harmless(line: Buffer): string {
  const ended = line.at(-1) === 13 ? line.subarray(0, -1) : line;
  return textOf(ended).replace(UNSHOWABLE, (character) =>
    character === '\t'
      ? character
      : Array.from(bytesOf(character), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
  );
}

/** An empty gatherer. */
export function gatherOutput(): HookOutput {
  const head: string[] = [];
  let headSize = 0;
  let tail: Buffer[] = [];
  /** The first of the tail that still belongs to it: moving all of them up for each new line would take long. */
  let first = 0;
  let tailSize = 0;
  let cutLines = 0;
  let cutBytes = 0;
  let rest: Buffer = Buffer.alloc(0);
  const keep = (line: Buffer): string | undefined => {
    if (headSize < KEPT) {
      const text = harmless(line);
      headSize += text.length + 1;
      head.push(text);
      return text;
    }
    tail.push(line);
    tailSize += line.length + 1;
    while (tailSize > KEPT && tail.length - first > 1) {
      const size = (tail[first]?.length ?? 0) + 1;
      first += 1;
      tailSize -= size;
      cutLines += 1;
      cutBytes += size;
    }
    if (first > 10_000) {
      // Copies: a line on its own would keep the whole piece of output that it came in.
      tail = tail.slice(first).map((each) => Buffer.from(each));
      first = 0;
    }
    return undefined;
  };
  const add = (chunk: Buffer) => {
    const lines: string[] = [];
    let pending = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const at = pending.subarray(0, LINE + 1).indexOf(10);
      if (at < 0 && pending.length <= LINE) break;
      const line = keep(pending.subarray(0, at < 0 ? LINE : at));
      if (line !== undefined) lines.push(line);
      pending = pending.subarray(at < 0 ? LINE : at + 1);
    }
    rest = Buffer.from(pending);
    return lines;
  };
  const all = () => {
    if (rest.length > 0) keep(rest);
    rest = Buffer.alloc(0);
    const cut = cutLines === 0 ? [] : [`[vault: ${cutLines} lines, ${cutBytes} bytes left out here]`];
    return [...head, ...cut, ...tail.slice(first).map(harmless)];
  };
  return {
    add,
    lines: all,
    lastLines: () =>
      all()
        .filter((line) => line.trim() !== '')
        .slice(-QUOTED),
  };
}
