import type { KeepPeriod, KeepRule } from '../config/keep.ts';
import { dayNumber, localTime, offsetAt } from '../time/zone.ts';

/** An image as far as a keep list looks at it: `good` ones fill the list's places, others stand beside them. */
export interface Dated {
  /** Seconds since the epoch. */
  readonly at: number;
  readonly completed: number | undefined;
  readonly name: string;
}

/** Oldest first, and never undecided. */
export function byTime(a: Dated, b: Dated): number {
  return (
    a.at - b.at || (a.completed ?? 0) - (b.completed ?? 0) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  );
}

/**
 * Tells for one rule whether it keeps an image. `good` are the branch's good images, newest first. A rule for periods
 * keeps the newest of each of the last periods that have one, so that a backup that stopped does not eat its own
 * history; `within` counts back from the newest good image for the same reason. An image that is not among the good
 * ones is kept if it would be kept as one of them, and takes no place from any.
 */
export function keeper(rule: KeepRule, good: readonly Dated[], zone: string): (image: Dated) => boolean {
  const newest = good[0];
  if (rule.kind === 'within') {
    return (image) => image.at >= (newest?.at ?? image.at) - rule.seconds;
  }
  if (rule.kind === 'last') {
    const last = good[rule.count - 1];
    return (image) => last === undefined || byTime(image, last) >= 0;
  }
  const kept = newestOfPeriods(good, rule.period, rule.count, zone);
  const oldest = [...kept.keys()].at(-1);
  return (image) => {
    const period = periodOf(image.at, rule.period, zone);
    const own = kept.get(period);
    if (own !== undefined) return byTime(image, own) >= 0;
    return kept.size < rule.count || oldest === undefined || period > oldest;
  };
}

function newestOfPeriods(
  good: readonly Dated[],
  period: KeepPeriod,
  count: number,
  zone: string,
): ReadonlyMap<number, Dated> {
  const kept = new Map<number, Dated>();
  for (const image of good) {
    const number = periodOf(image.at, period, zone);
    if (kept.has(number)) continue;
    if (kept.size === count) break;
    kept.set(number, image);
  }
  return kept;
}

/** The number of the period that a moment lies in: later periods have larger ones. Weeks begin on Monday. */
export function periodOf(seconds: number, period: KeepPeriod, zone: string): number {
  if (period === 'hourly') {
    // Hours on the clock; the one that the end of summer time repeats counts twice.
    const minutes = ((offsetAt(seconds, zone) % 3600) + 3600) % 3600;
    return Math.floor((seconds + minutes) / 3600);
  }
  const at = localTime(seconds, zone);
  if (period === 'daily') return dayNumber(at);
  // 1970-01-01 was a Thursday.
  if (period === 'weekly') return Math.floor((dayNumber(at) + 3) / 7);
  return period === 'monthly' ? at.year * 12 + at.month : at.year;
}
