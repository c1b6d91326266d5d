import { observeBank } from '../disk/observe.execute.ts';
import { spaceOf } from '../disk/bank.execute.ts';
import type { RawPath } from '../model.ts';
import { cloneTree } from './clone.execute.ts';
import { cloneIsCheap } from './clone.ts';
import type { Work } from './work.execute.ts';

/** A clone that is under way, or waits to be asked for. */
export interface StartedClone {
  /** The paths that could not be linked, once all is there. */
  finish(): Promise<RawPath[]>;
  /** Stops it; what it made goes with the work directory. */
  giveUp(): Promise<void>;
}

/**
 * Clones the reference while the scan runs: both only read it. Where room is short the clone waits for the
 * judgement, so that it cannot be what fills the disk; on one slow disk they would only be in each other's way.
 */
export async function startClone(work: Work): Promise<StartedClone> {
  const { means, plan } = work;
  const from = plan.reference?.directory ?? '';
  const clone = (signal: AbortSignal) =>
    cloneTree({ ...means, signal }, from, plan.workDirectory, plan.setup.xattrs);
  const isRoot = process.geteuid?.() === 0;
  const space = await spaceOf(means.vault.at('.'), isRoot);
  const { slow } = await observeBank(means.vault.at('.'));
  if (slow || !cloneIsCheap(plan.reference?.directories, space)) {
    return { finish: () => clone(means.signal), giveUp: () => Promise.resolve() };
  }
  const stop = new AbortController();
  const running = clone(AbortSignal.any([means.signal, stop.signal]));
  // Whoever asks gets the error; until then it is nobody's.
  running.catch(() => undefined);
  return {
    finish: () => running,
    giveUp: async () => {
      stop.abort();
      await running.catch(() => undefined);
    },
  };
}
