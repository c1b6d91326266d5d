import { mkdir, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readVault, type VaultContents } from '../catalog/images.execute.ts';
import type { Where, Log, ProgressTask } from '../commands/spec.ts';
import type { LoadedBranch } from '../config/load.ts';
import { expireFor } from '../config/rules.ts';
import { runtimeDirectory, stateDirectory } from '../config/state.ts';
import { parseTree } from '../config/tree.ts';
import { recogniseBank, requireBank } from '../disk/bank.execute.ts';
import { VaultError } from '../errors.ts';
import type { Run } from '../exec/command.ts';
import { openForReading, takeLock, type Lock } from '../exec/lock.ts';
import { openedBy } from '../exec/opened.ts';
import { strftime } from '../time/strftime.ts';
import { imageTime } from '../time/when.ts';
import { attempt, rehearse, type Made, type Rehearsal } from './attempt.execute.ts';
import { commitImage, healHistory } from './commit.execute.ts';
import { EARLIER, heal, removeDirectory, setAside } from './heal.execute.ts';
import { FREEZE_DAYS } from './judge.ts';
import { makeLockFile } from './lock-file.execute.ts';
import type { Means } from './means.ts';
import { packFiles } from './pack.execute.ts';
import { planImage, sourceOf, type ImagePlan, type Request } from './plan.ts';
import { leftOutBy, type ClientFacts } from './probe.ts';
import { clientKey, probeClient, probeServer } from './probe.execute.ts';
import type { Source } from './rsync.ts';
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
}

/** An image that was made and committed, with what there is to say about it. */
export interface MadeImage {
  readonly plan: ImagePlan;
  readonly made: Made;
  readonly completion: Completion;
}

/** What is held while an image is made; released in reverse order. */
interface Held {
  readonly means: Means;
  readonly contents: VaultContents;
  readonly facts: ClientFacts;
  readonly plan: ImagePlan;
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
    return await withLocks(limited, loaded, async (means, source) => {
      await recogniseBank(loaded.bank, stateDirectory(world.where), options.adoptBank);
      const removeLockFile = await makeLockFile(means.vault, world.where.hostName);
      try {
        return await makeLocked(limited, loaded, means, source);
      } finally {
        await removeLockFile();
      }
    });
  } catch (error) {
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
    const source = sourceOfLoaded(loaded, world.where.hostName);
    const contents = await readVault({ bank: loaded.bank, name: loaded.vault }, zoneOf(world, loaded));
    const { plan } = await prepare(world, loaded, means, source, contents);
    return await rehearse(means, plan);
  } finally {
    await lock.release();
  }
}

/** Locks in the agreed order: bank (shared), client, vault. All are released when `work` ends. */
async function withLocks<T>(
  world: MakeWorld,
  loaded: LoadedBranch,
  work: (means: Means, source: Source) => Promise<T>,
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
    return await work(await meansOf(world, loaded, vault, locks), source);
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

function sourceOfLoaded(loaded: LoadedBranch, hostName: string): Source {
  const tree = parseTree(loaded.settings.tree ?? '');
  const client = loaded.settings.client;
  if (tree === undefined || client === undefined) throw new Error('configuration without client or tree');
  return sourceOf(client, tree, hostName);
}

function zoneOf(world: MakeWorld, loaded: LoadedBranch): string {
  const zone = loaded.settings['time-zone'];
  return zone === 'system' ? world.systemZone : zone;
}

async function makeLocked(
  world: MakeWorld,
  loaded: LoadedBranch,
  means: Means,
  source: Source,
): Promise<MadeImage> {
  const zone = zoneOf(world, loaded);
  const vault = { bank: loaded.bank, name: loaded.vault };
  const contents = await readVault(vault, zone, means.vault.at('.'));
  assertClock(contents, loaded);
  let earlier = await heal(means, contents);
  const healed = await readVault(vault, zone, means.vault.at('.'));
  await healHistory(means, healed.images, zone);
  const held = await prepare(world, loaded, means, source, healed);
  const { plan } = held;
  for (const note of plan.notes) world.log.info(`${labelOf(plan)}: ${note}`);
  for (let tries = 0; ; tries += 1) {
    const begun = Math.floor(Date.now() / 1000);
    const made = await attempt(means, plan, earlier).catch(async (error: unknown) => {
      await cleanUp(means, plan, error);
      throw error;
    });
    if (made.kind === 'made') return finish(world, held, made, begun);
    if (tries >= plan.settings.retries) {
      throw new VaultError(
        'failed',
        `${plan.client}: the connection broke ${tries + 1} times: ${made.reason}.`,
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
  if (loaded.settings['image-time'] !== undefined) return;
  const newest = Math.max(0, ...contents.images.map((image) => image.completed ?? 0));
  if (newest <= Date.now() / 1000 + 1) return;
  throw new VaultError('refused', `The clock is before the newest image of vault ${loaded.vault}.`, {
    hint: 'Set the clock right; or date the image by hand with --image-time.',
  });
}

/** Looks at both machines and works out the plan. */
async function prepare(
  world: MakeWorld,
  loaded: LoadedBranch,
  means: Means,
  source: Source,
  contents: VaultContents,
): Promise<Held> {
  const { settings } = loaded;
  const zone = zoneOf(world, loaded);
  const tree = parseTree(settings.tree ?? '');
  if (tree === undefined) throw new Error('configuration without tree');
  const now = Math.floor(Date.now() / 1000);
  const time = settings['image-time'] === undefined ? now : imageTime(settings['image-time'], now, zone);
  const expiry = expireFor(settings, time, zone);
  const request: Request = {
    bank: loaded.bank,
    vault: loaded.vault,
    branch: loaded.branch,
    client: source.kind === 'daemon' ? (settings.client ?? source.client) : source.client,
    tree,
    settings,
    time,
    imageName: imageNameOf(strftime(settings.image ?? settings['image-default'], time, zone)),
    expire: expiry.expire,
    expireRule: expiry.rule,
  };
  const rsyncOfClient = settings['rsync-client'] ?? 'rsync';
  const facts = await probeClient(world.run, source, settings.rsh, rsyncOfClient, means.signal);
  const plan = planImage(request, {
    hostName: world.where.hostName,
    images: contents.images,
    directories: contents.names,
    serverRsync: await probeServer(world.run, settings.rsync, means.signal),
    clientRsync: facts.rsync,
    clientHasNice: facts.hasNice,
    nanoseconds: await keepsNanoseconds(means),
    isRoot: world.where.uid === 0,
    banksInside: await banksInside(source, settings.bank),
  });
  return { means, contents, facts, plan };
}

function imageNameOf(name: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9._+:,=@%-]*$/.test(name) && name !== 'dirvish') return name;
  throw new VaultError('usage', `"${name}" can't be the name of an image.`, {
    hint: 'Letters, digits and . _ + : , = - ; see the options image and image-default.',
  });
}

/** ext4 with 128-byte inodes keeps whole seconds: comparing nanoseconds would find everything changed. */
async function keepsNanoseconds(means: Means): Promise<boolean> {
  const found = await Promise.all(
    ['.', 'dirvish'].map((name) => stat(means.vault.at(name), { bigint: true })),
  );
  return found.some((each) => each.mtimeNs % 1_000_000_000n !== 0n || each.ctimeNs % 1_000_000_000n !== 0n);
}

/** Banks inside the source would back themselves up; a source inside the bank is a mistake. */
async function banksInside(source: Source, banks: readonly string[]): Promise<string[]> {
  if (source.kind !== 'local') return [];
  const tree = await realpath(source.path === '' ? '/' : source.path).catch(() => undefined);
  if (tree === undefined) return [];
  const base = tree === '/' ? '/' : `${tree}/`;
  const patterns: string[] = [];
  for (const bank of banks) {
    const real = await realpath(bank).catch(() => undefined);
    if (real === undefined) continue;
    if (tree === real || tree.startsWith(`${real}/`)) {
      throw new VaultError('refused', `The tree ${tree} lies inside the bank ${bank}.`, {
        hint: 'A bank cannot keep itself; give another tree or another bank.',
      });
    }
    if (real.startsWith(base)) patterns.push(`/${real.slice(base.length).replace(/[*?[\\]/g, '\\$&')}`);
  }
  return patterns;
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

async function finish(world: MakeWorld, held: Held, made: Made, begun: number): Promise<MadeImage> {
  const { means, plan, facts } = held;
  const zone = plan.settings['time-zone'] === 'system' ? world.systemZone : plan.settings['time-zone'];
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
