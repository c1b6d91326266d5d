import type { Io } from './command.ts';

/** What is kept of the outputs of a child whose output nobody takes. */
export const STDOUT_KEPT = 1024 * 1024;
export const STDERR_KEPT = 64 * 1024;
/** Longer lines are broken. */
const LINE = 64 * 1024;

/** Keeps the first bytes of an output. */
export function keepHead(limit: number) {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    add: (chunk: Buffer) => {
      if (size < limit) chunks.push(chunk.subarray(0, limit - size));
      size += chunk.length;
    },
    get: () => Buffer.concat(chunks),
  };
}

/** Keeps the last bytes of an output. */
export function keepTail(limit: number) {
  let kept: Buffer = Buffer.alloc(0);
  return {
    add: (chunk: Buffer) => {
      kept = Buffer.concat([kept, chunk]);
      if (kept.length > limit) kept = kept.subarray(kept.length - limit);
    },
    get: () => kept,
  };
}

/** Passes chunks on to `keep`, and line by line to `onLine`. */
export function linesTo(keep: (chunk: Buffer) => void, onLine: Io['stderr']): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  if (onLine === undefined) return keep;
  return (chunk) => {
    keep(chunk);
    rest = Buffer.concat([rest, chunk]);
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      onLine(rest.subarray(0, at));
      rest = rest.subarray(at + 1);
    }
    if (rest.length > LINE) {
      onLine(rest);
      rest = Buffer.alloc(0);
    }
  };
}
