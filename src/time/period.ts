import { dayNumber, localTime } from './zone.ts';
import type { LocalTime } from './zone.ts';

/** The scales of Time::Period, in their short form. */
export type Scale = 'yr' | 'mo' | 'wk' | 'yd' | 'md' | 'wd' | 'hr' | 'min' | 'sec';

/** First and last value, both included, counted as people do (days, months and weeks from 1). It may wrap around. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** A moment is in a sub-period when it is in some range of every scale that is named. */
type SubPeriod = ReadonlyMap<Scale, readonly Range[]>;

/** A moment is in a period when it is in one of its sub-periods; an empty period holds every moment. */
export type Period = readonly SubPeriod[];

export type PeriodResult = { readonly period: Period } | { readonly message: string };

interface ScaleRule {
  readonly long: string;
  readonly least: number;
  readonly most: number;
  /** What one unit is called in messages. */
  readonly word: string;
  readonly names?: readonly string[];
  /** How many letters of a name count. */
  readonly letters?: number;
}

const SCALES: Readonly<Record<Scale, ScaleRule>> = {
  yr: { long: 'year', least: 0, most: 9999, word: 'year' },
  mo: {
    long: 'month',
    least: 1,
    most: 12,
    word: 'month',
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
    letters: 3,
  },
  wk: { long: 'week', least: 1, most: 6, word: 'week of the month' },
  yd: { long: 'yday', least: 1, most: 366, word: 'day of the year' },
  md: { long: 'mday', least: 1, most: 31, word: 'day of the month' },
  wd: {
    long: 'wday',
    least: 1,
    most: 7,
    word: 'day of the week',
    names: ['su', 'mo', 'tu', 'we', 'th', 'fr', 'sa'],
    letters: 2,
  },
  hr: { long: 'hour', least: 0, most: 23, word: 'hour' },
  min: { long: 'minute', least: 0, most: 59, word: 'minute' },
  sec: { long: 'second', least: 0, most: 59, word: 'second' },
};

/**
 * Reads a period in the language of Time::Period: `wd { mon-fri } hr { 9am-4pm }, wd { sat }`. Commas inside braces
 * separate values (dirvish's manual writes them so, though Time::Period rejects it).
 */
export function parsePeriod(text: string): PeriodResult {
  const whole = text.trim().toLowerCase();
  if (whole === '') return { period: [] };
  const period: SubPeriod[] = [];
  for (const part of whole.split(/,(?![^{]*\})/)) {
    const read = parseSubPeriod(part);
    if (typeof read === 'string') return { message: read };
    period.push(read);
  }
  return { period };
}

function parseSubPeriod(text: string): SubPeriod | string {
  if (text.trim() === '') return 'a comma with nothing beside it';
  const result = new Map<Scale, readonly Range[]>();
  const pieces = [...text.matchAll(/([^{}]*)\{([^{}]*)\}/g)];
  const used = pieces.map(([all]) => all).join('');
  if (pieces.length === 0 || text.slice(used.length).trim() !== '' || !text.startsWith(used)) {
    return `"${text.trim()}" is not of the form "scale { values }"`;
  }
  for (const [, name = '', values = ''] of pieces) {
    const scale = scaleOf(name.trim());
    if (scale === undefined) {
      return `"${name.trim()}" is no scale: use yr, mo, wk, yd, md, wd, hr, min or sec`;
    }
    const ranges = parseRanges(scale, values);
    if (typeof ranges === 'string') return ranges;
    result.set(scale, [...(result.get(scale) ?? []), ...ranges]);
  }
  return result;
}

function scaleOf(name: string): Scale | undefined {
  for (const scale of Object.keys(SCALES)) {
    if (isScale(scale) && (name === scale || name === SCALES[scale].long)) return scale;
  }
  return undefined;
}

function isScale(name: string): name is Scale {
  return Object.hasOwn(SCALES, name);
}

/** The values of one scale: `1-7 sun 9am-4pm`, separated by white space or commas. Names may be written out. */
export function parseRanges(scale: Scale, text: string): readonly Range[] | string {
  const words = text
    .toLowerCase()
    .replace(/\s*-\s*/g, '-')
    .split(/[\s,]+/)
    .filter((word) => word !== '');
  if (words.length === 0) return `${scale} { } names no ${SCALES[scale].word}`;
  const ranges: Range[] = [];
  for (const word of words) {
    const [first = '', second, ...more] = word.split('-');
    const from = valueOf(scale, first);
    const to = second === undefined ? from : valueOf(scale, second);
    if (from === undefined || to === undefined || more.length > 0) return wrongValue(scale, word);
    ranges.push({ from, to });
  }
  return ranges;
}

function wrongValue(scale: Scale, word: string): string {
  const { word: unit, names, least, most } = SCALES[scale];
  const numbers = scale === 'yr' ? '0 to 99, or from 1970' : `${least} to ${most}`;
  const first = names?.[0];
  const last = names?.at(-1);
  const also = scale === 'hr' ? ', or 12am to 11pm' : first === undefined ? '' : `, or ${first} to ${last}`;
  const sunday = scale === 'wd' ? ' (1 is Sunday)' : '';
  return `"${word}" is no ${unit}: ${numbers}${sunday}${also}`;
}

function valueOf(scale: Scale, text: string): number | undefined {
  const rule = SCALES[scale];
  if (rule.names !== undefined && /^[a-z]/.test(text)) {
    const index = rule.names.indexOf(text.slice(0, rule.letters));
    return index < 0 || !/^[a-z]+$/.test(text) ? undefined : index + 1;
  }
  if (scale === 'hr' && /[a-z]/.test(text)) return hourOf(text);
  if (!/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  if (value < rule.least || value > rule.most) return undefined;
  return scale === 'yr' && value > 99 && value < 1970 ? undefined : value;
}

function hourOf(text: string): number | undefined {
  if (text === '12noon') return 12;
  const [, digits = '', half = ''] = /^(\d+)(am|pm)$/.exec(text) ?? [];
  const hour = Number(digits);
  if (half === '' || hour < 1 || hour > 12) return undefined;
  return (hour % 12) + (half === 'pm' ? 12 : 0);
}

/** Whether a moment (seconds since the epoch) lies in a period, in a zone. */
export function inPeriod(period: Period, seconds: number, zone: string): boolean {
  const at = localTime(seconds, zone);
  if (period.length === 0) return true;
  return period.some((sub) =>
    [...sub].every(([scale, ranges]) => ranges.some((range) => holds(scale, range, at))),
  );
}

function holds(scale: Scale, range: Range, at: LocalTime): boolean {
  const value = partOf(scale, at);
  if (scale !== 'yr') {
    const { from, to } = range;
    return from <= to ? from <= value && value <= to : value >= from || value <= to;
  }
  // Years don't wrap; two digits stand for years of the moment's own century.
  const century = Math.floor(at.year / 100) * 100;
  const [from, to] = [range.from, range.to].map((year) => (year <= 99 ? century + year : year));
  return from !== undefined && to !== undefined && Math.min(from, to) <= value && value <= Math.max(from, to);
}

function partOf(scale: Scale, at: LocalTime): number {
  switch (scale) {
    case 'yr':
      return at.year;
    case 'mo':
      return at.month;
    case 'wk':
      return weekOfMonth(at);
    case 'yd':
      return at.yearDay;
    case 'md':
      return at.day;
    case 'wd':
      return at.weekDay + 1;
    case 'hr':
      return at.hour;
    case 'min':
      return at.minute;
    case 'sec':
      return at.second;
  }
}

/** From 1; a new week begins on each Sunday but the first of the month. */
function weekOfMonth(at: LocalTime): number {
  const first = dayNumber({ ...at, day: 1 });
  const weekDay = (((first + 4) % 7) + 7) % 7;
  return Math.floor((at.day - 1 + weekDay) / 7) + 1;
}
