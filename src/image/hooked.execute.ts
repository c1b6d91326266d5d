import { appendFile, mkdir, readdir, readFile, rename, rmdir, writeFile } from 'node:fs/promises';
import { messageOf, VaultError } from '../errors.ts';
import type { HookOutcome } from '../hook/outcome.ts';
import { outcomeText, reasonToSkip, stoppedBy } from '../hook/outcome.ts';
import { runStage, type HookMeans } from '../hook/execute.ts';
import type { HookFacts, RunStatus, Stage } from '../hook/plan.ts';
import { bytesOf, textOf } from '../raw-text.ts';
import { removeDirectory } from './heal.execute.ts';
import type { Means } from './means.ts';
import type { ImagePlan } from './plan.ts';

/** After an interruption, post hooks have this long to undo what pre hooks did. */
const GRACE_MS = 60_000;

/** What an attempt makes in its directory. */
const OWN_FILES = /^(tree|log|exclude|attempt|rsync_error|changes.*|index.*|summary.*)$/;

/** The hooks of one run, and what has come of them so far. */
export interface Hooks {
  readonly means: HookMeans;
  /** Aborted by the user; not by the deadline of the run. */
  readonly user: AbortSignal;
  readonly hostName: string;
  readonly outcomes: HookOutcome[];
  /** Of the pre hooks: for the beginning of the log. */
  readonly preamble: string[];
  /** Whether the transfer was begun. */
  transferred: boolean;
}

/** Whether there is anything to run at all. */
export function hasHooks(plan: ImagePlan): boolean {
  const { settings } = plan;
  const options = ['pre-server', 'pre-client', 'post-client', 'post-server', 'hooks-dir'] as const;
  return options.some((name) => settings[name] !== undefined);
}

/**
 * Runs the pre hooks, with the work directory there as dirvish has it: an empty tree, and the exclude file, which
 * pre-server may change. Gives the plan with the excludes as they are then. Throws `hook` when one fails.
 */
export async function runPreHooks(hooks: Hooks, means: Means, plan: ImagePlan): Promise<ImagePlan> {
  if (!hasHooks(plan)) return plan;
  const work = plan.workDirectory;
  means.progress.phase('running hooks');
  await mkdir(means.vault.at(work), { mode: 0o700 });
  await mkdir(means.vault.at(`${work}/tree`), { mode: 0o700 });
  const before = bytesOf(plan.settings.exclude.map((line) => `${line}\n`).join(''));
  await writeFile(means.vault.at(`${work}/exclude`), before, { mode: 0o600 });
  const facts = { ...factsOf(hooks, plan, work), excludeFile: `${vaultPath(plan)}/${work}/exclude` };
  await stage(hooks, means, 'pre-server', work, facts, means.signal);
  await stopIfFailed(hooks, means, plan);
  const after = await readFile(means.vault.at(`${work}/exclude`)).catch(() => Buffer.alloc(0));
  await stage(hooks, means, 'pre-client', work, factsOf(hooks, plan, work), means.signal);
  await stopIfFailed(hooks, means, plan);
  await rmdir(means.vault.at(`${work}/tree`)).catch(async () => {
    means.log.warn(`${plan.vault}: a hook left files in the new tree, which is the client's alone: removed`);
    await removeDirectory(means, `${work}/tree`);
  });
  return after.equals(before) ? plan : withExcludes(plan, textOf(after));
}

/** What hooks put beside the tree goes on into the directory of the next attempt. */
export async function keepHookFiles(means: Means, from: string, to: string): Promise<void> {
  const names = await readdir(means.vault.at(from));
  const beside = names.filter((name) => !OWN_FILES.test(name));
  if (beside.length === 0) return;
  await mkdir(means.vault.at(to), { mode: 0o700 });
  for (const name of beside) await rename(means.vault.at(`${from}/${name}`), means.vault.at(`${to}/${name}`));
}

function withExcludes(plan: ImagePlan, text: string): ImagePlan {
  const exclude = text.split('\n').filter((line) => line !== '');
  return {
    ...plan,
    settings: { ...plan.settings, exclude },
    setup: { ...plan.setup, hasExcludes: exclude.length > 0 },
  };
}

function vaultPath(plan: ImagePlan): string {
  return `${plan.bank}/${plan.vault}`;
}

function factsOf(hooks: Hooks, plan: ImagePlan, directory: string, status?: RunStatus): HookFacts {
  const { path, daemon } = plan.tree;
  return {
    server: hooks.hostName,
    client: plan.client,
    source: daemon ? `:${path}` : path,
    destination: `${vaultPath(plan)}/${directory}/tree`,
    vault: plan.vault,
    branch: plan.branch,
    image: plan.name,
    ...(status === undefined ? {} : { status }),
  };
}

async function stage(
  hooks: Hooks,
  means: Means,
  name: Stage,
  directory: string,
  facts: HookFacts,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const request = { stage: name, facts, directory: means.vault.at(`${directory}/tree`), signal };
  const { outcomes, lines } = await runStage(hooks.means, request);
  hooks.outcomes.push(...outcomes);
  if (name.startsWith('pre-')) hooks.preamble.push(...lines);
  for (const outcome of outcomes) {
    if (outcome.kind === 'ok') hooks.means.log.debug(`${outcome.label}: ok, ${outcome.seconds} s`);
    else hooks.means.log.warn(`${facts.vault}: hook ${outcome.label}: ${outcomeText(outcome)}`);
  }
  return lines;
}

async function stopIfFailed(hooks: Hooks, means: Means, plan: ImagePlan): Promise<void> {
  const stopped = stoppedBy(hooks.outcomes);
  if (stopped === undefined) return;
  if (means.signal.aborted) throw new VaultError('interrupted', `Interrupted in hook ${stopped.label}.`);
  const said = stopped.lastLines.length === 0 ? '' : ` It said: ${stopped.lastLines.join(' / ')}`;
  throw new VaultError(
    'hook',
    `${plan.client}: hook ${stopped.label}: ${outcomeText(stopped)}. Nothing was transferred.${said}`,
    { hint: 'The hook is run as /bin/sh -c would, in the tree; with --verbose its output is shown.' },
  );
}

/** Runs post-client after a transfer that came to an end. Its output goes to the log of the image. */
export async function runPostClient(
  hooks: Hooks,
  means: Means,
  plan: ImagePlan,
  status: RunStatus,
): Promise<void> {
  await post(hooks, means, plan, 'post-client', plan.workDirectory, status);
}

/** Runs post-server with the image in its place. */
export async function runPostServer(
  hooks: Hooks,
  means: Means,
  plan: ImagePlan,
  status: RunStatus,
): Promise<void> {
  await post(hooks, means, plan, 'post-server', plan.directory, status);
}

/** After a run that came to nothing: the post hooks of those that were run before. Never throws. */
export async function runPostHooksOfFailure(
  hooks: Hooks,
  means: Means,
  plan: ImagePlan,
  error: unknown,
): Promise<void> {
  if (!hasHooks(plan)) return;
  const preFailed = stoppedBy(hooks.outcomes) !== undefined || !hooks.transferred;
  const status = preFailed && !means.signal.aborted ? 'fail' : 'fatal error';
  hooks.means.log.debug(`${plan.vault}: post hooks after: ${messageOf(error)}`);
  try {
    await mkdir(means.vault.at(`${plan.workDirectory}/tree`), { recursive: true, mode: 0o700 });
    await post(hooks, means, plan, 'post-client', plan.workDirectory, status);
    await post(hooks, means, plan, 'post-server', plan.workDirectory, status);
  } catch (again) {
    hooks.means.log.error(`${plan.vault}: the post hooks could not be run: ${messageOf(again)}`);
  }
}

async function post(
  hooks: Hooks,
  means: Means,
  plan: ImagePlan,
  name: 'post-client' | 'post-server',
  directory: string,
  status: RunStatus,
): Promise<void> {
  if (plan.settings[name] === undefined || hooks.outcomes.some((outcome) => outcome.stage === name)) return;
  const reason = reasonToSkip(name, hooks.outcomes, hooks.transferred);
  if (reason !== undefined) {
    hooks.outcomes.push({ stage: name, label: name, kind: 'skipped', reason, seconds: 0, lastLines: [] });
    return;
  }
  means.progress.phase('running hooks');
  const facts = factsOf(hooks, plan, directory, status);
  const lines = await withGrace(hooks.user, (signal) => stage(hooks, means, name, directory, facts, signal));
  const log = means.vault.at(`${directory}/log`);
  await appendFile(log, lines.map((line) => `${line}\n`).join('')).catch(() => undefined);
}

/** Post hooks undo what pre hooks did: an interruption leaves them a minute. */
async function withGrace<T>(user: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const own = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    timer ??= setTimeout(() => own.abort(), GRACE_MS);
  };
  if (user.aborted) begin();
  user.addEventListener('abort', begin);
  try {
    return await work(own.signal);
  } finally {
    user.removeEventListener('abort', begin);
    clearTimeout(timer);
  }
}

/** What dirvish calls the way a run went that kept something. */
export function statusOf(verdict: 'good' | 'partial' | 'held', warnings: number): RunStatus {
  if (verdict !== 'good') return 'error';
  return warnings > 0 ? 'warning' : 'success';
}
