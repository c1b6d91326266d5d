import type { Where } from '../commands/spec.ts';

/** Where state lives: `--state-dir`, `$VAULT_STATE_DIR`, `/var/lib/vault`, or under XDG for an unprivileged user. */
export function stateDirectory(where: Where): string {
  const named = where.stateDir ?? where.env['VAULT_STATE_DIR'];
  if (named !== undefined && named !== '') return named;
  if (where.uid === 0) return '/var/lib/vault';
  const base = where.env['XDG_STATE_HOME'] ?? `${where.home}/.local/state`;
  return `${base}/vault`;
}

/** Where locks of clients live: they must not outlive a reboot. */
export function runtimeDirectory(where: Where): string {
  if (where.uid === 0) return '/run/vault';
  const base = where.env['XDG_RUNTIME_DIR'];
  return base === undefined || base === '' ? `${stateDirectory(where)}/locks` : `${base}/vault`;
}
