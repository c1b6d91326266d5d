import { kindOf, messageOf, VaultError, type Problem } from '../errors.ts';
import { printable } from './text.ts';

/**
 * Anything thrown, as lines for stderr without a newline at the end: what went wrong, all problems as
 * `FILE:LINE: message`, and what to do about it. A bug shows its stack and what `program` it happened in (name,
 * version, platform), and asks to be reported.
 */
export function errorText(error: unknown, program: string): string {
  if (!(error instanceof VaultError)) return bugText(error, program);
  const lines = [`vault: error: ${printable(error.message)}`, ...error.problems.map(problemText)];
  if (error.hint !== undefined) lines.push(`hint: ${printable(error.hint)}`);
  return lines.join('\n');
}

/** The `error` object in the last line of `--json`. */
export function errorJson(error: unknown): Readonly<Record<string, unknown>> {
  const kind = kindOf(error);
  if (!(error instanceof VaultError)) return { kind, message: messageOf(error), hint: REPORT };
  return {
    kind,
    message: error.message,
    hint: error.hint,
    problems: error.problems.length === 0 ? undefined : error.problems,
  };
}

/** One problem as compilers print them, so that editors find the place. */
export function problemText(problem: Problem): string {
  const line = problem.line === undefined ? '' : `${problem.line}:`;
  const place = problem.file === undefined ? '' : `${printable(problem.file)}:${line} `;
  return `${place}${printable(problem.message)}`;
}

const REPORT = 'This is a mistake in vault, not yours. Please report it with the lines above.';

function bugText(error: unknown, program: string): string {
  const stack = error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
  const lines = [`vault: bug: ${printable(messageOf(error))}`, ...stack.split('\n').map(printable)];
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause !== undefined) lines.push(`caused by: ${printable(messageOf(cause))}`);
  return [...lines, program, `hint: ${REPORT}`].join('\n');
}
