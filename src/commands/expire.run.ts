import { parseBranchAddress } from '../address.ts';
import { loadMaster } from '../config/load.ts';
import { exitCodeOf, VaultError } from '../errors.ts';
import { observeBanks, type ObservedVault } from '../expire/observe.execute.ts';
import { hasUnreadable, planExpire, type VaultState } from '../expire/plan.ts';
import type { BranchAddress } from '../model.ts';
import { expireText, judgedObject, planObject, type PlanView } from '../show/expire.ts';
import { parseDate } from '../time/parse-date.ts';
import type { CommandRun, Context, ParsedArgs } from './spec.ts';

export const run: CommandRun = async (context, args) => {
  const text = args.argument('VAULT[:BRANCH]');
  const only = text === undefined ? undefined : parseBranchAddress(text);
  const { settings } = await loadMaster(context.where);
  const zone = settings['time-zone'];
  const observed = await observeBanks(context.where, settings.bank, only);
  for (const bank of observed.absent) context.log.warn(`bank ${bank} is not there: nothing of it expires`);
  const now = timeOf(args, context.now, zone);
  const mode = args.flag('tree') ? 'tree' : 'image';
  const states = observed.vaults.map(({ state }) => inBranch(state, only));
  const plan = planExpire({ vaults: states, now, mode });
  show(context, { plan, freed: undefined, zoneOf: zonesOf(observed.vaults) }, zone);
  return hasUnreadable(plan) ? exitCodeOf('partial') : 0;
};

function show(context: Context, view: PlanView, zone: string): void {
  context.out.json(planObject(view, zone));
  for (const step of view.plan.steps) context.out.json(judgedObject(step, view));
  for (const { message } of view.plan.warnings) context.log.warn(message);
  context.out.line(view.plan.steps.length === 0 ? 'There are no images.' : expireText(view, context));
}

/** A branch is judged by its own images alone, so the others need not be looked at. */
function inBranch(state: VaultState, only: BranchAddress | undefined): VaultState {
  if (only?.branch === undefined) return state;
  return { ...state, images: state.images.filter((image) => image.branch === only.branch) };
}

function zonesOf(vaults: readonly ObservedVault[]): PlanView['zoneOf'] {
  return (step) => {
    const vault = vaults.find(({ place }) => place.bank === step.bank && place.name === step.vault);
    return vault?.state.policies.get(step.image?.branch ?? '')?.zone ?? 'UTC';
  };
}

function timeOf(args: ParsedArgs, now: number, zone: string): number {
  const text = args.option('time');
  if (text === undefined) return now;
  const read = parseDate(text, now, zone);
  if ('message' in read) throw new VaultError('usage', `--time: ${read.message}.`);
  return read.date.seconds;
}
