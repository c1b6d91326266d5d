import { parseKeep } from '../config/keep.ts';
import { VaultError, type Problem } from '../errors.ts';
import { formatLocal } from '../time/local.ts';
import type { UnreadableImage } from '../model.ts';
import type { ExpiringImage } from './image.ts';
import { byTime, keeper } from './keep.ts';

/** A line of the configuration, and where it stands. */
export interface PolicyLine {
  readonly text: string;
  readonly file?: string;
  readonly line?: number;
}

/** What the configuration says about the expiry of one branch. */
export interface BranchPolicy {
  readonly zone: string;
  readonly keep: readonly PolicyLine[];
  /** To tell where the date of an image came from: `expire-rule`, `expire-default` and `expire` as they are now. */
  readonly rules: readonly PolicyLine[];
  readonly standard: PolicyLine | undefined;
  readonly always: PolicyLine | undefined;
}

/** One vault as it was found. */
export interface VaultState {
  readonly bank: string;
  readonly vault: string;
  readonly images: readonly ExpiringImage[];
  readonly unreadable: readonly UnreadableImage[];
  /** Directories of images that a run in progress is made against, or is making in place as dirvish does. */
  readonly inUse: readonly string[];
  /** By branch; every branch of the images has one. */
  readonly policies: ReadonlyMap<string, BranchPolicy>;
}

/** What goes: whole images, or only their trees. */
export type ExpireMode = 'image' | 'tree';

export interface ExpireInput {
  readonly vaults: readonly VaultState[];
  /** Seconds since the epoch. */
  readonly now: number;
  readonly mode: ExpireMode;
}

/** Why an image stays or goes. The first ones keep it whatever dates and lists say. */
export type ReasonCode =
  | 'unreadable'
  | 'bad-date'
  | 'future'
  | 'in-use'
  | 'newest-good'
  | 'newest'
  | 'no-good'
  | 'pinned'
  | 'held'
  | 'frozen'
  | 'no-tree'
  | 'date'
  | 'never'
  | 'no-rule'
  | 'keep'
  | 'expired'
  | 'not-kept';

export interface Reason {
  readonly code: ReasonCode;
  readonly text: string;
  /** The rule behind it, as it is written: `expire-default +10 days`, `keep: daily 14`. */
  readonly rule?: string;
  /** Where that stands in the configuration, if it still does. */
  readonly file?: string;
  readonly line?: number;
}

/** One image with what becomes of it, and every reason for that. */
export interface JudgedImage {
  readonly bank: string;
  readonly vault: string;
  readonly directory: string;
  /** Undefined where its summary can't be read. */
  readonly image: ExpiringImage | undefined;
  readonly action: 'keep' | 'delete';
  readonly reasons: readonly Reason[];
}

export interface ExpirePlan {
  readonly schema: 1;
  readonly kind: 'expire';
  /** Seconds since the epoch. */
  readonly createdAt: number;
  readonly mode: ExpireMode;
  /** Each image once, by vault and branch, oldest first. */
  readonly steps: readonly JudgedImage[];
  /** What somebody should look at, though it stops nothing. */
  readonly warnings: readonly Problem[];
}

/**
 * Works out for every image whether it stays or goes, and why. It depends on nothing but its input, and not on the
 * order of that; once what goes is gone, nothing more goes.
 */
export function planExpire(input: ExpireInput): ExpirePlan {
  const steps = input.vaults
    .toSorted((a, b) => compare(a.bank, b.bank) || compare(a.vault, b.vault))
    .flatMap((vault) => judgeVault(vault, input));
  const told: readonly ReasonCode[] = ['unreadable', 'bad-date', 'future'];
  const warnings = steps.flatMap((step) =>
    step.reasons
      .filter(({ code }) => told.includes(code))
      .map(({ text }) => ({ message: `${nameOf(step)}: ${text}` })),
  );
  return { schema: 1, kind: 'expire', createdAt: input.now, mode: input.mode, steps, warnings };
}

/** Whether some image could not be judged, which is more than a warning. */
export function hasUnreadable(plan: ExpirePlan): boolean {
  return plan.steps.some(({ reasons }) =>
    reasons.some(({ code }) => code === 'unreadable' || code === 'bad-date'),
  );
}

/** `VAULT[:BRANCH]@IMAGE`. */
export function nameOf({ vault, directory, image }: JudgedImage): string {
  const branch = image === undefined || image.branch === 'default' ? '' : `:${image.branch}`;
  return `${vault}${branch}@${image?.name ?? directory}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function judgeVault(state: VaultState, input: ExpireInput): JudgedImage[] {
  const { bank, vault, unreadable } = state;
  const unread = unreadable
    .toSorted((a, b) => compare(a.directory, b.directory))
    .map(({ directory, message }): JudgedImage => {
      const reasons = [{ code: 'unreadable', text: `not judged: ${message}` } as const];
      return { bank, vault, directory, image: undefined, action: 'keep', reasons };
    });
  const branches = [...new Set(state.images.map((image) => image.branch))].sort(compare);
  return [...branches.flatMap((branch) => judgeBranch(state, branch, input)), ...unread];
}

function judgeBranch(state: VaultState, branch: string, input: ExpireInput): JudgedImage[] {
  const { bank, vault } = state;
  const policy = state.policies.get(branch);
  if (policy === undefined) throw new Error(`no policy for branch ${branch} of ${vault}`);
  const images = state.images.filter((image) => image.branch === branch).sort(byTime);
  const protectedBy = protections(images, state, policy, input);
  const keptBy = keepReasons(images, policy, input.now);
  return images.map((image) => {
    const date = dateReason(image, policy, input.now);
    const list = keptBy(image);
    const keeping = [...protectedBy(image), ...date.filter(isKeeping), ...list.filter(isKeeping)];
    const action = keeping.length > 0 ? 'keep' : 'delete';
    const reasons = action === 'keep' ? keeping : [...date, ...list];
    return { bank, vault, directory: image.directory, image, action, reasons };
  });
}

function isKeeping({ code }: Reason): boolean {
  return code !== 'expired' && code !== 'not-kept';
}

/** When an image was finished, as far as it is known: what clock checks and the newest image go by. */
function endOf(image: ExpiringImage): number {
  return image.completed ?? image.begun ?? image.at;
}

/** Later than the moment that is judged for: neither judged itself, nor a reason to delete another. */
function isFuture(image: ExpiringImage, now: number): boolean {
  return endOf(image) > now || image.at > now;
}

function countsAsGood(image: ExpiringImage): boolean {
  return image.verdict === 'good' && image.hasTree;
}

/** What keeps images whatever their dates and the keep list say. */
function protections(
  images: readonly ExpiringImage[],
  state: VaultState,
  policy: BranchPolicy,
  { now, mode }: ExpireInput,
): (image: ExpiringImage) => Reason[] {
  const shown = (time: number) => formatLocal(time, policy.zone).slice(0, 16);
  const past = images.filter((image) => !isFuture(image, now));
  const newest = Math.max(...past.map(endOf));
  const newestGood = Math.max(...past.filter(countsAsGood).map(endOf));
  const held = images.find((image) => image.verdict === 'held');
  const frozenUntil = Math.max(...images.map((image) => image.frozenUntil ?? 0));
  return (image) => {
    const reasons: Reason[] = [];
    const add = (holds: boolean, code: ReasonCode, text: string) => {
      if (holds) reasons.push({ code, text });
    };
    const end = endOf(image);
    const future = isFuture(image, now);
    add(future, 'future', `dated after ${shown(now)}: left alone`);
    add(state.inUse.includes(image.directory), 'in-use', 'reference of a run');
    add(!future && countsAsGood(image) && end === newestGood, 'newest-good', 'newest good');
    add(!future && end === newest && end > newestGood, 'newest', 'newest, and no good one since');
    add(newestGood === Number.NEGATIVE_INFINITY, 'no-good', 'no good image to go by');
    add(image.pinned, 'pinned', 'pinned');
    add(image.verdict === 'held', 'held', 'held: not accepted');
    add(
      held !== undefined && image.verdict !== 'held',
      'frozen',
      `frozen: ${held?.name} is held and not accepted`,
    );
    add(frozenUntil > now, 'frozen', `frozen until ${shown(frozenUntil)}, after a suspicious change`);
    add(mode === 'tree' && !image.hasTree, 'no-tree', 'its tree is gone already');
    return reasons;
  };
}

/** What the date of an image says. Nothing where no rule was meant to say anything and a keep list decides alone. */
function dateReason(image: ExpiringImage, policy: BranchPolicy, now: number): Reason[] {
  const { date } = image;
  const why = sourceOf(image, policy);
  if (date.kind === 'unreadable') {
    return [{ code: 'bad-date', text: `its date can't be read: "${date.text}"` }];
  }
  if (date.kind === 'at') {
    const when = formatLocal(date.time, policy.zone).slice(0, 16);
    return date.time <= now
      ? [{ code: 'expired', text: `expired ${when}`, ...why }]
      : [{ code: 'date', text: `until ${when}`, ...why }];
  }
  if (image.from !== 'none') return [{ code: 'never', text: 'never expires', ...why }];
  return policy.keep.length > 0 ? [] : [{ code: 'no-rule', text: 'no rule says when it goes' }];
}

type Source = Pick<Reason, 'rule' | 'file' | 'line'>;

/** What gave an image its date, and the line that says so if it still stands in the configuration. */
function sourceOf(image: ExpiringImage, policy: BranchPolicy): Source {
  if (image.rule !== undefined) {
    const line = policy.rules.find(({ text }) => text === image.rule);
    return { rule: `expire-rule ${image.rule.replace(/\s+/g, ' ')}`, ...placeOf(line) };
  }
  if (image.from !== 'expire' && image.from !== 'default') return {};
  const date = image.date.kind === 'at' ? image.date.text : 'never';
  const line = image.from === 'expire' ? policy.always : policy.standard;
  const stands = line?.text.toLowerCase() === date.toLowerCase();
  return {
    rule: `${image.from === 'expire' ? 'expire' : 'expire-default'} ${date}`,
    ...(stands ? placeOf(line) : {}),
  };
}

function placeOf(line: PolicyLine | undefined): Pick<Reason, 'file' | 'line'> {
  return {
    ...(line?.file === undefined ? {} : { file: line.file }),
    ...(line?.line === undefined ? {} : { line: line.line }),
  };
}

/** What the keep list says: every line that keeps an image, or that none does. */
function keepReasons(
  images: readonly ExpiringImage[],
  policy: BranchPolicy,
  now: number,
): (image: ExpiringImage) => Reason[] {
  const good = images.filter((image) => countsAsGood(image) && !isFuture(image, now)).toReversed();
  const keepers = policy.keep.map((line) => {
    const read = parseKeep(line.text);
    if ('message' in read) throw new VaultError('config', `keep: ${read.message}`);
    const text = `keep: ${line.text.trim().replace(/\s+/g, ' ')}`;
    const reason: Reason = { code: 'keep', text, rule: text, ...placeOf(line) };
    return { keeps: keeper(read.rule, good, policy.zone), reason };
  });
  if (keepers.length === 0) return () => [];
  return (image) => {
    const reasons = keepers.filter(({ keeps }) => keeps(image)).map(({ reason }) => reason);
    return reasons.length > 0 ? reasons : [{ code: 'not-kept', text: 'no keep rule' }];
  };
}
