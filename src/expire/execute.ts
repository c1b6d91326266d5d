import { join } from 'node:path';
import type { Log, ProgressTask, Where } from '../commands/spec.ts';
import { stateDirectory } from '../config/state.ts';
import { recogniseBank } from '../disk/bank.execute.ts';
import { observeBank } from '../disk/observe.execute.ts';
import { codeOf, fromSystem, kindOf, messageOf, VaultError, type ErrorKind } from '../errors.ts';
import type { Run } from '../exec/command.ts';
import { openForReading, takeLock, type Lock } from '../exec/lock.ts';
import { openedBy, type Opened } from '../exec/opened.ts';
import { hideImages, type Hidden } from './hide.execute.ts';
import type { ObservedVault } from './observe.execute.ts';
import type { ExpirePlan, JudgedImage } from './plan.ts';
import { removeHidden } from './remove.execute.ts';

export interface ExpireWorld {
  readonly run: Run;
  readonly signal: AbortSignal;
  readonly where: Where;
  readonly progress: ProgressTask;
  readonly log: Log;
}

export interface ExpireOptions {
  /** How many workers remove files at once; undefined for what the disk bears. */
  readonly jobs: number | undefined;
  /** Seconds after which removing stops; undefined for never. */
  readonly budget: number | undefined;
  /** Seconds to wait for the lock of a bank. */
  readonly wait: number;
  readonly nice: boolean;
}

/**
 * What became of one image that was to go: `deleted`; `hidden`: gone from every list, its files go next time; `changed`:
 * it stays, since it is not what was judged any more; `failed`. For one that an earlier expire left, `step` is undefined.
 */
export interface DeletionResult {
  readonly bank: string;
  readonly vault: string;
  readonly directory: string;
  readonly step: JudgedImage | undefined;
  readonly outcome: 'deleted' | 'hidden' | 'changed' | 'failed';
  readonly message?: string;
}

/** A bank or vault of which nothing could be deleted at all. */
export interface ExpireFailure {
  readonly label: string;
  readonly kind: ErrorKind;
  readonly error: unknown;
}

export interface ExpireResult {
  readonly deletions: readonly DeletionResult[];
  readonly failures: readonly ExpireFailure[];
  /** Whether it stopped for the budget, with files still to be removed. */
  readonly stopped: boolean;
}

interface Removal {
  readonly observed: ObservedVault;
  readonly vault: Opened;
  readonly hidden: Hidden;
}

const WORKERS = 2;

/**
 * Carries a plan out, bank by bank: first all images are taken out of sight, then their files are removed. What fails
 * fails alone; everything else goes on. `onEnd` hears of every image as it ends.
 */
export async function executeExpire(
  world: ExpireWorld,
  plan: ExpirePlan,
  vaults: readonly ObservedVault[],
  options: ExpireOptions,
  onEnd: (result: DeletionResult) => void,
): Promise<ExpireResult> {
  const budget = options.budget === undefined ? undefined : AbortSignal.timeout(options.budget * 1000);
  const deletions: DeletionResult[] = [];
  const failures: ExpireFailure[] = [];
  const ended = (result: DeletionResult) => {
    deletions.push(result);
    onEnd(result);
  };
  const work = { world, plan, options, ended, failures, budget };
  for (const bank of new Set(vaults.map(({ place }) => place.bank))) {
    const own = vaults.filter(({ place }) => place.bank === bank).filter((each) => hasWork(each, plan));
    if (own.length === 0) continue;
    await expireBank(work, bank, own).catch((error: unknown) => failures.push(failure(bank, error)));
    if (world.signal.aborted) throw new VaultError('interrupted', 'Interrupted; the next expire goes on.');
  }
  return { deletions, failures, stopped: budget?.aborted === true && deletions.some(isHidden) };
}

interface Work {
  readonly world: ExpireWorld;
  readonly plan: ExpirePlan;
  readonly options: ExpireOptions;
  readonly ended: (result: DeletionResult) => void;
  readonly failures: ExpireFailure[];
  readonly budget: AbortSignal | undefined;
}

function isHidden({ outcome }: DeletionResult): boolean {
  return outcome === 'hidden';
}

function failure(label: string, thrown: unknown): ExpireFailure {
  const error = fromSystem(thrown);
  return { label, kind: kindOf(error), error };
}

function stepsOf(observed: ObservedVault, plan: ExpirePlan): readonly JudgedImage[] {
  const { bank, name } = observed.place;
  return plan.steps.filter((step) => step.action === 'delete' && step.bank === bank && step.vault === name);
}

function hasWork(observed: ObservedVault, plan: ExpirePlan): boolean {
  return observed.remains.length > 0 || stepsOf(observed, plan).length > 0;
}

/** The bank is shared with runs, and kept from being unmounted, until its last file is removed. */
async function expireBank(work: Work, bank: string, vaults: readonly ObservedVault[]): Promise<void> {
  const { run, signal, where } = work.world;
  const request = { path: bank, mode: 'shared', wait: work.options.wait, what: `bank ${bank}` } as const;
  const bankLock = await takeLock(run, request, signal);
  const opened: Lock[] = [];
  const removals: Removal[] = [];
  try {
    await recogniseBank(run, bank, stateDirectory(where), false, signal).catch(unlessFull);
    for (const observed of vaults) {
      try {
        const lock = await openForReading(join(bank, observed.place.name));
        opened.push(lock);
        removals.push(...(await hide(work, observed, await openedBy(lock))));
      } catch (error) {
        work.failures.push(failure(observed.place.name, error));
      }
    }
    await removeAll(work, bank, removals, bankLock);
  } finally {
    for (const { hidden } of removals) await hidden.lock.release();
    for (const lock of opened) await lock.release();
    await bankLock.release();
  }
}

/** A full disk that was never seen can't be given a name; but making room is what it needs. */
function unlessFull(error: unknown): void {
  const code = codeOf(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
}

async function hide(work: Work, observed: ObservedVault, vault: Opened): Promise<Removal[]> {
  const { run, signal, progress } = work.world;
  progress.phase('deleting');
  const { mode, createdAt: now } = work.plan;
  const steps = stepsOf(observed, work.plan);
  const { hidden, refused } = await hideImages({ run, signal, vault, observed, steps, now, mode });
  for (const { step, outcome, message } of refused) {
    const { bank, vault: name, directory } = step;
    work.ended({ bank, vault: name, directory, step, outcome, message });
  }
  return hidden.map((each) => ({ observed, vault, hidden: each }));
}

async function removeAll(
  work: Work,
  bank: string,
  removals: readonly Removal[],
  bankLock: Lock,
): Promise<void> {
  if (removals.length === 0) return;
  const jobs = work.options.jobs ?? ((await observeBank(bank)).slow ? 1 : WORKERS);
  const waiting = [...removals];
  let done = 0;
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      // Near the end some workers would have nothing to do: they share the trees that are left.
      const share = Math.max(1, Math.floor(jobs / Math.min(jobs, waiting.length + 1)));
      work.ended(await removeOne(work, next, bankLock, share));
      done += 1;
      work.world.progress.update(done, 0);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, removals.length) }, worker));
}

async function removeOne(
  work: Work,
  removal: Removal,
  bankLock: Lock,
  workers: number,
): Promise<DeletionResult> {
  const { run, signal, progress, log } = work.world;
  const { hidden, vault, observed } = removal;
  const { bank, name } = observed.place;
  const directory = hidden.step?.directory ?? hidden.name;
  const common = { bank, vault: name, directory, step: hidden.step };
  const limited = work.budget === undefined ? signal : AbortSignal.any([signal, work.budget]);
  if (limited.aborted) return { ...common, outcome: 'hidden' };
  const lockFds = [bankLock.fd, hidden.lock.fd];
  const means = { run, signal: limited, vault, lockFds, nice: work.options.nice, progress, log };
  try {
    await removeHidden(means, hidden.name, workers);
    return { ...common, outcome: 'deleted' };
  } catch (error) {
    if (limited.aborted) return { ...common, outcome: 'hidden' };
    const message = messageOf(fromSystem(error)).replaceAll(/\/proc\/self\/fd\/\d+/g, vault.path);
    return { ...common, outcome: 'failed', message };
  }
}
