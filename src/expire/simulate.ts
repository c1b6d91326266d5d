import { expireFor, expirySource } from '../config/rules.ts';
import { formatLocal } from '../time/local.ts';
import { dayNumber, dayOf, localTime, momentOf, type ClockTime } from '../time/zone.ts';
import { readExpiry, type ExpiringImage } from './image.ts';
import { planExpire, type BranchPolicy } from './plan.ts';
import type { DateSettings } from './restamp.ts';

export interface SimulationInput {
  readonly bank: string;
  readonly vault: string;
  readonly branch: string;
  /** Those of the branch that there are now. */
  readonly images: readonly ExpiringImage[];
  readonly settings: DateSettings;
  readonly policy: BranchPolicy;
  /** Seconds since the epoch. */
  readonly now: number;
  readonly days: number;
  /** When the nightly run is, on the clock of the policy's zone. */
  readonly nightly: ClockTime;
}

/** One image from when it was made to when it went. Times are seconds since the epoch. */
export interface Life {
  readonly name: string;
  readonly born: number;
  /** Undefined for one that is there at the end. */
  readonly died: number | undefined;
  /** Whether it is there already. */
  readonly real: boolean;
}

export interface Simulation {
  readonly bank: string;
  readonly vault: string;
  readonly branch: string;
  readonly zone: string;
  readonly from: number;
  readonly until: number;
  /** Oldest first. */
  readonly lives: readonly Life[];
}

/**
 * Plays nights forward: each makes one good image and then expires what may go. Only the rules are at work; nothing
 * fails and nothing is held.
 */
export function simulate(input: SimulationInput): Simulation {
  const { bank, vault, branch, policy, now } = input;
  const lives = new Map(
    input.images.map((image): [string, Life] => [
      image.directory,
      { name: image.name, born: image.at, died: undefined, real: true },
    ]),
  );
  let images: readonly ExpiringImage[] = input.images;
  const nights = nightsOf(input);
  for (const night of nights) {
    const image = imageOfNight(input, night);
    lives.set(image.directory, { name: image.name, born: night, died: undefined, real: false });
    const state = { bank, vault, unreadable: [], inUse: [], policies: new Map([[branch, policy]]) };
    const vaults = [{ ...state, images: [...images, image] }];
    const { steps } = planExpire({ vaults, now: night, mode: 'image' });
    for (const { directory, action } of steps) {
      const life = lives.get(directory);
      if (action === 'delete' && life !== undefined) lives.set(directory, { ...life, died: night });
    }
    images = steps.flatMap((step) => (step.action === 'keep' && step.image ? [step.image] : []));
  }
  return {
    bank,
    vault,
    branch,
    zone: policy.zone,
    from: now,
    until: nights.at(-1) ?? now,
    lives: [...lives.values()].sort((a, b) => a.born - b.born),
  };
}

function nightsOf({ now, days, nightly, policy }: SimulationInput): number[] {
  const today = dayNumber(localTime(now, policy.zone));
  const nights = Array.from({ length: days + 1 }, (_, day) =>
    momentOf(dayOf(today + day), nightly, policy.zone),
  );
  return nights.filter((night) => night > now).slice(0, days);
}

/** The image of one night, as a good run would make it. */
function imageOfNight(input: SimulationInput, time: number): ExpiringImage {
  const { bank, vault, branch, settings, policy } = input;
  const { expire, rule } = expireFor(settings, time, policy.zone);
  const name = formatLocal(time, policy.zone).replace(/[-:]/g, '').replace(' ', '-').slice(0, 13);
  const directory = `simulated ${name}`;
  return {
    bank,
    vault,
    branch,
    name,
    directory,
    identity: '',
    verdict: 'good',
    hasTree: true,
    status: 'success',
    client: '',
    tree: '',
    reference: undefined,
    begun: time,
    completed: time,
    expire,
    pinned: false,
    frozenUntil: undefined,
    warnings: 0,
    compared: false,
    files: undefined,
    directories: undefined,
    bytes: undefined,
    at: time,
    date: readExpiry(expire, policy.zone),
    rule,
    from: expirySource(settings, rule),
    setAside: undefined,
  };
}

/** How many of the images there are at a moment. */
export function countAt(lives: readonly Life[], time: number): number {
  return lives.filter(({ born, died }) => born <= time && (died === undefined || died > time)).length;
}
