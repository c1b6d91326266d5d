import type { Settings } from '../config/options.ts';
import { parseTree } from '../config/tree.ts';
import { shellQuote } from '../exec/command.ts';

/** Where the forced command is put, below the home of whom vault logs in as. */
export const FILTER_PLACE = '.ssh/vault-ssh-filter';

/** A line of a public key file: `ssh-ed25519 AAAA… comment`. */
export function parsePublicKey(text: string): { readonly type: string; readonly key: string } | undefined {
  const [, type, key] = /^\s*((?:ssh|ecdsa|sk)-[A-Za-z0-9@.-]+)\s+([A-Za-z0-9+/=]+)/.exec(text) ?? [];
  return type === undefined || key === undefined ? undefined : { type, key };
}

/**
 * The line of authorized_keys by which the client lets vault do what these vaults need, and nothing else. `capture` is
 * the SHA-256 of the capture script.
 */
export function authorizedLine(
  key: { readonly type: string; readonly key: string },
  vaults: readonly Settings[],
  capture: string,
): string {
  const trees = new Set(vaults.map((each) => parseTree(each.tree ?? '')?.path ?? ''));
  const hooks = new Set(
    vaults.flatMap((each) => [each['pre-client'], each['post-client']]).filter((each) => each !== undefined),
  );
  const captures = vaults.some((each) => each.capture ?? each.tree === '/');
  const words = [
    ...[...trees].filter((tree) => tree.startsWith('/')).flatMap((tree) => ['--tree', tree]),
    ...[...hooks].flatMap((hook) => ['--hook', hook]),
    ...(captures ? ['--capture', capture] : []),
  ];
  const command = `~/${FILTER_PLACE} ${words.map(shellQuote).join(' ')}`;
  // sshd takes \" for a quote inside of its quotes, and a backslash for nothing else.
  return `restrict,command="${command.replaceAll('"', '\\"')}" ${key.type} ${key.key} vault`;
}

/**
 * The script that puts filter and line in their places on the client: other lines of the same key go, since the first
 * one would count. `filter` is the text of hooks/ssh-filter.
 */
export function installScript(filter: string, line: string, key: string): string {
  return `set -eu
umask 077
cd
mkdir -p .ssh
cat > ${FILTER_PLACE}.new <<'VAULT-END-OF-FILTER'
${filter}VAULT-END-OF-FILTER
chmod 700 ${FILTER_PLACE}.new
mv ${FILTER_PLACE}.new ${FILTER_PLACE}
touch .ssh/authorized_keys
grep -vF -e ${shellQuote(key)} .ssh/authorized_keys > .ssh/authorized_keys.new || [ $? -eq 1 ]
printf '%s\\n' ${shellQuote(line)} >> .ssh/authorized_keys.new
mv .ssh/authorized_keys.new .ssh/authorized_keys
echo installed
`;
}
