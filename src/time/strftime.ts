import { dayNumber, localTime, offsetAt } from './zone.ts';
import type { LocalTime } from './zone.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

interface Moment extends LocalTime {
  readonly seconds: number;
  readonly zone: string;
}

type Writer = (at: Moment) => string;

/** What each conversion writes in the C locale. */
const WRITERS: Readonly<Record<string, Writer>> = {
  a: (at) => (DAYS[at.weekDay] ?? '').slice(0, 3),
  A: (at) => DAYS[at.weekDay] ?? '',
  b: (at) => (MONTHS[at.month - 1] ?? '').slice(0, 3),
  B: (at) => MONTHS[at.month - 1] ?? '',
  c: (at) => expand('%a %b %e %H:%M:%S %Y', at),
  C: (at) => zeros(Math.floor(at.year / 100), 2),
  d: (at) => zeros(at.day, 2),
  D: (at) => expand('%m/%d/%y', at),
  e: (at) => spaces(at.day, 2),
  F: (at) => expand('%Y-%m-%d', at),
  g: (at) => zeros(isoWeek(at).year % 100, 2),
  G: (at) => String(isoWeek(at).year),
  h: (at) => expand('%b', at),
  H: (at) => zeros(at.hour, 2),
  I: (at) => zeros(hourOfTwelve(at), 2),
  j: (at) => zeros(at.yearDay, 3),
  k: (at) => spaces(at.hour, 2),
  l: (at) => spaces(hourOfTwelve(at), 2),
  m: (at) => zeros(at.month, 2),
  M: (at) => zeros(at.minute, 2),
  n: () => '\n',
  p: (at) => (at.hour < 12 ? 'AM' : 'PM'),
  P: (at) => (at.hour < 12 ? 'am' : 'pm'),
  r: (at) => expand('%I:%M:%S %p', at),
  R: (at) => expand('%H:%M', at),
  s: (at) => String(at.seconds),
  S: (at) => zeros(at.second, 2),
  t: () => '\t',
  T: (at) => expand('%H:%M:%S', at),
  u: (at) => String(at.weekDay === 0 ? 7 : at.weekDay),
  U: (at) => zeros(Math.floor((at.yearDay + 6 - at.weekDay) / 7), 2),
  V: (at) => zeros(isoWeek(at).week, 2),
  w: (at) => String(at.weekDay),
  W: (at) => zeros(Math.floor((at.yearDay + 6 - ((at.weekDay + 6) % 7)) / 7), 2),
  x: (at) => expand('%m/%d/%y', at),
  X: (at) => expand('%H:%M:%S', at),
  y: (at) => zeros(at.year % 100, 2),
  Y: (at) => String(at.year),
  z: (at) => numericZone(offsetAt(at.seconds, at.zone)),
  Z: (at) => zoneName(at),
  '%': () => '%',
};

const CONVERSION = /%[EO]?([A-Za-z%])/g;

/** strftime(3) in the C locale: a moment (seconds since the epoch) in a zone. Unknown conversions stay as they are. */
export function strftime(format: string, seconds: number, zone: string): string {
  const whole = Math.floor(seconds);
  return expand(format, { ...localTime(whole, zone), seconds: whole, zone });
}

/** The first conversion of a format that strftime does not know. */
export function unknownConversion(format: string): string | undefined {
  const rest = format.replace(CONVERSION, (all: string, letter: string) =>
    WRITERS[letter] === undefined ? all : '',
  );
  return /%.?.?/.exec(rest)?.[0];
}

function expand(format: string, at: Moment): string {
  return format.replace(CONVERSION, (all: string, letter: string) => WRITERS[letter]?.(at) ?? all);
}

function zeros(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

function spaces(value: number, width: number): string {
  return String(value).padStart(width, ' ');
}

function hourOfTwelve(at: LocalTime): number {
  return at.hour % 12 === 0 ? 12 : at.hour % 12;
}

/** The ISO 8601 week: weeks begin on Monday, and belong to the year that has their Thursday. */
function isoWeek(at: LocalTime): { readonly year: number; readonly week: number } {
  const today = dayNumber(at);
  const thursday = today - ((at.weekDay + 6) % 7) + 3;
  const year = new Date(thursday * 86_400_000).getUTCFullYear();
  return { year, week: Math.floor((thursday - dayNumber({ year, month: 1, day: 1 })) / 7) + 1 };
}

function numericZone(offset: number): string {
  const minutes = Math.floor(Math.abs(offset) / 60);
  return `${offset < 0 ? '-' : '+'}${zeros(Math.floor(minutes / 60), 2)}${zeros(minutes % 60, 2)}`;
}

/** The zone's abbreviation. English-speaking places each know their own; for the rest it is the offset. */
function zoneName(at: Moment): string {
  for (const locale of ['en-US', 'en-GB', 'en-AU', 'en-NZ', 'en-ZA', 'en-IN']) {
    const format = new Intl.DateTimeFormat(locale, { timeZone: at.zone, timeZoneName: 'short' });
    const parts = format.formatToParts(new Date(at.seconds * 1000));
    const name = parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
    if (/^[A-Z]{2,5}$/.test(name)) return name;
  }
  return numericZone(offsetAt(at.seconds, at.zone));
}
