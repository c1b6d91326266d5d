import type { Context } from '../commands/spec.ts';
import { exitCodeOf, fromSystem, kindOf, messageOf, worstExitCode } from '../errors.ts';
import { executeExpire, type ExpireResult } from '../expire/execute.ts';
import { hasUnreadable } from '../expire/plan.ts';
import { prepareExpire, requireClock } from '../expire/prepare.execute.ts';
import { readClock } from '../image/journal.execute.ts';

/** How the expiry before a night's runs ended. */
export interface NightExpiry {
  readonly seconds: number;
  readonly dryRun: boolean;
  readonly deleted: number;
  /** How many were out of sight, or would have gone in a dry run. */
  readonly planned: number;
  /** One line each, in the user's words. */
  readonly troubles: readonly string[];
  readonly exitCode: number;
}

type Ended = Omit<NightExpiry, 'seconds' | 'dryRun'>;

/** Expires what may go in these banks, before images are made. Its troubles are told, and never stop the night. */
export async function expireFirst(context: Context, banks: readonly string[]): Promise<NightExpiry> {
  const begun = performance.now();
  const ended = (part: Ended) => ({
    ...part,
    dryRun: context.dryRun,
    seconds: (performance.now() - begun) / 1000,
  });
  try {
    return ended(await expireBanks(context, banks));
  } catch (thrown) {
    const error = fromSystem(thrown);
    const exitCode = exitCodeOf(kindOf(error));
    return ended({ deleted: 0, planned: 0, troubles: [messageOf(error)], exitCode });
  }
}

async function expireBanks(context: Context, banks: readonly string[]): Promise<Ended> {
  const { run, signal, where, log } = context;
  const timeIn = () => context.now;
  const prepared = await prepareExpire({ where, only: undefined, banks, timeIn, mode: 'image' });
  requireClock(prepared, await readClock(where), context.now);
  const { plan, settings, observed } = prepared;
  const planned = plan.steps.filter(({ action }) => action === 'delete').length;
  const warnings = plan.warnings.map(({ message }) => message);
  const unreadable = hasUnreadable(plan) ? [exitCodeOf('partial')] : [];
  if (context.dryRun) {
    return { deleted: 0, planned, troubles: warnings, exitCode: worstExitCode(unreadable) };
  }
  const progress = context.progress.start('expire');
  try {
    const world = { run, signal, where, log, progress };
    const options = {
      jobs: undefined,
      budget: undefined,
      wait: settings['lock-wait'],
      nice: settings.nice,
    };
    const result = await executeExpire(world, plan, observed.vaults, options, () => undefined);
    return {
      deleted: result.deletions.filter(({ outcome, step }) => outcome === 'deleted' && step !== undefined)
        .length,
      planned,
      troubles: [...warnings, ...troublesOf(result)],
      exitCode: worstExitCode([...unreadable, ...codesOf(result)]),
    };
  } finally {
    progress.end();
  }
}

function troublesOf({ deletions, failures }: ExpireResult): string[] {
  const failed = deletions.filter(({ outcome }) => outcome === 'failed' || outcome === 'changed');
  return [
    ...failures.map(({ label, error }) => `${label}: ${messageOf(error)}`),
    ...failed.map(({ vault, directory, message }) => `${vault}/${directory}: ${message ?? 'not deleted'}`),
  ];
}

function codesOf({ deletions, failures }: ExpireResult): number[] {
  const failed = deletions.some(({ outcome }) => outcome === 'failed');
  return [...(failed ? [exitCodeOf('failed')] : []), ...failures.map(({ kind }) => exitCodeOf(kind))];
}
