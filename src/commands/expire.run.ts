import { parseBranchAddress } from '../address.ts';
import { OPTIONS, type OptionName } from '../config/options.ts';
import { readValue } from '../config/values.ts';
import { exitCodeOf, messageOf, VaultError, worstExitCode } from '../errors.ts';
import { freedBytes } from '../expire/bytes.execute.ts';
import { executeExpire, type DeletionResult, type ExpireResult } from '../expire/execute.ts';
import { hasUnreadable } from '../expire/plan.ts';
import { prepareExpire, requireClock, type PreparedExpire } from '../expire/prepare.execute.ts';
import { readClock, writeClock } from '../image/journal.execute.ts';
import { deletionObject, doneText, expireText, judgedObject, planObject } from '../show/expire.ts';
import type { PlanView } from '../show/expire.ts';
import { parseDate } from '../time/parse-date.ts';
import { restampImages } from './expire-restamp.run.ts';
import { simulateBranches } from './expire-simulate.run.ts';
import type { CommandResult, CommandRun, Context, ParsedArgs } from './spec.ts';

export const run: CommandRun = async (context, args) => {
  const text = args.argument('VAULT[:BRANCH]');
  const only = text === undefined ? undefined : parseBranchAddress(text);
  if (args.option('plot') !== undefined && args.option('simulate') === undefined) {
    throw new VaultError('usage', '--plot draws a simulation: give --simulate DURATION too.');
  }
  if (args.option('simulate') !== undefined) return simulateBranches(context, args, only);
  if (args.flag('restamp')) return restampImages(context, only);
  const jobs = numberOf(args, 'jobs', 'jobs');
  const budget = numberOf(args, 'budget', 'lock-wait');
  const wait = numberOf(args, 'lock-wait', 'lock-wait');
  const timeIn = (zone: string) => timeOf(args, context.now, zone);
  const mode = args.flag('tree') ? 'tree' : 'image';
  const prepared = await prepareExpire({ where: context.where, only, timeIn, mode });
  for (const bank of prepared.observed.absent) {
    context.log.warn(`bank ${bank} is not there: nothing of it is deleted`);
  }
  const { plan, zoneOf, settings } = prepared;
  const freed = args.flag('bytes') ? await freedBytes(context.run, plan, context.signal) : undefined;
  const view = { plan, freed, zoneOf };
  if (context.dryRun) showPlan(context, view, prepared.zone);
  await checkClock(context, prepared, args.option('time') !== undefined);
  if (context.dryRun) return hasUnreadable(plan) ? exitCodeOf('partial') : 0;
  showPlan(context, view, prepared.zone);
  const options = { jobs, budget, wait: wait ?? settings['lock-wait'], nice: settings.nice };
  return carryOut(context, view, prepared, options);
};

/** With `--time` somebody has looked at the clock: from here on it is right again. */
async function checkClock(context: Context, prepared: PreparedExpire, isTold: boolean): Promise<void> {
  if (!isTold) return requireClock(prepared, await readClock(context.where), context.now);
  if (!context.dryRun) await writeClock(context.where, { schema: 1, last: context.now });
}

async function carryOut(
  context: Context,
  view: PlanView,
  prepared: PreparedExpire,
  options: Parameters<typeof executeExpire>[3],
): Promise<CommandResult> {
  const { run: runner, signal, where, log } = context;
  const begun = performance.now();
  const progress = context.progress.start('expire');
  const world = { run: runner, signal, where, log, progress };
  try {
    const result = await executeExpire(world, view.plan, prepared.observed.vaults, options, (deletion) =>
      reportDeletion(context, deletion, view),
    );
    progress.end();
    reportFailures(context, result);
    context.out.note(doneText(result, (performance.now() - begun) / 1000));
    return { exitCode: exitOf(result, hasUnreadable(view.plan)), fields: countsOf(result) };
  } finally {
    progress.end();
  }
}

/** The exit code of an expire that was carried out. */
export function exitOf(result: ExpireResult, unreadable: boolean): number {
  const failed = result.deletions.some(({ outcome }) => outcome === 'failed');
  return worstExitCode([
    ...(failed ? [exitCodeOf('failed')] : []),
    ...(unreadable ? [exitCodeOf('partial')] : []),
    ...result.failures.map(({ kind }) => exitCodeOf(kind)),
  ]);
}

function countsOf({ deletions, stopped }: ExpireResult): Readonly<Record<string, unknown>> {
  const count = (outcome: DeletionResult['outcome']) =>
    deletions.filter((each) => each.outcome === outcome && each.step !== undefined).length;
  return {
    deleted: count('deleted'),
    hidden: count('hidden'),
    changed: count('changed'),
    failed: deletions.filter(({ outcome }) => outcome === 'failed').length,
    stopped,
  };
}

function reportDeletion(context: Context, deletion: DeletionResult, view: PlanView): void {
  context.out.json(deletionObject(deletion, view));
  const name = `${deletion.vault}/${deletion.directory}`;
  if (deletion.outcome === 'failed') context.log.error(`${name}: ${deletion.message ?? 'not deleted'}`);
  else if (deletion.outcome === 'changed') context.log.warn(`${name}: ${deletion.message ?? 'kept'}`);
  else context.log.debug(`${name}: ${deletion.outcome}`);
}

/** Failures of whole banks and vaults, on stderr. */
export function reportFailures(context: Pick<Context, 'log'>, { failures }: ExpireResult): void {
  for (const { label, error } of failures) {
    const message = messageOf(error);
    context.log.error(message.includes(label) ? message : `${label}: ${message}`);
    if (error instanceof VaultError && error.hint !== undefined) context.log.error(`  ${error.hint}`);
    else if (!(error instanceof VaultError) && error instanceof Error) context.log.error(error.stack ?? '');
  }
}

/** For people all images before anything is done, and only those that go when it is done. */
function showPlan(context: Context, view: PlanView, zone: string): void {
  const { plan } = view;
  context.out.json(planObject(view, zone));
  for (const step of plan.steps) context.out.json(judgedObject(step, view));
  for (const { message } of plan.warnings) context.log.warn(message);
  const going = { ...plan, steps: plan.steps.filter(({ action }) => action === 'delete') };
  if (context.dryRun) {
    context.out.line(plan.steps.length === 0 ? 'There are no images.' : expireText(view, context));
  } else if (going.steps.length > 0) context.out.note(expireText({ ...view, plan: going }, context));
}

function numberOf(args: ParsedArgs, name: string, like: OptionName): number | undefined {
  const text = args.option(name);
  if (text === undefined) return undefined;
  const read = readValue(OPTIONS[like], text);
  if ('message' in read) throw new VaultError('usage', `--${name}: ${read.message}`);
  return Number(read.value);
}

function timeOf(args: ParsedArgs, now: number, zone: string): number {
  const text = args.option('time');
  if (text === undefined) return now;
  const read = parseDate(text, now, zone);
  if ('message' in read) throw new VaultError('usage', `--time: ${read.message}.`);
  return read.date.seconds;
}
