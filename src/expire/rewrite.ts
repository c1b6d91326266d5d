import type { Expiry, ExpirySource } from '../config/rules.ts';
import { summaryValue } from '../catalog/summary.ts';

/** The summary of a pinned image: it never expires, for dirvish neither, and the old date stands beside. */
export function pinnedSummary(text: string): string {
  const expire = valueOf(text, 'Expire') ?? 'Never';
  return withValue(withValue(text, 'Vault-expire', expire, 'Expire'), 'Expire', 'Never');
}

/** The summary of an image that was pinned, with its old date back in place. */
export function unpinnedSummary(text: string): string {
  const expire = valueOf(text, 'Vault-expire') ?? '';
  return withoutValue(withValue(text, 'Expire', expire === '' ? 'Never' : expire), 'Vault-expire');
}

/** The summary with another date of expiry; of a pinned one, the date beside the pin. */
export function restampedSummary(text: string, expiry: Expiry, from: ExpirySource): string {
  const key = valueOf(text, 'Vault-expire') === undefined ? 'Expire' : 'Vault-expire';
  const dated = withValue(text, key, expiry.expire);
  const ruled =
    expiry.rule === undefined
      ? withoutValue(dated, 'Expire-rule')
      : withValue(dated, 'Expire-rule', expiry.rule, 'Expire');
  return withValue(ruled, 'Vault-expire-from', from, 'Expire');
}

function line(key: string): RegExp {
  return new RegExp(`^${key}:[ \\t]*(.*)\\n?`, 'm');
}

function valueOf(text: string, key: string): string | undefined {
  return line(key).exec(text)?.[1]?.trim();
}

/** Everything else in the summary stays to the letter. A new key goes behind another one, else to the end. */
function withValue(text: string, key: string, value: string, behind?: string): string {
  const written = `${key}: ${summaryValue(value)}\n`;
  if (valueOf(text, key) !== undefined) return text.replace(line(key), () => written);
  const place = behind === undefined ? null : line(behind).exec(text);
  if (place === null) return `${text.replace(/\n*$/, '\n')}${written}`;
  const at = place.index + place[0].length;
  return `${text.slice(0, at)}${written}${text.slice(at)}`;
}

function withoutValue(text: string, key: string): string {
  return text.replace(line(key), '');
}
