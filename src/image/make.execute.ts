import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readVault, type VaultContents } from '../catalog/images.execute.ts';
import type { Where, Log, ProgressTask } from '../commands/spec.ts';
import type { LoadedBranch } from '../config/load.ts';
import { runtimeDirectory, stateDirectory } from '../config/state.ts';
import { recogniseBank, requireBank } from '../disk/bank.execute.ts';
import { fromSystem, VaultError } from '../errors.ts';
import type { Run } from '../exec/command.ts';
import { openForReading, takeLock, type Lock } from '../exec/lock.ts';
import { openedBy } from '../exec/opened.ts';
import { attempt, rehearse, type Made, type Rehearsal } from './attempt.execute.ts';
import { commitImage, healHistory } from './commit.execute.ts';
import { EARLIER, heal, removeDirectory, setAside } from './heal.execute.ts';
import { FREEZE_DAYS } from './judge.ts';
import { makeLockFile } from './lock-file.execute.ts';
import type { Means } from './means.ts';
import { packFiles } from './pack.execute.ts';
import type { ImagePlan } from './plan.ts';
import { prepare, sourceOfLoaded, zoneOf, type Prepared } from './prepare.execute.ts';
import { leftOutBy } from './probe.ts';
import { clientKey } from './probe.execute.ts';
import type { Completion } from './summarize.ts';

const DAY = 86_400;
/** Between attempts at a broken connection. */
const RETRY_DELAY_MS = 5_000;

export interface MakeWorld {
  readonly run: Run;
  readonly signal: AbortSignal;
  readonly where: Where;
  /** The machine's own zone, for `time-zone: system`. */
  readonly systemZone: string;
  readonly progress: ProgressTask;
  readonly log: Log;
}

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
  const deadline = AbortSignal.timeout(loaded.settings['run-deadline'] * 1000);
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

/** Locks in the agreed order: bank (shared), client, vault. All are released when `work` ends. */
async function withLocks<T>(
  world: MakeWorld,
  loaded: LoadedBranch,
  work: (means: Means) => Promise<T>,
): Promise<T> {
  const { run, signal } = world;
  await requireBank(loaded.bank);
  const source = sourceOfLoaded(loaded, world.where.hostName);
  const wait = loaded.settings['lock-wait'];
  const locks: Lock[] = [];
  try {
    const bank = { path: loaded.bank, mode: 'shared', wait, what: `bank ${loaded.bank}` } as const;
    locks.push(await takeLock(run, bank, signal));
    const runtime = runtimeDirectory(world.where);
    await mkdir(runtime, { recursive: true, mode: 0o700 });
    const key = await clientKey(run, source, loaded.settings.rsh, signal);
    const client = { path: join(runtime, key), wait, what: `client ${source.client}` };
    locks.push(await takeLock(run, { ...client, mode: 'exclusive', create: true }, signal));
    const path = join(loaded.bank, loaded.vault);
    const vault = await takeLock(
      run,
      { path, mode: 'exclusive', wait, what: `vault ${loaded.vault}` },
      signal,
    );
    locks.push(vault);
    return await work(await meansOf(world, loaded, vault, locks));
  } finally {
    for (const lock of locks.toReversed()) await lock.release();
  }
}

async function meansOf(
  world: MakeWorld,
  loaded: LoadedBranch,
  vault: Lock,
  locks: readonly Lock[],
): Promise<Means> {
  return {
    run: world.run,
    signal: world.signal,
    vault: await openedBy(vault),
    lockFds: locks.map((lock) => lock.fd),
    nice: loaded.settings.nice,
    progress: world.progress,
    log: world.log,
  };
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
  let earlier = await heal(means, contents);
  const healed = await readVault(vault, zone, means.vault.at('.'));
  await healHistory(means, healed.images, zone);
  const prepared = await prepare(means, loaded, healed, world);
  const { plan } = prepared;
  for (const note of plan.notes) world.log.info(`${labelOf(plan)}: ${note}`);
  for (let tries = 0; ; tries += 1) {
    const begun = Math.floor(Date.now() / 1000);
    const made = await attempt(means, plan, earlier).catch(async (error: unknown) => {
      await cleanUp(means, plan, error);
      throw error;
    });
    if (made.kind === 'made') return finish(world, means, prepared, made, begun);
    if (tries >= plan.settings.retries) {
      throw new VaultError(
        'failed',
        `${plan.client}: the connection broke${tries === 0 ? '' : ` ${tries + 1} times`}: ${made.reason}.`,
        {
          hint: 'What has come so far is kept; the next run goes on from there.',
        },
      );
    }
    world.log.warn(`${labelOf(plan)}: ${made.reason}: trying again`);
    await setAside(means, plan.workDirectory);
    earlier = EARLIER;
    await sleep(RETRY_DELAY_MS, undefined, { signal: means.signal }).catch(() => undefined);
  }
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
  const calm = { ...means, signal: AbortSignal.timeout(10 * 60_000) };
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
): Promise<MadeImage> {
  const { plan, facts, zone } = prepared;
  means.progress.phase('committing');
  await packFiles(means, plan);
  for (const name of ['exclude', 'attempt', 'changes.again']) {
    await rm(means.vault.at(`${plan.workDirectory}/${name}`), { force: true });
  }
  const completed = Math.floor(Date.now() / 1000);
  const warned = made.findings.some((finding) => finding.level === 'warn');
  const completion: Completion = {
    verdict: made.partial ? 'partial' : made.held ? 'held' : 'good',
    begun,
    completed,
    command: made.command,
    tally: made.tally,
    totals: made.totals,
    findings: made.findings,
    warnings: made.warnings,
    missing: made.missing,
    leftOut: plan.settings.xdev ? leftOutBy(plan.tree.path, facts.mounts) : [],
    frozenUntil: warned ? completed + FREEZE_DAYS * DAY : undefined,
  };
  await commitImage(means, plan, completion, { hostName: world.where.hostName, zone });
  await removeDirectory(means, EARLIER);
  return { plan, made, completion };
}
