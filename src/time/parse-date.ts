import { readDatePart, readTimePart, readZonePart } from './date-words.ts';
import type { DateWords } from './date-words.ts';
import { dayNumber, dayOf, daysInMonth, localTime, momentOf, offsetAt } from './zone.ts';
import type { CalendarDay } from './zone.ts';

export interface ParsedDate {
  /** The moment, in seconds since the epoch. */
  readonly seconds: number;
  /** Whether a day was named, be it relative to today. */
  readonly hasDay: boolean;
  /** Whether a time of the day was named, or a length of hours, minutes or seconds. */
  readonly hasTime: boolean;
  /** Whether the moment depends on now. */
  readonly relative: boolean;
}

export type DateResult = { readonly date: ParsedDate } | { readonly message: string };

const DAY = 86_400;

/** Whether a date expression means "never expires". */
export function isNever(text: string): boolean {
  return /^\s*never\s*$/i.test(text);
}

const EXAMPLES = '"+3 months", "2026-11-25 22:00" or "yesterday 22:00"';

/**
 * Reads a date expression in the language of Time::ParseDate, with its arithmetic: `+3 months`, `yesterday 22:00`,
 * `2026-11-25 22:00`, `last tuesday`. `now` is in seconds since the epoch. Whatever is not fully understood is an
 * error, where Time::ParseDate skips it or falls back to today; its message names the examples.
 */
export function parseDate(text: string, now: number, zone: string, examples = EXAMPLES): DateResult {
  const words = readWords(text);
  if (words === undefined) return { message: notADate(text, examples) };
  const { month, day } = words.day ?? {};
  if (words.day !== undefined && day !== undefined && month !== undefined) {
    const days = month >= 1 && month <= 12 ? daysInMonth(words.day.year, month) : 0;
    if (day < 1 || day > days) return { message: `"${text.trim()}": there is no such day` };
  }
  const hasDay = words.day !== undefined || words.days !== undefined || words.months !== undefined;
  // These Time::ParseDate reads in its own way, or not at all.
  const oddOffset = words.offset !== undefined && (words.day === undefined || words.clock === undefined);
  const oddLength = words.seconds !== undefined && words.day !== undefined;
  if (oddOffset || oddLength) return { message: notADate(text, examples) };
  return {
    date: {
      seconds: momentFor(words, now, zone),
      hasDay,
      hasTime: words.clock !== undefined || words.seconds !== undefined,
      relative: words.day === undefined,
    },
  };
}

function notADate(text: string, examples: string): string {
  const shown = text.trim();
  if (/^\d{4,}\s*(day|week|month|year|hour|minute|min|second|sec)s?$/i.test(shown)) {
    return `"${shown}" would be read as a time of day; write "+${shown}"`;
  }
  return `"${shown}" is not a date or time such as ${examples}`;
}

/** Takes the expression apart word by word. Each part is allowed once; undefined when something is left over. */
function readWords(text: string): DateWords | undefined {
  const ago = /\sago\s*$/i.test(text);
  let words: DateWords = {};
  let rest = text.trim();
  if (rest === '') return undefined;
  while (rest !== '') {
    const next =
      readDatePart(rest, words, ago) ?? readTimePart(rest, words, ago) ?? readZonePart(rest, words);
    if (next === undefined) return undefined;
    words = { ...words, ...next.words };
    rest = rest.slice(next.length).trimStart();
  }
  return words;
}

function momentFor(words: DateWords, now: number, zone: string): number {
  const { clock, seconds = 0 } = words;
  const today = localTime(now, zone);
  if (words.day !== undefined || words.months !== undefined) {
    const day = words.day ?? addMonths(today, words.months ?? 0);
    const noClock = words.months === undefined ? { hour: 0, minute: 0, second: 0 } : today;
    const { hour, minute, second } = clock ?? noClock;
    return atClock(day, { hour, minute, second: second + seconds }, words.offset, zone);
  }
  const days = typeof words.days === 'function' ? words.days(today.weekDay) : words.days;
  if (clock === undefined) {
    if (days === undefined) return now + seconds;
    const moment = now + days * DAY + seconds;
    // Where the clocks changed in between, the hour is kept rather than the number of seconds.
    if (offsetAt(moment, zone) === offsetAt(now, zone)) return moment;
  }
  const day = dayOf(dayNumber(today) + (days ?? 0));
  const { hour, minute, second } = clock ?? today;
  return atClock(day, { hour, minute, second: second + seconds }, words.offset, zone);
}

function atClock(
  day: CalendarDay,
  clock: { readonly hour: number; readonly minute: number; readonly second: number },
  offset: number | undefined,
  zone: string,
): number {
  return offset === undefined ? momentOf(day, clock, zone) : momentOf(day, clock, 'UTC') - offset;
}

/** The same day some months on; the last one of the month where that is shorter. */
function addMonths(from: CalendarDay, months: number): CalendarDay {
  const count = from.year * 12 + from.month - 1 + months;
  const [year, month] = [Math.floor(count / 12), (((count % 12) + 12) % 12) + 1];
  return { year, month, day: Math.min(from.day, daysInMonth(year, month)) };
}
