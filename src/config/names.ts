import { VaultError } from '../errors.ts';

const NEW_NAME = /^[A-Za-z0-9_][A-Za-z0-9._+-]*$/;
/** No white space or control characters, nothing an address or a path takes apart, no `.` or `-` in front. */
const USABLE_NAME = /^[^\s\p{C}/:@.-][^\s\p{C}/:@]*$/u;

/** Whether a new vault or branch may be called this. */
export function isName(text: string): boolean {
  return NEW_NAME.test(text) && !text.includes('..');
}

/** Whether a vault or branch that is there already may be called this: dirvish asked for less. */
export function isUsableName(text: string): boolean {
  return USABLE_NAME.test(text) && !text.includes('..');
}

/** Throws `usage` unless a vault or branch may be called this. */
export function requireName(what: 'vault' | 'branch', name: string): void {
  if (isUsableName(name)) return;
  throw new VaultError('usage', `"${name}" can't be the name of a ${what}.`, {
    hint: 'Names have no white space, "/", ":" or "@" in them, and do not begin with "." or "-".',
  });
}
