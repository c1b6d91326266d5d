import type { Context } from '../commands/spec.ts';
import { loadBranch, loadMaster, type Loaded, type LoadedBranch, type Overrides } from '../config/load.ts';
import type { ScheduleEntry } from '../config/option.ts';
import { parseTree } from '../config/tree.ts';
import { observeBank } from '../disk/observe.execute.ts';
import { fromSystem, messageOf, VaultError, type Problem } from '../errors.ts';
import { isAbsence } from '../image/absence.ts';
import { noteRun } from '../image/journal.execute.ts';
import { makeImage, rehearseImage, type MadeImage } from '../image/make.execute.ts';
import type { Rehearsal } from '../image/attempt.execute.ts';
import { sourceOf } from '../image/plan.ts';
import { clientKey } from '../image/probe.execute.ts';
import { nextJob, type NightJob } from './plan.ts';

/** How one entry of the night ended. */
export type NightResult = { readonly label: string; readonly seconds: number } & (
  | { readonly kind: 'made'; readonly made: MadeImage }
  | { readonly kind: 'rehearsed'; readonly rehearsal: Rehearsal }
  /** The client is absent, and may be. */
  | { readonly kind: 'absent'; readonly message: string }
  | { readonly kind: 'failed'; readonly error: unknown }
);

/** An entry of `Runall`, with its settings or why there are none. */
export type NightEntry =
  | { readonly label: string; readonly loaded: LoadedBranch }
  | { readonly label: string; readonly error: VaultError };

export interface Night {
  readonly master: Loaded;
  readonly entries: readonly NightEntry[];
}

/**
 * Loads the settings of every entry before anything runs. Mistakes in the configuration stop the whole night
 * (`config`, all at once); a missing disk only its own vaults.
 */
export async function loadNight(context: Context, overrides: Overrides): Promise<Night> {
  const master = await loadMaster(context.where);
  const entries: NightEntry[] = [];
  const problems: Problem[] = [];
  for (const [index, entry] of master.settings.Runall.entries()) {
    const label = labelOf(entry);
    const dated = entry.time === undefined ? overrides : { ...overrides, 'image-time': entry.time };
    try {
      entries.push({ label, loaded: await loadBranch(context.where, entry, dated) });
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      if (error.kind === 'disk') entries.push({ label, error });
      else if (error.problems.length > 0) problems.push(...error.problems);
      else {
        const { file, line } = master.itemOrigins.get('Runall')?.[index] ?? {};
        const place = file === undefined || line === undefined ? {} : { file, line };
        problems.push({ ...place, message: `Runall: ${label}: ${error.message}` });
      }
    }
  }
  if (problems.length === 0) return { master, entries };
  const unique = [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
  throw new VaultError('config', 'The configuration has mistakes: nothing was run.', { problems: unique });
}

function labelOf(entry: ScheduleEntry): string {
  return entry.branch === undefined ? entry.vault : `${entry.vault}:${entry.branch}`;
}

/** Makes all images of the night, in parallel where clients and disks allow. Never throws for one vault's failure. */
export async function runNight(
  context: Context,
  night: Night,
  limit: number,
  onEnd: (result: NightResult) => void,
): Promise<readonly NightResult[]> {
  const results: NightResult[] = [];
  const ended = (result: NightResult) => {
    results.push(result);
    onEnd(result);
  };
  const waiting: NightJob[] = [];
  for (const entry of night.entries) {
    if ('error' in entry) ended({ label: entry.label, seconds: 0, kind: 'failed', error: entry.error });
    else {
      try {
        waiting.push(await jobOf(context, entry.loaded));
      } catch (error) {
        ended({ label: entry.label, seconds: 0, kind: 'failed', error: fromSystem(error) });
      }
    }
  }
  const running = new Map<NightJob, Promise<void>>();
  while (waiting.length > 0 || running.size > 0) {
    const job = nextJob(waiting, [...running.keys()], limit);
    if (job === undefined) {
      await Promise.race(running.values());
      continue;
    }
    waiting.splice(waiting.indexOf(job), 1);
    const work = runJob(context, job.loaded).then((result) => {
      running.delete(job);
      ended(result);
    });
    running.set(job, work);
  }
  return results;
}

async function jobOf(context: Context, loaded: LoadedBranch): Promise<NightJob> {
  const { settings } = loaded;
  const device = await observeBank(loaded.bank);
  const tree = parseTree(settings.tree ?? '');
  if (tree === undefined) throw new Error('configuration without tree');
  const source = sourceOf(settings.client ?? '', tree, context.where.hostName);
  return {
    loaded,
    vaultKey: `${loaded.bank}/${loaded.vault}`,
    clientKey: await clientKey(context.run, source, settings.rsh, context.signal),
    bankId: device.id,
    bankLimit: device.slow ? 1 : settings['bank-jobs'],
  };
}

async function runJob(context: Context, loaded: LoadedBranch): Promise<NightResult> {
  const label = loaded.branch === 'default' ? loaded.vault : `${loaded.vault}:${loaded.branch}`;
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  const progress = context.progress.start(label);
  const { run, signal, where, zone, log } = context;
  const world = { run, signal, where, systemZone: zone, log, progress };
  try {
    if (signal.aborted) throw new VaultError('interrupted', 'Interrupted before it began.');
    if (context.dryRun) {
      const rehearsal = await rehearseImage(world, loaded);
      return { label, seconds: seconds(), kind: 'rehearsed', rehearsal };
    }
    const make = () => makeImage(world, loaded, { adoptBank: false, ignoreClock: false });
    const made = await noteRun(where, loaded, make, 'night');
    return { label, seconds: seconds(), kind: 'made', made };
  } catch (error) {
    if (isAbsence(loaded.settings, error)) {
      return { label, seconds: seconds(), kind: 'absent', message: messageOf(error) };
    }
    return { label, seconds: seconds(), kind: 'failed', error: fromSystem(error) };
  } finally {
    progress.end();
  }
}
