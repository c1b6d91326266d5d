const UNITS: readonly { readonly names: readonly string[]; readonly seconds: number }[] = [
  { names: ['s', 'sec', 'secs', 'second', 'seconds'], seconds: 1 },
  { names: ['m', 'min', 'mins', 'minute', 'minutes'], seconds: 60 },
  { names: ['h', 'hour', 'hours'], seconds: 3600 },
  { names: ['d', 'day', 'days'], seconds: 86_400 },
  { names: ['w', 'week', 'weeks'], seconds: 604_800 },
];

/**
 * A length of time in seconds: `600`, `10m`, `6h`, `30 days`, `1h 30m`. undefined for anything else; months and
 * years have no fixed length.
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim().toLowerCase();
  if (/^\d+$/.test(trimmed)) return finite(Number(trimmed));
  if (!/^(\d+(\.\d+)?\s*[a-z]+\s*)+$/.test(trimmed)) return undefined;
  let total = 0;
  for (const [, count = '', name = ''] of trimmed.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)) {
    const unit = UNITS.find((each) => each.names.includes(name));
    if (unit === undefined) return undefined;
    total += Number(count) * unit.seconds;
  }
  return finite(Math.round(total));
}

function finite(seconds: number): number | undefined {
  return Number.isSafeInteger(seconds) ? seconds : undefined;
}

/** Seconds in the largest units that fit: `10m`, `1h 30m`, `30d`. `0s` for none. */
export function formatDuration(seconds: number): string {
  const parts: string[] = [];
  let rest = Math.round(seconds);
  for (const unit of UNITS.toReversed()) {
    const count = Math.floor(rest / unit.seconds);
    if (count === 0 || unit.seconds === 604_800) continue;
    parts.push(`${count}${unit.names[0]}`);
    rest -= count * unit.seconds;
  }
  return parts.length === 0 ? '0s' : parts.join(' ');
}
