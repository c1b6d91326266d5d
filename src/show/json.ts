import type { JsonObject } from '../commands/spec.ts';

/** One line of the output of `--json`. */
export function jsonLine(object: JsonObject): string {
  return `${JSON.stringify({ schema: 1, ...object })}\n`;
}
