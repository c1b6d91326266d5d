import { VaultError } from '../errors.ts';

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._+-]*$/;

/** Whether this may be the name of a vault or branch. */
export function isName(text: string): boolean {
  return NAME.test(text) && !text.includes('..');
}

/** Throws `usage` unless this may be the name of a vault or branch. */
export function requireName(what: 'vault' | 'branch', name: string): void {
  if (isName(name)) return;
  throw new VaultError('usage', `"${name}" can't be the name of a ${what}`, {
    hint: 'names have letters, digits and . _ + - only, and begin with a letter, a digit or _',
  });
}
