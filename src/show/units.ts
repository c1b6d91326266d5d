import { TZDate } from '@date-fns/tz/date';
import { format } from 'date-fns/format';

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Bytes in decimal units as people read them: `0 B`, `999 B`, `1.2 kB`, `45 GB`, `1.0 TB`. */
export function showBytes(bytes: number): string {
  const [number, unit] = byteParts(bytes);
  return `${number} ${unit}`;
}

/** Bytes a second: `45 MB/s`. */
export function showRate(bytesPerSecond: number): string {
  return `${showBytes(bytesPerSecond)}/s`;
}

/** Part of a whole: `0.8/3.4 GB`, `900 kB/3.4 GB`. */
export function showBytesOf(part: number, whole: number): string {
  const [partNumber, partUnit] = byteParts(part);
  const [wholeNumber, wholeUnit] = byteParts(whole);
  const unit = partUnit === wholeUnit ? '' : ` ${partUnit}`;
  return `${partNumber}${unit}/${wholeNumber} ${wholeUnit}`;
}

function byteParts(bytes: number): [string, string] {
  let value = Math.abs(bytes);
  let unit = 0;
  // 999.95 would be rounded up to four digits.
  while (unit < BYTE_UNITS.length - 1 && value >= (unit === 0 ? 1000 : 999.5)) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1;
  return [`${bytes < 0 ? '-' : ''}${value.toFixed(digits)}`, BYTE_UNITS[unit] ?? ''];
}

/** A count with thousands separators: `1,234,567`. */
export function showCount(count: number): string {
  return Math.trunc(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A count with its noun: `1 file`, `2,000 files`; `plural` where an s does not do. */
export function showCounted(count: number, singular: string, plural = `${singular}s`): string {
  return `${showCount(count)} ${count === 1 ? singular : plural}`;
}

/** A share: `0.4%`, `12%`; `0%` only for nothing and `100%` only for all. */
export function showPercent(part: number, whole: number): string {
  if (whole <= 0 || part <= 0) return '0%';
  const percent = (100 * part) / whole;
  if (part >= whole) return `${percent.toFixed(0)}%`;
  return percent < 9.95 ? `${Math.max(0.1, percent).toFixed(1)}%` : `${Math.min(99, Math.round(percent))}%`;
}

/** Seconds as the two largest units: `0.4 s`, `45 s`, `3 min 5 s`, `2 h 4 min`, `3 d 4 h`. */
export function showDuration(seconds: number): string {
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1).replace('.0', '')} s`;
  const whole = Math.round(seconds);
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return pair(whole, MINUTE, 'min', 1, 's');
  if (whole < DAY) return pair(whole, HOUR, 'h', MINUTE, 'min');
  return pair(whole, DAY, 'd', HOUR, 'h');
}

function pair(seconds: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((seconds % large) / small);
  const head = `${showCount(Math.floor(seconds / large))} ${largeName}`;
  return rest === 0 ? head : `${head} ${rest} ${smallName}`;
}

/** How long ago (or ahead) a time is: `just now`, `5 minutes ago`, `3 days ago`, `in 2 hours`. */
export function showAge(time: number, now: number): string {
  const distance = Math.abs(now - time);
  if (distance < MINUTE) return 'just now';
  const amount = ageAmount(distance);
  return time <= now ? `${amount} ago` : `in ${amount}`;
}

function ageAmount(distance: number): string {
  if (distance < HOUR) return showCounted(Math.floor(distance / MINUTE), 'minute');
  if (distance < 2 * DAY) return showCounted(Math.floor(distance / HOUR), 'hour');
  if (distance < 60 * DAY) return showCounted(Math.floor(distance / DAY), 'day');
  if (distance < 730 * DAY) return showCounted(Math.floor(distance / (30.44 * DAY)), 'month');
  return showCounted(Math.floor(distance / (365.25 * DAY)), 'year');
}

/** A time (seconds since the epoch) on the clock of a zone, to the minute: `2026-11-20 22:00`. */
export function showTime(time: number, zone: string): string {
  return format(new TZDate(time * 1000, zone), 'yyyy-MM-dd HH:mm');
}

/** A time for JSON: RFC 3339 with the zone's offset, `2026-11-20T22:00:00+01:00`. */
export function jsonTime(time: number, zone: string): string {
  return format(new TZDate(time * 1000, zone), "yyyy-MM-dd'T'HH:mm:ssxxx");
}
