import type { JsonObject } from '../commands/spec.ts';
import type { TrustPlan } from '../care/trust.ts';
import { fingerprint, type HostKey, type KnownKey } from '../exec/host-keys.ts';
import type { SshSettings } from '../exec/ssh-settings.ts';
import { pad, printable } from './text.ts';

/** What a client offers and what was known of it, for people to compare. */
export function trustText(client: string, settings: SshSettings, plan: TrustPlan): string {
  const where = `${settings.user}@${settings.host}, port ${settings.port}`;
  const title = plan.kind === 'known' ? 'has these keys, which are known' : 'shows these keys';
  const lines = [`${printable(client)} (${printable(where)}) ${title}:`, ...keyLines(plan.keys)];
  if (plan.kind !== 'replace') return lines.join('\n');
  return [...lines, 'They differ from the known ones:', ...plan.old.flatMap(knownLines)].join('\n');
}

/** One object for every key that was seen. */
export function trustObjects(client: string, settings: SshSettings, plan: TrustPlan): readonly JsonObject[] {
  const state = plan.kind === 'add' ? 'new' : plan.kind === 'replace' ? 'changed' : 'known';
  const base = { type: 'hostKey', client, host: settings.host, port: settings.port };
  const seen = plan.keys.map((key) => ({ ...base, state, keyType: key.type, fingerprint: fingerprint(key) }));
  if (plan.kind !== 'replace') return seen;
  const old = plan.old.map(({ type, key, file, line }) => {
    return { ...base, state: 'old', keyType: type, fingerprint: fingerprint({ type, key }), file, line };
  });
  return [...seen, ...old];
}

function keyLines(keys: readonly HostKey[]): readonly string[] {
  const names = keys.map(typeName);
  const width = Math.max(0, ...names.map((name) => name.length));
  return keys.map((key, at) => `  ${pad(names[at] ?? '', width)}  ${fingerprint(key)}`);
}

function knownLines(key: KnownKey): readonly string[] {
  return [...keyLines([key]), `    ${printable(key.file)}:${key.line}`];
}

/** `ED25519` for `ssh-ed25519`, `ECDSA` for `ecdsa-sha2-nistp256`. */
function typeName(key: HostKey): string {
  return printable(
    key.type
      .replace(/^ssh-/, '')
      .replace(/-sha2-nistp\d+$/, '')
      .toUpperCase(),
  );
}
