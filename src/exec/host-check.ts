import { VaultError } from '../errors.ts';
import { fingerprint, type KnownKey } from './host-keys.ts';

/** What ssh2 can check, with what OpenSSH would choose first. */
const ALGORITHMS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const;

/** The known key types first, then the others: so that a changed key is seen, not only missed. */
export function algorithmsFor(known: readonly KnownKey[]): (typeof ALGORITHMS)[number][] {
  const types = new Set(known.filter((key) => key.marker === undefined).map((key) => key.type));
  const isKnown = (name: string) => types.has(name.startsWith('rsa-') ? 'ssh-rsa' : name);
  return ALGORITHMS.toSorted((a, b) => Number(isKnown(b)) - Number(isKnown(a)));
}

/** What is wrong with the key that a host offers; both fingerprints are named. */
export function checkKey(
  client: string,
  offered: Buffer,
  known: readonly KnownKey[],
): VaultError | undefined {
  const key = offered.toString('base64');
  const shown = fingerprint({ type: '', key });
  const equal = known.filter((each) => each.key === key);
  if (equal.some((each) => each.marker === 'revoked')) {
    return new VaultError('unreachable', `The host key of ${client} is revoked: ${shown}.`);
  }
  if (equal.some((each) => each.marker === undefined)) return undefined;
  const plain = known.filter((each) => each.marker === undefined);
  if (plain.length === 0) {
    const authorities = known.some((each) => each.marker === 'authority');
    const why = authorities ? ' (certificates of host keys are not understood for hooks)' : '';
    return new VaultError('unreachable', `The host key of ${client} is not known: ${shown}${why}.`, {
      hint: `Compare and accept it with: vault trust ${client}`,
    });
  }
  const before = plain.map((each) => `${fingerprint(each)} (${each.file}:${each.line})`).join(', ');
  return new VaultError(
    'unreachable',
    `The host key of ${client} has changed: it is ${shown} now, and was ${before}. Nothing was run there.`,
    { hint: `If the change is genuine: vault trust ${client} --replace` },
  );
}
