import type { Where } from '../commands/spec.ts';
import { loadMaster } from '../config/load.ts';
import type { Settings } from '../config/options.ts';
import { VaultError } from '../errors.ts';
import type { BranchAddress } from '../model.ts';
import { clockFault, type Clock } from '../time/clock.ts';
import { formatLocal } from '../time/local.ts';
import { observeBanks, type Observed, type ObservedVault } from './observe.execute.ts';
import { planExpire, type ExpireMode, type ExpirePlan, type JudgedImage, type VaultState } from './plan.ts';

export interface PrepareRequest {
  readonly where: Where;
  /** Only this vault, or one of its branches. */
  readonly only: BranchAddress | undefined;
  /** Only these banks, where not all are meant. */
  readonly banks?: readonly string[];
  /** Seconds since the epoch, in the zone of the master file. */
  readonly timeIn: (zone: string) => number;
  readonly mode: ExpireMode;
}

export interface PreparedExpire {
  readonly settings: Settings;
  readonly zone: string;
  readonly observed: Observed;
  readonly plan: ExpirePlan;
  /** The zone of an image's times. */
  readonly zoneOf: (step: JudgedImage) => string;
}

/** Reads configuration and banks, and plans. Throws before anything is deleted as `observeBanks` and `loadMaster` do. */
export async function prepareExpire(request: PrepareRequest): Promise<PreparedExpire> {
  const { settings } = await loadMaster(request.where);
  const zone = settings['time-zone'];
  const now = request.timeIn(zone);
  const observed = await observeBanks(request.where, request.banks ?? settings.bank, request.only);
  const states = observed.vaults.map(({ state }) => inBranch(state, request.only));
  const plan = planExpire({ vaults: states, now, mode: request.mode });
  return { settings, zone, observed, plan, zoneOf: zonesOf(observed.vaults) };
}

/** A branch is judged by its own images alone, so the others need not be looked at. */
function inBranch(state: VaultState, only: BranchAddress | undefined): VaultState {
  if (only?.branch === undefined) return state;
  return { ...state, images: state.images.filter((image) => image.branch === only.branch), unreadable: [] };
}

function zonesOf(vaults: readonly ObservedVault[]): PreparedExpire['zoneOf'] {
  return (step) => {
    const vault = vaults.find(({ place }) => place.bank === step.bank && place.name === step.vault);
    return vault?.state.policies.get(step.image?.branch ?? '')?.zone ?? 'UTC';
  };
}

/**
 * Makes sure that the clock can be believed: it is not before the last run on any disk, nor too far past it. A server
 * that never ran is measured by the newest image that is there. Fails with kind `refused`.
 */
export function requireClock(prepared: PreparedExpire, clock: Clock | undefined, now: number): void {
  const { observed, settings, zone } = prepared;
  const ended = observed.vaults
    .flatMap(({ state }) => state.images.map((image) => image.completed ?? 0))
    .filter((time) => time > 0 && time <= now);
  const known = clock ?? (ended.length === 0 ? undefined : { schema: 1 as const, last: Math.max(...ended) });
  const fault = known === undefined ? undefined : clockFault(known, now, settings['max-clock-jump']);
  if (fault === undefined) return;
  const shown = (time: number) => formatLocal(time, zone).slice(0, 16);
  const message =
    fault.kind === 'before'
      ? `The clock (${shown(now)}) is before the last run (${shown(fault.last)}): nothing is deleted.`
      : `The clock went from ${shown(fault.from)} to ${shown(fault.to)} without a run in between: nothing is deleted.`;
  throw new VaultError('refused', message, {
    hint: 'Set the clock right. If it is right, say so once: vault expire --time now',
  });
}
