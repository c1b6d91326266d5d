import type { LoadedBranch } from '../config/load.ts';

/** One image to be made tonight. */
export interface NightJob {
  readonly loaded: LoadedBranch;
  /** The same for all branches of one vault, whose lock only one run can have. */
  readonly vaultKey: string;
  /** The same for all vaults that are read from one machine. */
  readonly clientKey: string;
  /** The file system of the bank. */
  readonly bankId: string;
  /** How many images may be made on that file system at once. */
  readonly bankLimit: number;
}

/** What is running, as far as the next start depends on it. */
type Busy = Pick<NightJob, 'vaultKey' | 'clientKey' | 'bankId'>;

/**
 * The first job that may start beside those running: never two of one vault or of one client, no more than its
 * bank bears, no more than `limit` in all. Undefined when something has to end first. The order of the configuration is kept.
 */
export function nextJob(
  waiting: readonly NightJob[],
  running: readonly Busy[],
  limit: number,
): NightJob | undefined {
  if (running.length >= limit) return undefined;
  return waiting.find((job) => {
    const onBank = running.filter((each) => each.bankId === job.bankId).length;
    const meets = (each: Busy) => each.vaultKey === job.vaultKey || each.clientKey === job.clientKey;
    return onBank < job.bankLimit && !running.some(meets);
  });
}
