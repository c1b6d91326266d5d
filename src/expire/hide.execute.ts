import { chmod, mkdir, readdir, rename, stat } from 'node:fs/promises';
import { withoutImages } from '../catalog/history.ts';
import { readSummaries } from '../catalog/images.execute.ts';
import { field, parseSummary } from '../catalog/summary.ts';
import { codeOf, fromSystem, messageOf, VaultError } from '../errors.ts';
import type { Run } from '../exec/command.ts';
import { readIfThere, syncDirectory, writeDurably } from '../exec/files.ts';
import { takeLock, type Lock } from '../exec/lock.ts';
import type { Opened } from '../exec/opened.ts';
import { identityOf, observeVault, type ObservedVault } from './observe.execute.ts';
import { planExpire, type ExpireMode, type JudgedImage } from './plan.ts';

/** Waiting for `dirvish/` is waiting for somebody's rename: seconds at most. */
const SHORT_WAIT = 60;

/** A directory that is out of sight and waits for its removal. Whoever holds its lock removes it. */
export interface Hidden {
  /** Undefined for what an earlier expire left. */
  readonly step: JudgedImage | undefined;
  readonly name: string;
  readonly lock: Lock;
}

/** An image that was to go and stays: it is not what the plan expected, or the system refused. */
export interface NotHidden {
  readonly step: JudgedImage;
  readonly outcome: 'changed' | 'failed';
  readonly message: string;
}

export interface HideResult {
  readonly hidden: readonly Hidden[];
  readonly refused: readonly NotHidden[];
}

export interface HideRequest {
  readonly run: Run;
  readonly signal: AbortSignal;
  readonly vault: Opened;
  readonly observed: ObservedVault;
  /** What the plan wants to go, of this vault. */
  readonly steps: readonly JudgedImage[];
  readonly now: number;
  readonly mode: ExpireMode;
}

/**
 * Takes images out of sight, all at once and durably: from here on they are not listed. Under the lock that runs commit
 * and mark under, everything is read and judged again, and only what goes by both judgements goes.
 */
export async function hideImages(request: HideRequest): Promise<HideResult> {
  const { run, signal, vault, observed, mode } = request;
  const what = `the history of vault ${observed.place.name}`;
  const lock = await takeLock(
    run,
    { path: vault.at('dirvish'), mode: 'exclusive', wait: SHORT_WAIT, what },
    signal,
  );
  try {
    const again = await observeVault(observed.place, observed.policies, vault.at('.'));
    const plan = planExpire({ vaults: [again.state], now: request.now, mode });
    const refused: NotHidden[] = [];
    const agreed = request.steps.filter((step) => {
      const message = disagreement(step, plan.steps);
      if (message !== undefined) refused.push({ step, outcome: 'changed', message });
      return message === undefined;
    });
    const remains = await takeRemains(request, again.remains);
    const taken = await takeAway(request, agreed, refused);
    await syncDirectory(vault.at('.'));
    await trimHistories(request);
    return { hidden: [...remains, ...taken], refused };
  } finally {
    await lock.release();
  }
}

/** Why an image is not deleted after all; undefined when it is what the plan expected and is judged the same. */
function disagreement(step: JudgedImage, now: readonly JudgedImage[]): string | undefined {
  const found = now.find(({ directory }) => directory === step.directory);
  const [before, after] = [step.image, found?.image];
  if (found === undefined || before === undefined || after === undefined) return 'it is gone already';
  const isSame =
    before.identity === after.identity && before.name === after.name && before.status === after.status;
  if (!isSame) return 'it is another image than the one that was judged';
  if (found.action === 'keep') return `kept after all: ${found.reasons.map(({ text }) => text).join('; ')}`;
  return undefined;
}

async function takeAway(
  request: HideRequest,
  steps: readonly JudgedImage[],
  refused: NotHidden[],
): Promise<Hidden[]> {
  const hidden: Hidden[] = [];
  const attempt = async (step: JudgedImage, work: () => Promise<Hidden | undefined>) => {
    try {
      const done = await work();
      if (done !== undefined) hidden.push(done);
    } catch (error) {
      refused.push({ step, outcome: 'failed', message: messageOf(fromSystem(error)) });
    }
  };
  if (request.mode === 'tree') {
    for (const step of steps) await attempt(step, () => moveTree(request, step));
    return hidden;
  }
  const unlisted: Hidden[] = [];
  for (const step of steps) {
    await attempt(step, async () => {
      unlisted.push(await unlist(request, step));
      return undefined;
    });
  }
  // dirvish-expire walks into half-deleted images: none may have a summary any more before one is renamed.
  await Promise.all(unlisted.map(({ name }) => syncDirectory(request.vault.at(name))));
  for (const { step, name, lock } of unlisted) {
    if (step === undefined) continue;
    await attempt(step, async () => ({ step, lock, name: await renameAway(request, name, lock) }));
  }
  return hidden;
}

/** The summary goes first: without it there is no image. The lock stays until the directory is gone. */
async function unlist({ run, signal, vault }: HideRequest, step: JudgedImage): Promise<Hidden> {
  const { directory } = step;
  const lock = await takeLock(
    run,
    { path: vault.at(directory), mode: 'exclusive', wait: 0, what: `image ${directory}` },
    signal,
  );
  try {
    const opened = await stat(`/proc/self/fd/${lock.fd}`, { bigint: true });
    const isExpected = `${opened.dev}:${opened.ino}` === step.image?.identity;
    if (!isExpected || (await identityOf(vault.at(directory))) !== step.image?.identity) {
      throw new VaultError('failed', `${vault.path}/${directory} is not the directory that was judged.`);
    }
    await rename(vault.at(`${directory}/summary`), vault.at(`${directory}/summary.gone`));
  } catch (error) {
    await lock.release();
    throw error;
  }
  return { step, name: directory, lock };
}

async function renameAway({ vault }: HideRequest, name: string, lock: Lock): Promise<string> {
  try {
    const hidden = await freeName(vault, name);
    await rename(vault.at(name), vault.at(hidden));
    return hidden;
  } catch (error) {
    await rename(vault.at(`${name}/summary.gone`), vault.at(`${name}/summary`)).catch(() => undefined);
    await lock.release();
    throw error;
  }
}

/** Only the tree goes; it must not lie open, since a client's file called `summary` would be one to dirvish-expire. */
async function moveTree({ run, signal, vault }: HideRequest, step: JudgedImage): Promise<Hidden> {
  const { directory } = step;
  if ((await identityOf(vault.at(directory))) !== step.image?.identity) {
    throw new VaultError('failed', `${vault.path}/${directory} is not the directory that was judged.`);
  }
  const name = await freeName(vault, directory);
  await mkdir(vault.at(name), { mode: 0o700 });
  const lock = await takeLock(
    run,
    { path: vault.at(name), mode: 'exclusive', wait: 0, what: `image ${directory}` },
    signal,
  );
  try {
    // Without root's rights a directory without the right to write can't move.
    if (process.geteuid?.() !== 0) await chmod(vault.at(`${directory}/tree`), 0o700);
    await rename(vault.at(`${directory}/tree`), vault.at(`${name}/tree`));
    await syncDirectory(vault.at(directory));
    return { step, name, lock };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** `.deleting-NAME`, with a number where an earlier one is still there. */
async function freeName(vault: Opened, directory: string): Promise<string> {
  const base = `.deleting-${directory}`;
  const taken = new Set(await readdir(vault.at('.')));
  if (!taken.has(base)) return base;
  for (let count = 2; ; count += 1) if (!taken.has(`${base}-${count}`)) return `${base}-${count}`;
}

/** What an expire that was interrupted left; not what another one is removing just now. */
async function takeRemains(request: HideRequest, remains: readonly string[]): Promise<Hidden[]> {
  const { run, signal, vault } = request;
  const taken: Hidden[] = [];
  for (const name of remains) {
    try {
      const lock = await takeLock(
        run,
        { path: vault.at(name), mode: 'exclusive', wait: 0, what: name },
        signal,
      );
      if (name.startsWith('.deleting-')) taken.push({ step: undefined, name, lock });
      else {
        await syncDirectory(vault.at(name));
        const hidden = await freeName(vault, name);
        await rename(vault.at(name), vault.at(hidden));
        taken.push({ step: undefined, name: hidden, lock });
      }
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
    }
  }
  return taken;
}

/** dirvish's histories keep the lines of images that are gone for ever; we don't. */
async function trimHistories({ vault, observed }: HideRequest): Promise<void> {
  const { summaries } = await readSummaries(observed.place, vault.at('.'));
  const names = new Set<string>();
  for (const found of summaries) {
    if ('error' in found) return;
    names.add(field(parseSummary(found.text), 'Image') ?? found.directory);
  }
  for (const file of (await readdir(vault.at('dirvish'))).filter((each) => each.endsWith('.hist'))) {
    const path = vault.at(`dirvish/${file}`);
    const before = (await readIfThere(path)) ?? '';
    const after = withoutImages(before, (image) => names.has(image));
    if (after !== before) await writeDurably(path, after, (await stat(path)).mode & 0o777).catch(ignoreFull);
  }
}

/** A full disk is what expiry is to help with: the lines can wait. */
function ignoreFull(error: unknown): void {
  if (codeOf(error) !== 'ENOSPC' && codeOf(error) !== 'EDQUOT') throw error;
}
