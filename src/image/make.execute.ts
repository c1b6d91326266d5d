import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readVault, type VaultContents } from '../catalog/images.execute.ts';
import type { LoadedBranch } from '../config/load.ts';
import { stateDirectory } from '../config/state.ts';
import { requireTrustedHooks } from '../hook/execute.ts';
import { localShell, remoteShell } from '../hook/client.execute.ts';
import { recogniseBank, requireBank } from '../disk/bank.execute.ts';
import { fromSystem, messageOf, VaultError } from '../errors.ts';
import { openForReading } from '../exec/lock.ts';
import { attempt, rehearse, type Attempted, type Rehearsal } from './attempt.execute.ts';
import type { Made } from './result.ts';
import { captureInto, capturesMachine } from './captured.execute.ts';
import { commitImage, healHistory } from './commit.execute.ts';
import { EARLIER, heal, removeDirectory, setAside } from './heal.execute.ts';
import { FREEZE_DAYS } from './judge.ts';
import { meansOf, withLocks } from './locks.execute.ts';
import { makeLockFile } from './lock-file.execute.ts';
import {
  keepHookFiles,
  runPostClient,
  runPostHooksOfFailure,
  runPostServer,
  runPreHooks,
  statusOf,
  type Hooks,
} from './hooked.execute.ts';
import type { MakeWorld, Means } from './means.ts';
import { packIndex, packLog } from './pack.execute.ts';
import type { ImagePlan } from './plan.ts';
import { prepare, sourceOfLoaded, zoneOf, type Prepared } from './prepare.execute.ts';
import { leftOutBy } from './probe.ts';
import type { Completion } from './summarize.ts';

const DAY = 86_400;
/** Node's timers know no longer time: 24.8 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Between attempts at a broken connection. */
const RETRY_DELAY_MS = 5_000;
/** For what has to be done after an interruption, too. */
const CALM_MS = 10 * 60_000;

export interface MakeOptions {
  /** Take the bank as a new one, although its path was known with another identity. */
  readonly adoptBank: boolean;
  /** Go on although the clock is before the newest image: the user has dated this image by hand. */
  readonly ignoreClock: boolean;
}

/** An image that was made and committed, with what there is to say about it. */
export interface MadeImage {
  readonly plan: ImagePlan;
  readonly made: Made;
  readonly completion: Completion;
}

/** Makes one image, from locks to commit. Throws VaultError when nothing was kept. */
export async function makeImage(
  world: MakeWorld,
  loaded: LoadedBranch,
  options: MakeOptions,
): Promise<MadeImage> {
  const source = sourceOfLoaded(loaded, world.where.hostName);
  await requireTrustedHooks(loaded.settings, source.kind === 'local', world.where.uid);
  const deadline = AbortSignal.timeout(Math.min(loaded.settings['run-deadline'] * 1000, LONGEST_TIMER_MS));
  const limited = { ...world, signal: AbortSignal.any([world.signal, deadline]) };
  try {
    return await withLocks(limited, loaded, async (means) => {
      await recogniseBank(
        means.run,
        loaded.bank,
        stateDirectory(world.where),
        options.adoptBank,
        means.signal,
      );
      const removeLockFile = await makeLockFile(means.vault, world.where.hostName);
      try {
        return await makeLocked(limited, loaded, means, options);
      } finally {
        await removeLockFile();
      }
    });
  } catch (thrown) {
    const vault = `${loaded.bank}/${loaded.vault}`;
    const error = fromSystem(thrown, (path) => path.replace(/^\/proc\/self\/fd\/\d+/, vault));
    if (!deadline.aborted || world.signal.aborted) throw error;
    throw new VaultError('failed', `The run took longer than run-deadline allows and was stopped.`, {
      cause: error,
    });
  }
}

/** What making an image would do: the scan's result and the verdict on it. Writes nothing anywhere. */
export async function rehearseImage(world: MakeWorld, loaded: LoadedBranch): Promise<Rehearsal> {
  await requireBank(loaded.bank);
  const lock = await openForReading(join(loaded.bank, loaded.vault));
  try {
    const means = await meansOf(world, loaded, lock, []);
    const contents = await readVault(
      { bank: loaded.bank, name: loaded.vault },
      zoneOf(world.systemZone, loaded),
    );
    const { plan } = await prepare(means, loaded, contents, world);
    return await rehearse(means, plan);
  } finally {
    await lock.release();
  }
}

async function makeLocked(
  world: MakeWorld,
  loaded: LoadedBranch,
  means: Means,
  options: MakeOptions,
): Promise<MadeImage> {
  const zone = zoneOf(world.systemZone, loaded);
  const vault = { bank: loaded.bank, name: loaded.vault };
  const contents = await readVault(vault, zone, means.vault.at('.'));
  if (!options.ignoreClock) assertClock(contents, loaded);
  const earlier = await heal(means, contents);
  const healed = await readVault(vault, zone, means.vault.at('.'));
  await healHistory(means, healed.images, zone);
  const prepared = await prepare(means, loaded, healed, world);
  for (const note of prepared.plan.notes) world.log.info(`${labelOf(prepared.plan)}: ${note}`);
  const hooks = hooksOf(world, prepared);
  let { plan } = prepared;
  /** What has come is of use to the next run. */
  let kept = false;
  try {
    plan = await runPreHooks(hooks, means, plan);
    const begun = Math.floor(Date.now() / 1000);
    const made = await attemptAll(world, means, plan, hooks, earlier);
    kept = true;
    if (made.kind === 'broken') throw brokenError(plan, made.reason);
    return await finish(world, means, { ...prepared, plan }, made, begun, hooks);
  } catch (error) {
    await runPostHooksOfFailure(hooks, means, plan, error);
    if (!kept) await cleanUp(means, plan, error);
    throw error;
  } finally {
    hooks.means.shell.close();
  }
}

/** Tries until an attempt comes to an end, or breaks off too often. */
async function attemptAll(
  world: MakeWorld,
  means: Means,
  plan: ImagePlan,
  hooks: Hooks,
  remains: string | undefined,
): Promise<Attempted> {
  let earlier = remains;
  for (let tries = 0; ; tries += 1) {
    hooks.transferred = true;
    const made = await attempt(means, plan, earlier, hooks.preamble);
    if (made.kind === 'made') return made;
    if (tries >= plan.settings.retries) {
      return { kind: 'broken', reason: `${tries === 0 ? '' : ` ${tries + 1} times`}: ${made.reason}` };
    }
    world.log.warn(`${labelOf(plan)}: ${made.reason}: trying again`);
    await setAside(means, plan.workDirectory);
    earlier = EARLIER;
    await keepHookFiles(means, EARLIER, plan.workDirectory);
    await sleep(RETRY_DELAY_MS, undefined, { signal: means.signal }).catch(() => undefined);
  }
}

function brokenError(plan: ImagePlan, reason: string): VaultError {
  return new VaultError('failed', `${plan.client}: the connection broke${reason}.`, {
    hint: 'What has come so far is kept; the next run goes on from there.',
  });
}

/** Client hooks of a daemon's tree go over ssh too, unless the daemon is this machine's. */
function hooksOf(world: MakeWorld, { plan, zone }: Prepared): Hooks {
  const { source } = plan.setup;
  const host = source.client.replace(/^.*@/, '');
  const isHere = source.kind === 'local' || host === 'localhost' || host === world.where.hostName;
  const shell = isHere ? localShell(world.run) : remoteShell(world.run, plan.settings.rsh, plan.client);
  const { run, log } = world;
  return {
    means: { run, shell, settings: plan.settings, time: plan.time, zone, log },
    user: world.signal,
    hostName: world.where.hostName,
    outcomes: [],
    preamble: [],
    transferred: false,
  };
}

function labelOf(plan: ImagePlan): string {
  return plan.branch === 'default' ? plan.vault : `${plan.vault}:${plan.branch}`;
}

/** A clock before the newest image would give wrong names, wrong expiry, and a wrong order. */
function assertClock(contents: VaultContents, loaded: LoadedBranch): void {
  const newest = Math.max(0, ...contents.images.map((image) => image.completed ?? 0));
  if (newest <= Date.now() / 1000 + 1) return;
  throw new VaultError('refused', `The clock is before the newest image of vault ${loaded.vault}.`, {
    hint: 'Set the clock right; or date the image by hand with --image-time.',
  });
}

/** What stays of an attempt that failed: something for the next run to build on, or nothing. */
async function cleanUp(means: Means, plan: ImagePlan, error: unknown): Promise<void> {
  const kept = error instanceof VaultError && (error.kind === 'interrupted' || error.kind === 'unreachable');
  if (kept || means.signal.aborted) return;
  const calm = { ...means, signal: AbortSignal.timeout(CALM_MS) };
  await removeDirectory(calm, plan.workDirectory).catch((again: unknown) => {
    means.log.warn(`${labelOf(plan)}: cleaning up failed: ${String(again)}`);
  });
}

async function finish(
  world: MakeWorld,
  means: Means,
  prepared: Prepared,
  made: Made,
  begun: number,
  hooks: Hooks,
): Promise<MadeImage> {
  const { plan, facts, zone } = prepared;
  means.progress.phase('committing');
  const verdict = made.partial ? 'partial' : made.held ? 'held' : 'good';
  const status = statusOf(verdict, made.warnings.length);
  await runPostClient(hooks, means, plan, status);
  const capture = capturesMachine(plan) ? await captureInto(hooks, means, plan) : undefined;
  const told = warnOfCapture(made, capture);
  await packIndex(means, plan);
  const late = plan.settings['post-server'] !== undefined;
  if (!late) await packLog(means, plan, plan.workDirectory);
  for (const name of ['exclude', 'attempt', 'changes.again']) {
    await rm(means.vault.at(`${plan.workDirectory}/${name}`), { force: true });
  }
  const completed = Math.floor(Date.now() / 1000);
  const warned = made.findings.some((finding) => finding.level === 'warn');
  const completion: Completion = {
    verdict,
    begun,
    completed,
    command: made.command,
    tally: made.tally,
    totals: made.totals,
    findings: made.findings,
    warnings: told.warnings,
    missing: made.missing,
    leftOut: plan.settings.xdev ? leftOutBy(plan.tree.path, facts.mounts) : [],
    hooks: hooks.outcomes,
    capture,
    // A partial image is never held, but what would have held it must not let others expire.
    frozenUntil: warned || made.held ? completed + FREEZE_DAYS * DAY : undefined,
  };
  const whole = await commitImage(
    means,
    plan,
    completion,
    { hostName: world.where.hostName, zone },
    async () => {
      if (late) await runPostServer(hooks, means, plan, status);
      // The image is complete: an interruption now must not keep it from being listed.
      const calm = { ...means, signal: AbortSignal.timeout(CALM_MS) };
      if (late) await packLog(calm, plan, plan.directory);
      return { ...completion, hooks: [...hooks.outcomes] };
    },
  );
  await removeDirectory(means, EARLIER).catch((error: unknown) => {
    means.log.warn(`${labelOf(plan)}: the remains of an earlier attempt are left: ${messageOf(error)}`);
  });
  return { plan, made: told, completion: whole };
}

/** Without its machine descriptor an image is as good as it was; but somebody has to know. */
function warnOfCapture(made: Made, capture: string | undefined): Made {
  if (capture === undefined || !capture.startsWith('failed')) return made;
  return { ...made, warnings: [...made.warnings, `capture ${capture}`] };
}
