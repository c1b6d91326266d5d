import { VaultError } from '../errors.ts';
import { parseDate } from './parse-date.ts';
import { dayNumber, dayOf, localTime, momentOf } from './zone.ts';

/**
 * The time to date an image to, in seconds since the epoch. A time without a day that is still to come today is taken
 * from yesterday (unless a `+` asks for the future), so that a run after midnight is dated to the evening before.
 * dirvish goes back by 24 hours instead, which is another hour where the clocks changed. Throws `usage`.
 */
export function imageTime(text: string, now: number, zone: string): number {
  const result = parseDate(text, now, zone);
  if ('message' in result) throw new VaultError('usage', `image time: ${result.message}`);
  const { seconds, hasDay } = result.date;
  if (hasDay || seconds <= now || text.includes('+')) return seconds;
  const at = localTime(seconds, zone);
  return momentOf(dayOf(dayNumber(at) - 1), at, zone);
}

/**
 * The moment that the WHEN of an image address means, in seconds since the epoch; a day without a time means its
 * last second. undefined for what is not a date.
 */
export function parseWhen(text: string, now: number, zone: string): number | undefined {
  const result = parseDate(text, now, zone);
  if ('message' in result) return undefined;
  const { seconds, hasDay, hasTime } = result.date;
  if (!hasDay || hasTime || text.trim().toLowerCase() === 'now') return seconds;
  return endOfDay(seconds, zone);
}

function endOfDay(seconds: number, zone: string): number {
  const today = dayNumber(localTime(seconds, zone));
  const next = momentOf(dayOf(today + 1), { hour: 0, minute: 0, second: 0 }, zone);
  return next - 1;
}
