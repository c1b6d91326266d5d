/**
 * What this server knows of its own clock, from its runs on whatever disk. Times are seconds since the epoch.
 */
export interface Clock {
  readonly schema: 1;
  /** The latest moment at which a run ended. */
  readonly last: number;
  /** The longest time between two runs of late, until the clock has gone on for a week as if that had been right. */
  readonly gap?: { readonly from: number; readonly to: number };
}

export type ClockFault =
  | { readonly kind: 'before'; readonly last: number }
  | { readonly kind: 'jumped'; readonly from: number; readonly to: number };

/** Programs that run side by side read the clock at different moments, and it may be set by seconds. */
const TOLERANCE = 600;
const TRUSTED_AFTER = 7 * 86_400;

/** The clock after a run that ended now. A wrong clock must not become right just because a run went by it. */
export function advanced(clock: Clock | undefined, now: number): Clock {
  if (clock === undefined) return { schema: 1, last: now };
  const { last, gap } = clock;
  const old = gap !== undefined && now - gap.to <= TRUSTED_AFTER ? gap : undefined;
  const fresh = now > last ? { from: last, to: now } : undefined;
  const isLonger =
    fresh !== undefined && fresh.to - fresh.from >= (old === undefined ? 0 : old.to - old.from);
  const kept = isLonger ? fresh : old;
  return { schema: 1, last: Math.max(last, now), ...(kept === undefined ? {} : { gap: kept }) };
}

/** What is wrong with the time that it is said to be now; undefined for nothing. `maxJump` is in seconds. */
export function clockFault(clock: Clock, now: number, maxJump: number): ClockFault | undefined {
  if (now < clock.last - TOLERANCE) return { kind: 'before', last: clock.last };
  if (now - clock.last > maxJump) return { kind: 'jumped', from: clock.last, to: now };
  const { gap } = clock;
  return gap !== undefined && gap.to - gap.from > maxJump ? { kind: 'jumped', ...gap } : undefined;
}

/** Reads what `JSON.stringify` wrote of a clock; undefined for anything else. */
export function parseClock(text: string): Clock | undefined {
  try {
    const parsed: Clock = JSON.parse(text);
    const { schema, last, gap } = parsed;
    if (schema !== 1 || !Number.isFinite(last)) return undefined;
    const isGap = gap !== undefined && Number.isFinite(gap.from) && Number.isFinite(gap.to);
    return { schema, last, ...(isGap ? { gap: { from: gap.from, to: gap.to } } : {}) };
  } catch {
    return undefined;
  }
}
