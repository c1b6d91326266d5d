import { chmod, rename, stat } from 'node:fs/promises';
import { withHistoryLine, type HistoryLine } from '../catalog/history.ts';
import { imageOf, parseSummary } from '../catalog/summary.ts';
import { describeEnd, succeeded } from '../exec/command.ts';
import { readIfThere, syncDirectory, writeDurably, writeSynced } from '../exec/files.ts';
import { takeLock } from '../exec/lock.ts';
import { assertStillThere } from '../exec/opened.ts';
import { codeOf, VaultError } from '../errors.ts';
import type { Image } from '../model.ts';
import { formatLocal } from '../time/local.ts';
import { inVault, type Means } from './means.ts';
import { newestGood, type ImagePlan } from './plan.ts';
import { finishedSummary, unfinishedSummary, type Completion } from './summarize.ts';

/** Waiting for `dirvish/` is waiting for somebody's rename: seconds at most. */
const SHORT_WAIT = 60;

/**
 * Makes an image appear. The order is the promise: the tree is durable before it is in place, it is in place before
 * its summary exists, and the summary is what lists it. History comes last and can be made again. `inPlace` is called
 * in between, with no lock on the history; what it gives completes the summary.
 */
export async function commitImage(
  means: Means,
  plan: ImagePlan,
  done: Completion,
  world: { hostName: string; zone: string },
  inPlace: () => Promise<Completion>,
): Promise<Completion> {
  const { vault } = means;
  const work = vault.at(plan.workDirectory);
  const place = vault.at(plan.directory);
  const mode = Number.parseInt(plan.settings['meta-perm'], 8);
  await syncFileSystem(means, plan.workDirectory);
  const unfinished = unfinishedSummary(plan, done.begun, world.hostName, world.zone);
  await writeSynced(`${work}/summary.new`, unfinished, mode);
  await chmod(work, Number.parseInt(plan.settings['image-perm'], 8));
  await syncDirectory(work);
  await assertStillThere(vault);
  await withHistoryLock(means, means.signal, plan, async () => {
    await releaseTemp(means, plan);
    await rename(work, place);
    await syncDirectory(vault.at('.'));
  });
  const whole = await inPlace();
  // The image is complete: an interruption now must not keep it from being listed.
  const calm = AbortSignal.timeout(2 * SHORT_WAIT * 1000);
  await withHistoryLock(means, calm, plan, async () => {
    await writeSynced(`${place}/summary.new`, finishedSummary(plan, whole, world.hostName, world.zone), mode);
    await rename(`${place}/summary.new`, `${place}/summary`);
    await syncDirectory(place);
    if (whole.verdict === 'good') await writeHistory(means, plan, whole.completed, world.zone);
  });
  return whole;
}

async function withHistoryLock(
  means: Means,
  signal: AbortSignal,
  plan: ImagePlan,
  work: () => Promise<void>,
): Promise<void> {
  const path = means.vault.at('dirvish');
  const what = `the history of vault ${plan.vault}`;
  const lock = await takeLock(means.run, { path, mode: 'exclusive', wait: SHORT_WAIT, what }, signal);
  try {
    await work();
  } finally {
    await lock.release();
  }
}

/** Everything of the file system on the disk: rsync itself syncs nothing. */
async function syncFileSystem(means: Means, directory: string): Promise<void> {
  const result = await means.run(inVault(means, ['sync', '-f', `./${directory}`]), {}, means.signal);
  if (means.signal.aborted) throw new VaultError('interrupted', 'Interrupted before the image was complete.');
  if (succeeded(result)) return;
  const why = result.stderr.toString('latin1').trim();
  throw new VaultError('failed', `The image could not be written to the disk: ${why || describeEnd(result)}`);
}

/** The last image made under the name `image-temp` gets its own name. */
async function releaseTemp(means: Means, plan: ImagePlan): Promise<void> {
  if (plan.directory === plan.name) return;
  const text = await readIfThere(means.vault.at(`${plan.directory}/summary`));
  const there = await stat(means.vault.at(plan.directory)).catch(() => undefined);
  if (there === undefined) return;
  const name =
    text === undefined ? undefined : imageOf(parseSummary(text), emptyPlace(plan), () => undefined).name;
  if (name === undefined || name === plan.directory || name.includes('/')) {
    throw new VaultError(
      'failed',
      `${plan.directory} is in the way: it is not an image made as image-temp.`,
      {
        hint: `Move ${means.vault.path}/${plan.directory} away, or choose another image-temp.`,
      },
    );
  }
  await rename(means.vault.at(plan.directory), means.vault.at(name));
}

function emptyPlace(plan: ImagePlan) {
  return { bank: plan.bank, vault: plan.vault, directory: plan.directory, hasTree: true };
}

/** The history that dirvish finds its next reference in. */
async function writeHistory(means: Means, plan: ImagePlan, completed: number, zone: string): Promise<void> {
  await appendHistory(means, plan.branch, {
    image: plan.name,
    created: formatLocal(completed, zone),
    reference: plan.referenceName,
    expires: plan.expire,
  });
}

/** Adds the line of a newest good image whose run was killed between commit and history. */
export async function healHistory(means: Means, images: readonly Image[], zone: string): Promise<void> {
  for (const branch of new Set(images.map((image) => image.branch))) {
    const newest = newestGood(images, branch);
    if (newest?.completed === undefined || newest.directories === undefined) continue;
    await appendHistory(means, branch, {
      image: newest.name,
      created: formatLocal(newest.completed, zone),
      reference: newest.reference ?? '-',
      expires: newest.expire,
    });
  }
}

async function appendHistory(means: Means, branch: string, line: HistoryLine): Promise<void> {
  const path = means.vault.at(`dirvish/${branch}.hist`);
  const before = (await readIfThere(path)) ?? '';
  const after = withHistoryLine(before, line);
  if (after === before) return;
  const mode = await stat(path).then(
    (found) => found.mode & 0o777,
    (error: unknown) => {
      if (codeOf(error) === 'ENOENT') return 0o600;
      throw error;
    },
  );
  await writeDurably(path, after, mode);
}
