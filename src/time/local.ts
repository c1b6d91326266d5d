import { localTime, momentOf, offsetAt } from './zone.ts';

const two = (value: number) => String(value).padStart(2, '0');

/** Seconds since the epoch as dirvish writes local times: `2026-11-25 22:00:00`. */
export function formatLocal(seconds: number, zone: string): string {
  const at = localTime(seconds, zone);
  const clock = [at.hour, at.minute, at.second].map(two).join(':');
  return `${String(at.year).padStart(4, '0')}-${two(at.month)}-${two(at.day)} ${clock}`;
}

/** RFC 3339 with the zone's offset: `2026-11-25T22:00:00+01:00`. */
export function formatRfc3339(seconds: number, zone: string): string {
  const minutes = Math.round(offsetAt(seconds, zone) / 60);
  const sign = minutes < 0 ? '-' : '+';
  const shift = `${sign}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return `${formatLocal(seconds, zone).replace(' ', 'T')}${shift}`;
}

/** Reads what {@link formatLocal} writes; undefined for anything else. */
export function parseLocal(text: string, zone: string): number | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(text.trim());
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return momentOf({ year, month, day }, { hour, minute, second }, zone);
}
