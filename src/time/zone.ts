import { tzOffset } from '@date-fns/tz';

/** A moment as clock and calendar show it in some zone. Months and days count from 1, week days from 0 = Sunday. */
export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly weekDay: number;
  /** From 1. */
  readonly yearDay: number;
}

export type CalendarDay = Pick<LocalTime, 'year' | 'month' | 'day'>;
export type ClockTime = Pick<LocalTime, 'hour' | 'minute' | 'second'>;

const DAY = 86_400;

/** How many seconds the zone's clocks are ahead of UTC at a moment (seconds since the epoch). */
export function offsetAt(seconds: number, zone: string): number {
  return Math.round(tzOffset(zone, new Date(seconds * 1000)) * 60);
}

/** Clock and calendar at a moment (seconds since the epoch) in a zone. */
export function localTime(seconds: number, zone: string): LocalTime {
  const shown = new Date((Math.floor(seconds) + offsetAt(seconds, zone)) * 1000);
  const year = shown.getUTCFullYear();
  const day = Math.floor(shown.getTime() / 1000 / DAY);
  return {
    year,
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
    second: shown.getUTCSeconds(),
    weekDay: shown.getUTCDay(),
    yearDay: day - dayNumber({ year, month: 1, day: 1 }) + 1,
  };
}

/** Days since 1970-01-01; days beyond the month's end run on into the next. */
export function dayNumber({ year, month, day }: CalendarDay): number {
  return Date.UTC(year, month - 1, day) / 1000 / DAY;
}

/** The calendar day of a day number. */
export function dayOf(number: number): CalendarDay {
  const shown = new Date(number * DAY * 1000);
  return { year: shown.getUTCFullYear(), month: shown.getUTCMonth() + 1, day: shown.getUTCDate() };
}

/** How many days a month has. */
export function daysInMonth(year: number, month: number): number {
  return dayOf(dayNumber({ year, month: month + 1, day: 0 })).day;
}

/**
 * The moment (seconds since the epoch) at which a zone's clocks show this. A time that a change of the clocks skips or
 * repeats is taken with the offset that holds at the moment the first guess leads to, as Time::ParseDate takes it.
 */
export function momentOf(day: CalendarDay, clock: ClockTime, zone: string): number {
  const shown = dayNumber(day) * DAY + clock.hour * 3600 + clock.minute * 60 + clock.second;
  const guess = shown - offsetAt(shown, zone);
  return shown - offsetAt(guess, zone);
}
