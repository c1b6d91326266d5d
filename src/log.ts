import { pino } from 'pino';
import type { Log } from './commands/spec.ts';
import { printable } from './show/text.ts';

export interface LogSettings {
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** Takes one whole line with its newline, and has written it when it returns. */
  readonly write: (line: string) => void;
}

const PREFIXES = new Map([
  [20, 'vault: debug: '],
  [30, 'vault: '],
  [40, 'vault: warning: '],
  [50, 'vault: error: '],
]);

/** The log: plain text lines, one a message, written at once so that nothing is lost when the program ends. */
export function createLog(settings: LogSettings): Log {
  const level = settings.verbose ? 'debug' : settings.quiet ? 'warn' : 'info';
  const logger = pino(
    { level, base: null, timestamp: false },
    { write: (json) => settings.write(lineOf(json)) },
  );
  return {
    debug: (message) => logger.debug(message),
    info: (message) => logger.info(message),
    warn: (message) => logger.warn(message),
    error: (message) => logger.error(message),
  };
}

/** pino hands over JSON; people get text. */
function lineOf(json: string): string {
  const entry: unknown = JSON.parse(json);
  const { level, msg } = entry as { readonly level: number; readonly msg: string };
  return `${PREFIXES.get(level) ?? 'vault: '}${printable(msg)}\n`;
}
