import type { LoadedBranch } from '../config/load.ts';
import { VaultError } from '../errors.ts';

/**
 * Whether a run failed just because its client is away and may be (`presence: optional`). A laptop may be away; a
 * host with another key is not the laptop.
 */
export function isAbsence(settings: Pick<LoadedBranch['settings'], 'presence'>, error: unknown): boolean {
  if (settings.presence !== 'optional' || !(error instanceof VaultError)) return false;
  return error.kind === 'unreachable' && !/host key/i.test(error.message);
}
