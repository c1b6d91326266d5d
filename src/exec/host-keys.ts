import { createHash } from 'node:crypto';

/** A public host key: its type (`ssh-ed25519`) and its base64. */
export interface HostKey {
  readonly type: string;
  readonly key: string;
}

/** A key that a known_hosts file has for the host. */
export interface KnownKey extends HostKey {
  readonly file: string;
  readonly line: number;
  /** `revoked` must never be accepted; `authority` signs keys and is none itself. */
  readonly marker: 'revoked' | 'authority' | undefined;
}

/** A key's fingerprint as OpenSSH shows it: `SHA256:` and 43 characters. */
export function fingerprint(key: HostKey): string {
  const digest = createHash('sha256').update(Buffer.from(key.key, 'base64')).digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}

/** Reads the keys that ssh-keyscan prints, or that a known_hosts file holds: `NAME TYPE BASE64`. */
export function parseKeys(text: string): readonly HostKey[] {
  const keys: HostKey[] = [];
  for (const line of text.split('\n')) {
    const [name = '#', type, key] = line.trim().split(/\s+/);
    if (name.startsWith('#') || name.startsWith('@') || type === undefined || key === undefined) continue;
    if (!keys.some((each) => sameKey(each, { type, key }))) keys.push({ type, key });
  }
  return keys;
}

/** Reads what `ssh-keygen -F NAME -f FILE` prints. */
export function parseFound(text: string, file: string): readonly KnownKey[] {
  const found: KnownKey[] = [];
  let line = 0;
  for (const each of text.split('\n')) {
    const heading = /^# Host .* found: line (\d+)/.exec(each);
    if (heading !== null) line = Number(heading[1]);
    const words = each.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
    const [, type, key] = words;
    if (heading !== null || type === undefined || key === undefined) continue;
    found.push({ type, key, file, line, marker: markerOf(marker) });
  }
  return found;
}

function markerOf(word: string | undefined): KnownKey['marker'] {
  if (word === undefined) return undefined;
  return word === '@cert-authority' ? 'authority' : 'revoked';
}

/** Whether two keys are one. */
export function sameKey(one: HostKey, other: HostKey): boolean {
  return one.type === other.type && one.key === other.key;
}
