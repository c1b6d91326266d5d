const ESCAPE = '\u001b[';

/** A place to write to, as process.stdout is one. */
export interface Sink {
  write(text: string): unknown;
}

/** stdout and stderr, with lines that stay at the bottom while others scroll past above them. */
export interface Screen {
  /** Writes to stdout. The text ends with a newline. */
  out(text: string): void;
  /** Writes to stderr. The text ends with a newline. */
  err(text: string): void;
  /** Replaces the lines at the bottom. Each must be narrower than the terminal. */
  pin(lines: readonly string[]): void;
}

/** Lines are pinned to stdout, which must be a terminal as soon as there is one to pin. */
export function createScreen(stdout: Sink, stderr: Sink): Screen {
  let pinned: readonly string[] = [];
  const erase = () => (pinned.length === 0 ? '' : `${ESCAPE}${pinned.length}A${ESCAPE}J`);
  const draw = () => pinned.map((line) => `${line}\n`).join('');
  return {
    out: (text) => stdout.write(erase() + text + draw()),
    err: (text) => {
      if (pinned.length > 0) stdout.write(erase());
      stderr.write(text);
      if (pinned.length > 0) stdout.write(draw());
    },
    pin: (lines) => {
      const before = erase();
      pinned = lines;
      if (before !== '' || lines.length > 0) stdout.write(before + draw());
    },
  };
}
