import type { BranchAddress, Image, UnreadableImage } from '../model.ts';
import type { LastRun } from '../image/journal.execute.ts';

/** What is known of one branch. Times are seconds since the epoch. */
export interface BranchState {
  readonly bank: string;
  readonly vault: string;
  readonly branch: string;
  readonly client: string;
  readonly tree: string;
  readonly images: readonly Image[];
  readonly newestGood: Image | undefined;
  readonly lastRun: LastRun | undefined;
  /** Listed under `Runall`: then every night has to have a result. */
  readonly scheduled: boolean;
  /** The oldest that the newest good image may be, in seconds. */
  readonly maxAge: number;
  /** Mounts that the newest image left out. */
  readonly leftOut: readonly string[];
  /** Mounts below its tree that the newest good image is without; undefined where that is not known. */
  readonly without: readonly string[] | undefined;
  /** Of the newest image: `pre-client: ok`. */
  readonly hooks: readonly string[];
  /** Of the newest good image: `complete`, else what is wrong; undefined where nothing was to be captured. */
  readonly capture: string | undefined;
}

/** Something that a person should look at. */
export interface Concern {
  readonly vault: string;
  readonly branch: string;
  readonly code:
    | 'none'
    | 'lost'
    | 'unreadable'
    | 'old'
    | 'held'
    | 'frozen'
    | 'partial'
    | 'failed'
    | 'incomplete'
    | 'hook'
    | 'capture'
    | 'uncovered';
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** All that is not as it should be. `now` is in seconds since the epoch; `age` says how long ago a time is. */
export function concernsOf(
  states: readonly BranchState[],
  now: number,
  age: (time: number) => string,
): readonly Concern[] {
  return [...states.flatMap((state) => branchConcerns(state, now, age)), ...uncovered(states)];
}

/** What the night is to make and no bank has: a slip of the pen, or a disk that is not mounted. */
export function concernsOfLost(
  scheduled: readonly BranchAddress[],
  states: readonly BranchState[],
): readonly Concern[] {
  const lost = scheduled.filter((entry) => states.every((state) => state.vault !== entry.vault));
  return lost.map(({ vault, branch = 'default' }) => ({
    vault,
    branch,
    code: 'lost',
    message: 'is under Runall, but in none of the banks',
    hint: 'Is its disk mounted? See also: vault config check',
  }));
}

/** Images whose summaries can't be read; nobody can tell their branches. */
export function concernsOfUnreadable(unreadable: readonly UnreadableImage[]): readonly Concern[] {
  return unreadable.map(({ vault, directory, message }) => ({
    vault,
    branch: 'default',
    code: 'unreadable',
    message: `${directory} is unreadable: ${message}`,
    hint: 'Runs go on without it. Is the disk sound? See dmesg.',
  }));
}

function branchConcerns(state: BranchState, now: number, age: (time: number) => string): Concern[] {
  const place = { vault: state.vault, branch: state.branch };
  const concerns: Concern[] = [];
  const newest = state.newestGood?.completed;
  if (state.scheduled && newest === undefined)
    concerns.push({ ...place, code: 'none', message: 'there is no good image' });
  if (state.scheduled && newest !== undefined && now - newest > state.maxAge) {
    concerns.push({ ...place, code: 'old', message: `the newest good image was made ${age(newest)}` });
  }
  const since = state.images.filter((image) => (image.completed ?? image.begun ?? 0) > (newest ?? 0));
  for (const image of state.images.filter((each) => each.verdict === 'held')) {
    const hint = `vault accept ${state.vault}:${state.branch}@${image.name}`;
    concerns.push({ ...place, code: 'held', message: `${image.name} is held: ${image.status}`, hint });
  }
  const last = since.at(-1);
  if (last?.verdict === 'partial') {
    const hint = `vault show ${state.vault}:${state.branch}@${last.name}`;
    concerns.push({ ...place, code: 'partial', message: `${last.name} is partial: ${last.status}`, hint });
  }
  if (last?.verdict === 'failed' || last?.verdict === 'incomplete') {
    concerns.push({ ...place, code: last.verdict, message: `${last.name}: ${last.status}` });
  }
  const run = state.lastRun;
  // Of one second, the failure came after: a success would have taken its place.
  if (run?.message !== undefined && run.ended >= (newest ?? 0)) {
    concerns.push({
      ...place,
      code: 'failed',
      message: `the last run failed ${age(run.ended)}: ${run.message}`,
    });
  }
  for (const hook of state.hooks.filter((line) => !/: (ok|skipped\b.*)$/.test(line))) {
    concerns.push({ ...place, code: 'hook', message: `in the newest run, hook ${hook}` });
  }
  if (state.capture !== undefined && state.capture !== 'complete') {
    const message = `what a rebuild of ${state.client} needs is not captured: ${state.capture}`;
    concerns.push({ ...place, code: 'capture', message, hint: `vault capture ${state.client}` });
  }
  const frozen = state.images.find((image) => (image.frozenUntil ?? 0) > now);
  if (frozen !== undefined) {
    concerns.push({
      ...place,
      code: 'frozen',
      message: `${frozen.name} changed much: nothing of the branch expires yet`,
    });
  }
  return concerns;
}

/** File systems of a client that staying on one file system left out, and that no vault of that client keeps. */
function uncovered(states: readonly BranchState[]): Concern[] {
  const concerns: Concern[] = [];
  for (const state of states) {
    const others = states.filter((each) => each !== state && each.client === state.client);
    for (const mount of state.leftOut.filter((path) => !others.some((each) => keeps(each, path)))) {
      const message = `${state.client}:${mount} is in none of its vaults`;
      if (concerns.some((concern) => concern.message === message)) continue;
      const hint = `vault create NAME --client ${state.client} --tree ${mount}`;
      concerns.push({ vault: state.vault, branch: state.branch, code: 'uncovered', message, hint });
    }
  }
  return concerns;
}

/** Whether a vault's tree is a file system, or has it below and does not leave it out. */
function keeps(state: BranchState, mount: string): boolean {
  const [tree = ''] = state.tree.split(/\s/);
  if (isWithin(mount, tree) && isWithin(tree, mount)) return true;
  if (state.without === undefined || !isWithin(mount, tree)) return false;
  return !state.without.some((path) => isWithin(mount, path));
}

/** Whether a path is another or lies below it. */
function isWithin(path: string, directory: string): boolean {
  return `${path}/`.startsWith(`${directory.replace(/\/+$/, '')}/`) && directory.startsWith('/');
}
