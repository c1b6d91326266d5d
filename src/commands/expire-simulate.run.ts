import { resolve } from 'node:path';
import { loadBranch, loadMaster } from '../config/load.ts';
import type { Settings } from '../config/options.ts';
import { VaultError } from '../errors.ts';
import { observeBanks, type ObservedVault } from '../expire/observe.execute.ts';
import { simulate, type Simulation } from '../expire/simulate.ts';
import { writeDurably } from '../exec/files.ts';
import type { BranchAddress } from '../model.ts';
import { simulationObject, timelineText } from '../show/timeline.ts';
import { timelineSvg } from '../show/timeline-svg.ts';
import { parseDuration } from '../time/duration.ts';
import { imageTime } from '../time/when.ts';
import { localTime, type ClockTime } from '../time/zone.ts';
import type { Context, ParsedArgs } from './spec.ts';

const DAY = 86_400;
/** More nights than anybody looks at, and few enough to be played while one waits. */
const MOST_DAYS = 3660;
const USUAL_NIGHT: ClockTime = { hour: 22, minute: 0, second: 0 };

/** `expire VAULT --simulate DURATION`: plays the nights to come with the images that there are. */
export async function simulateBranches(
  context: Context,
  args: ParsedArgs,
  only: BranchAddress | undefined,
): Promise<number> {
  const days = daysOf(args.option('simulate') ?? '');
  if (only === undefined) {
    throw new VaultError('usage', '--simulate plays one vault: name it.', {
      hint: 'vault expire VAULT --simulate 400d',
    });
  }
  const { settings } = await loadMaster(context.where);
  const { vaults } = await observeBanks(context.where, settings.bank, only);
  const simulations: Simulation[] = [];
  for (const observed of vaults) {
    for (const branch of await branchesOf(context, observed, only)) {
      simulations.push(await simulateBranch(context, observed, branch, days));
    }
  }
  for (const simulation of simulations) context.out.json(simulationObject(simulation));
  context.out.line(simulations.map((each) => timelineText(each, context.columns)).join('\n\n'));
  await plot(context, args.option('plot'), simulations);
  return 0;
}

function daysOf(text: string): number {
  const seconds = parseDuration(text);
  const days = seconds === undefined ? 0 : Math.round(seconds / DAY);
  if (days >= 1 && days <= MOST_DAYS) return days;
  throw new VaultError('usage', `--simulate: "${text}" is not a duration from 1 day to ${MOST_DAYS} days.`, {
    hint: 'Such as 400d or 60 weeks.',
  });
}

async function branchesOf(
  context: Context,
  { place, state }: ObservedVault,
  only: BranchAddress,
): Promise<readonly string[]> {
  if (only.branch !== undefined) return [only.branch];
  const branches = [...state.policies.keys()];
  if (branches.length > 0) return branches;
  return [(await loadBranch(context.where, { vault: place.name, branch: undefined }, {}, place.bank)).branch];
}

async function simulateBranch(
  context: Context,
  { place, state, policies }: ObservedVault,
  branch: string,
  days: number,
): Promise<Simulation> {
  const { settings, policy } = await policies(branch);
  return simulate({
    bank: place.bank,
    vault: place.name,
    branch,
    images: state.images.filter((image) => image.branch === branch),
    settings,
    policy,
    now: context.now,
    days,
    nightly: nightOf(settings, { vault: place.name, branch }, context.now),
  });
}

/** The time that `Runall` dates the branch's images to, else ten in the evening. */
function nightOf(settings: Settings, address: BranchAddress, now: number): ClockTime {
  const entry = settings.Runall.find(
    ({ vault, branch }) =>
      vault === address.vault && (branch ?? settings['branch-default']) === address.branch,
  );
  const zone = settings['time-zone'];
  return entry?.time === undefined ? USUAL_NIGHT : localTime(imageTime(entry.time, now, zone), zone);
}

async function plot(
  context: Context,
  file: string | undefined,
  simulations: readonly Simulation[],
): Promise<void> {
  const [first, second] = simulations;
  if (file === undefined || first === undefined) return;
  if (second !== undefined) {
    throw new VaultError('usage', '--plot draws one branch: name it.', {
      hint: `vault expire ${first.vault}:${first.branch} --simulate … --plot ${file}`,
    });
  }
  const path = resolve(context.where.cwd, file);
  await writeDurably(path, timelineSvg(first), 0o644).catch((error: unknown) => {
    throw new VaultError('failed', `Cannot write ${path}: ${String(error)}`, { cause: error });
  });
  context.out.note(`\nDrawn: ${path}`);
}
