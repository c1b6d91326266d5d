import { formatSummary } from '../catalog/summary.ts';
import { optionNames } from '../config/options.ts';
import { expirySource } from '../config/rules.ts';
import type { Verdict } from '../model.ts';
import { formatLocal, formatRfc3339 } from '../time/local.ts';
import { outcomeText, type HookOutcome } from '../hook/outcome.ts';
import type { Finding } from './judge.ts';
import type { ImagePlan } from './plan.ts';
import type { Totals } from './scan.ts';
import type { Tally } from './tally.ts';

type Entry = readonly [string, string | readonly string[]];

/** The switches that dirvish lists under SET and UNSET. */
const SWITCHES = [
  'permissions',
  'checksum',
  'devices',
  'init',
  'numeric-ids',
  'sparse',
  'stats',
  'whole-file',
  'xdev',
  'zxfer',
  'acls',
  'xattrs',
  'hard-links',
] as const;
/** What dirvish writes first, in its order, and then not again in a long summary. */
const HEAD = ['client', 'tree', 'rsh', 'vault', 'branch', 'image-temp', 'exclude', 'rsync-option'];
/** Enough of a list to know what it is about; the whole one is in rsync_error. */
const NAMED = 50;

/** How one image came out. */
export interface Completion {
  readonly verdict: Extract<Verdict, 'good' | 'partial' | 'held'>;
  /** Seconds since the epoch, from the clock. */
  readonly begun: number;
  readonly completed: number;
  readonly command: string;
  readonly tally: Tally;
  readonly totals: Totals | undefined;
  readonly findings: readonly Finding[];
  /** One line each, in the user's words. */
  readonly warnings: readonly string[];
  /** Files that should be in the image and are not. */
  readonly missing: readonly string[];
  /** Mounts of the client that `xdev` left out. */
  readonly leftOut: readonly string[];
  /** Of all hooks, in the order they were run. */
  readonly hooks: readonly HookOutcome[];
  /** `complete`, or what the machine descriptor lacks; undefined where none was asked for. */
  readonly capture: string | undefined;
  /** Until when nothing of the branch may expire, seconds since the epoch. */
  readonly frozenUntil: number | undefined;
}

/** What the summary says before the run is complete: what was asked for. */
function headEntries(plan: ImagePlan, hostName: string, zone: string): Entry[] {
  const { settings } = plan;
  const set = SWITCHES.filter((name) => settings[name]);
  const unset = SWITCHES.filter((name) => !settings[name]);
  return [
    ['client', plan.client],
    ['tree', settings.tree ?? ''],
    ['rsh', settings.rsh.join(' ')],
    ['Server', hostName],
    ['Bank', plan.bank],
    ['vault', plan.vault],
    ['branch', plan.branch],
    ['Image', plan.name],
    ['image-temp', settings['image-temp'] ?? ''],
    ['Reference', plan.referenceName],
    ['Image-now', formatLocal(plan.time, zone)],
    ['Vault-now', formatRfc3339(plan.time, zone)],
    ['Expire', plan.expire],
    ['Expire-rule', plan.expireRule ?? ''],
    ['Vault-expire-from', expirySource(settings, plan.expireRule)],
    ['exclude', settings.exclude],
    ['rsync-option', settings['rsync-option']],
    ['SET', set.join(' ')],
    ['UNSET', unset.join(' ')],
    ['', ''],
    ...(settings.summary === 'long' ? longEntries(plan) : []),
  ];
}

function longEntries(plan: ImagePlan): Entry[] {
  const names = optionNames().filter(
    (name) => !HEAD.includes(name) && !SWITCHES.some((each) => each === name),
  );
  return names.flatMap((name): Entry[] => {
    const value: unknown = plan.settings[name];
    if (typeof value === 'string' || typeof value === 'number') return [[name, String(value)]];
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return [[name, value]];
    return [];
  });
}

/** The summary of an image that is in place but not committed: dirvish takes it for a run that never ended. */
export function unfinishedSummary(plan: ImagePlan, begun: number, hostName: string, zone: string): string {
  return formatSummary([...headEntries(plan, hostName, zone), ['Backup-begin', formatLocal(begun, zone)]]);
}

/** The whole summary, whose appearance commits the image. */
export function finishedSummary(plan: ImagePlan, done: Completion, hostName: string, zone: string): string {
  return formatSummary([
    ...headEntries(plan, hostName, zone),
    ['ACTION', done.command],
    ['Backup-begin', formatLocal(done.begun, zone)],
    ['Vault-begin', formatRfc3339(done.begun, zone)],
    ['Vault-engine', plan.engine.engine],
    ...countEntries(done),
    ['Vault-compared', plan.setup.checksum ? '1' : ''],
    ['Vault-warnings', done.warnings.length > 0 ? String(done.warnings.length) : ''],
    ['Vault-warning', done.warnings.slice(0, NAMED)],
    ['Vault-missing', done.missing.slice(0, NAMED)],
    ['Vault-missing-count', done.missing.length > 0 ? String(done.missing.length) : ''],
    ['Vault-left-out', done.leftOut],
    ['Vault-capture', done.capture ?? ''],
    ['Vault-hook', done.hooks.map((hook) => `${hook.label}: ${outcomeText(hook)}`)],
    ['Vault-frozen-until', done.frozenUntil === undefined ? '' : formatRfc3339(done.frozenUntil, zone)],
    ['Vault-verdict', done.verdict],
    ['Vault-time', formatRfc3339(done.completed, zone)],
    ['Backup-complete', formatLocal(done.completed, zone)],
    ['Status', statusLine(done)],
  ]);
}

function countEntries({ tally, totals }: Completion): Entry[] {
  const counts: Entry[] = [
    ['Vault-new', String(tally.newFiles + tally.newOther)],
    ['Vault-changed', String(tally.changedFiles + tally.attributeFiles + tally.changedOther)],
    ['Vault-deleted', String(tally.deletedFiles)],
    ['Vault-written', String(tally.newBytes + tally.changedBytes + tally.attributeBytes)],
  ];
  if (totals === undefined) return counts;
  return [
    ...counts,
    ['Vault-files', String(totals.entries - totals.directories)],
    ['Vault-directories', String(totals.directories)],
    ['Vault-bytes', String(totals.bytes)],
  ];
}

/** dirvish-expire counts what begins with `success` as good and nothing else. */
function statusLine(done: Completion): string {
  if (done.verdict === 'good') return 'success';
  if (done.verdict === 'held') {
    const why = done.findings.filter((finding) => finding.level === 'hold').map((finding) => finding.message);
    return `error (held) -- ${why.join('; ')}`;
  }
  return `error (23) -- partial: ${done.missing.length} files are missing`;
}
