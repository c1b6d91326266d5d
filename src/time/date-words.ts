import type { CalendarDay, ClockTime } from './zone.ts';

/** A date expression taken apart. Of `day`, `days` and `months` at most one is there, of `clock` and `seconds` too. */
export interface DateWords {
  readonly day?: CalendarDay;
  /** Days from today; a function of today's week day (0 = Sunday) for `last tuesday`. */
  readonly days?: number | ((weekDay: number) => number);
  readonly months?: number;
  readonly clock?: ClockTime;
  /** A length of time from now. */
  readonly seconds?: number;
  /** Ahead of UTC, in seconds. */
  readonly offset?: number;
}

/** What was understood, and how many characters of the text it took. */
export interface WordsTaken {
  readonly words: DateWords;
  readonly length: number;
}

type Reader = (match: RegExpExecArray, sign: 1 | -1) => DateWords | undefined;
interface Form {
  readonly pattern: RegExp;
  readonly read: Reader;
}

const MONTH =
  '(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\\.?';
const WEEK_DAY = '(sun|mon|tue|wed|thu|fri|sat)(?:day|sday|nesday|rsday|urday)?';
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEK_DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const END = '(?=\\s|$)';

function form(pattern: string, read: Reader): Form {
  return { pattern: new RegExp(`^(?:${pattern})${END}`, 'i'), read };
}

const DATE_FORMS: readonly Form[] = [
  // With a T, the time follows at once.
  {
    pattern: /^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:T(?=\d)|(?=\s|$))/i,
    read: (m) => ({ day: { year: Number(m[1]), month: Number(m[3]), day: Number(m[4]) } }),
  },
  form(`(?:${WEEK_DAY},?\\s+)?(\\d{1,2})\\s+${MONTH}\\s+(\\d{4})`, (m) => onDay(m[4], m[3], m[2])),
  form(`(?:${WEEK_DAY},?\\s+)?${MONTH}\\s+(\\d{1,2})(?:st|nd|rd|th)?,?\\s+(\\d{4})`, (m) =>
    onDay(m[4], m[2], m[3]),
  ),
  form('(?:now\\s+(?=[+-]))?([+-])?\\s*(\\d+)\\s*(day|week|month|year)s?(\\s+ago)?', readSpan),
  form('today|now', () => ({ days: 0 })),
  form('tomorrow', () => ({ days: 1 })),
  form('yesterday', () => ({ days: -1 })),
  form('(next|last)\\s+(week|month|year)', (m) => span(isNext(m) ? 1 : -1, m[2])),
  form(`(next|last)\\s+${WEEK_DAY}`, (m) => ({ days: isNext(m) ? nextDay(m[2]) : lastDay(m[2]) })),
];

const TIME_FORMS: readonly Form[] = [
  form('(?:at\\s+|@\\s*)?(\\d{1,2}):(\\d{2})(?::(\\d{2}))?(?:\\s*([ap]m))?', (m) =>
    atTime(m[1], m[2], m[3], m[4]),
  ),
  // The offset from UTC may follow at once.
  {
    pattern: /^(\d{2}):(\d{2})(?::(\d{2}))?(?=[-+Z])/,
    read: (m) => atTime(m[1], m[2], m[3], undefined),
  },
  form('(?:at\\s+|@\\s*)?(\\d{1,2})\\s*([ap]m)', (m) => atTime(m[1], '0', '0', m[2])),
  form('(?:at\\s+)?noon', () => atTime('12', '0', '0', undefined)),
  form('(?:at\\s+)?midnight', () => atTime('0', '0', '0', undefined)),
];

const LENGTH_FORM = form('([+-])?\\s*(\\d+)\\s*(sec|second|min|minute|hour)s?(\\s+ago)?', (m, sign) => {
  const count = countOf(m, sign);
  if (count === undefined) return undefined;
  const unit = (m[3] ?? '').toLowerCase();
  return { seconds: count * (unit.startsWith('s') ? 1 : unit.startsWith('m') ? 60 : 3600) };
});

const ZONE_FORM = form('([-+])(\\d{2}):?(\\d{2})|UTC|GMT|Z', (m) => {
  const minutes = Number(m[2] ?? 0) * 60 + Number(m[3] ?? 0);
  return { offset: (m[1] === '-' ? -60 : 60) * minutes };
});

/** Takes a day from the start of the text, if none was named yet. */
export function readDatePart(text: string, before: DateWords, ago: boolean): WordsTaken | undefined {
  if (before.day !== undefined || before.days !== undefined || before.months !== undefined) return undefined;
  return take(DATE_FORMS, text, ago);
}

/** Takes a time of the day or a length of time from the start of the text, if none was named yet. */
export function readTimePart(text: string, before: DateWords, ago: boolean): WordsTaken | undefined {
  if (before.clock !== undefined || before.seconds !== undefined) return undefined;
  // A span of months keeps the time of the day; another one after it Time::ParseDate does not read.
  if (before.months !== undefined) return undefined;
  return take([...TIME_FORMS, LENGTH_FORM], text, ago);
}

/** Takes an offset from UTC, such as `+01:00`. */
export function readZonePart(text: string, before: DateWords): WordsTaken | undefined {
  return before.clock === undefined || before.offset !== undefined
    ? undefined
    : take([ZONE_FORM], text, false);
}

function take(forms: readonly Form[], text: string, ago: boolean): WordsTaken | undefined {
  for (const { pattern, read } of forms) {
    const match = pattern.exec(text);
    const words = match === null ? undefined : read(match, ago ? -1 : 1);
    if (match !== null && words !== undefined) return { words, length: match[0].length };
  }
  return undefined;
}

function onDay(year = '', month = '', day = ''): DateWords {
  const index = MONTHS.indexOf(month.slice(0, 3).toLowerCase());
  return { day: { year: Number(year), month: index + 1, day: Number(day) } };
}

/** `[+-]COUNT UNIT [ago]`. Four digits without a sign are a time of day to Time::ParseDate: not taken. */
function countOf(match: RegExpExecArray, sign: 1 | -1): number | undefined {
  const [, prefix, digits = ''] = match;
  if (prefix === undefined && digits.length >= 4) return undefined;
  if (prefix !== undefined && sign === -1) return undefined;
  return (prefix === '-' ? -1 : sign) * Number(digits);
}

function readSpan(match: RegExpExecArray, sign: 1 | -1): DateWords | undefined {
  const count = countOf(match, sign);
  return count === undefined ? undefined : span(count, match[3]);
}

function span(count: number, unit = ''): DateWords {
  switch (unit.toLowerCase()) {
    case 'day':
      return { days: count };
    case 'week':
      return { days: count * 7 };
    case 'month':
      return { months: count };
    default:
      return { months: count * 12 };
  }
}

function isNext(match: RegExpExecArray): boolean {
  return match[1]?.toLowerCase() === 'next';
}

function nextDay(name = ''): (weekDay: number) => number {
  const wanted = WEEK_DAYS.indexOf(name.slice(0, 3).toLowerCase());
  return (today) => wanted - today + (wanted > today ? 0 : 7);
}

function lastDay(name = ''): (weekDay: number) => number {
  const wanted = WEEK_DAYS.indexOf(name.slice(0, 3).toLowerCase());
  return (today) => wanted - today - (wanted < today ? 0 : 7);
}

function atTime(hours = '', minutes = '0', seconds = '0', half: string | undefined): DateWords | undefined {
  const [hour, minute, second] = [Number(hours), Number(minutes), Number(seconds)];
  if (minute > 59 || second > 59 || hour > 23) return undefined;
  if (half === undefined) return { clock: { hour, minute, second } };
  if (hour < 1 || hour > 12) return undefined;
  return { clock: { hour: (hour % 12) + (half.toLowerCase() === 'pm' ? 12 : 0), minute, second } };
}
