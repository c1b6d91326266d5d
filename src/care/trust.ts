import { createHmac } from 'node:crypto';
import { VaultError } from '../errors.ts';
import { fingerprint, sameKey, type HostKey, type KnownKey } from '../exec/host-keys.ts';

/** What is to be done about the keys a host offers: nothing, or to add them, or to put them in the place of others. */
export type TrustPlan =
  | { readonly kind: 'known'; readonly keys: readonly HostKey[] }
  | { readonly kind: 'add'; readonly keys: readonly HostKey[] }
  | { readonly kind: 'replace'; readonly keys: readonly HostKey[]; readonly old: readonly KnownKey[] };

/**
 * Compares what a host offers with what is known of it. A key that differs from the known one of its type, and
 * offered keys of which none is known while others are, count as changed. Fails (`refused`) for a revoked key.
 */
export function planTrust(offered: readonly HostKey[], known: readonly KnownKey[]): TrustPlan {
  const revoked = offered.find((key) =>
    known.some((each) => each.marker === 'revoked' && sameKey(each, key)),
  );
  if (revoked !== undefined) {
    throw new VaultError('refused', `The host offers a revoked key: ${fingerprint(revoked)}.`, {
      hint: 'Somebody marked this key as stolen in known_hosts. Give the machine new host keys.',
    });
  }
  const plain = known.filter((each) => each.marker === undefined);
  if (plain.length === 0) return { kind: 'add', keys: offered };
  const differs = offered.some(
    (key) => plain.some((each) => each.type === key.type) && !plain.some((each) => sameKey(each, key)),
  );
  const recognized = offered.filter((key) => plain.some((each) => sameKey(each, key)));
  if (!differs && recognized.length > 0) return { kind: 'known', keys: recognized };
  return { kind: 'replace', keys: offered, old: plain };
}

/** The keys with these fingerprints. Fails (`refused`) when one of the fingerprints is of no offered key. */
export function keysWith(offered: readonly HostKey[], fingerprints: readonly string[]): readonly HostKey[] {
  const wanted = fingerprints.map((each) => each.trim().replace(/=+$/, ''));
  const missing = wanted.find((each) => !offered.some((key) => fingerprint(key) === each));
  if (missing !== undefined) {
    throw new VaultError('refused', `No key of the host has the fingerprint ${missing}.`, {
      hint: `It offers ${offered.map(fingerprint).join(', ')}. If the fingerprint is right, this is another machine.`,
    });
  }
  return offered.filter((key) => wanted.includes(fingerprint(key)));
}

/** The lines to add for a host. With a salt (20 bytes) its name is hashed, as HashKnownHosts asks for. */
export function knownHostsLines(name: string, keys: readonly HostKey[], salt: Buffer | undefined): string {
  return keys
    .map((key) => `${salt === undefined ? name : hashedName(name, salt)} ${key.type} ${key.key}\n`)
    .join('');
}

function hashedName(name: string, salt: Buffer): string {
  const hash = createHmac('sha1', salt).update(name).digest('base64');
  return `|1|${salt.toString('base64')}|${hash}`;
}

/**
 * The text of a known_hosts file without a host's keys on some lines (counted from 1). Other names on such a line
 * stay. Fails (`refused`) where a pattern stands for the host, since others may depend on it.
 */
export function withoutHost(text: string, file: string, name: string, lines: readonly number[]): string {
  const rows = text.split('\n').flatMap((row, at) => {
    if (!lines.includes(at + 1)) return [row];
    const [names = ''] = row.trim().split(/\s+/, 1);
    if (names.startsWith('|')) return [];
    const all = names.split(',');
    const others = all.filter((each) => each !== name);
    if (others.length === all.length || /[*?!]/.test(names)) {
      throw new VaultError('refused', `${file}:${at + 1} knows the host by a pattern: ${names}.`, {
        hint: 'Edit this line by hand; then run vault trust again.',
      });
    }
    return others.length === 0 ? [] : [row.replace(names, () => others.join(','))];
  });
  return rows.join('\n');
}
