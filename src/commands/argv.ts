import { bytesOf, textOf } from '../raw-text.ts';

/**
 * The last `count` arguments of /proc/self/cmdline, which keeps the bytes that `process.argv` destroys; each as text
 * without loss (raw-text.ts).
 */
export function argumentsOf(cmdline: Uint8Array, count: number): string[] {
  const bytes = Buffer.from(cmdline);
  const parts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0, at);
    const stop = end < 0 ? bytes.length : end;
    parts.push(textOf(bytes.subarray(at, stop)));
    at = stop + 1;
  }
  return count === 0 ? [] : parts.slice(-count);
}

/** The bytes of an argument or option value as they were typed: a file name. */
export function argumentBytes(argument: string): Buffer {
  return bytesOf(argument);
}

/** Whether a flag is among the options, before anything is parsed: errors of parsing are to be shown its way too. */
export function hasFlag(argv: readonly string[], flag: string): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes(flag);
}
