import { describe, expect, it } from 'vitest';
import { inPeriod, parsePeriod } from '../../../src/time/period.ts';
import { momentOf } from '../../../src/time/zone.ts';

const ZONE = 'Europe/Vienna';

/** Whether `YYYY-MM-DD HH:MM:SS` lies in the period. */
function holds(period: string, time: string): boolean {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = time.split(/[- :]/).map(Number);
  const read = parsePeriod(period);
  if ('message' in read) throw new Error(read.message);
  return inPeriod(read.period, momentOf({ year, month, day }, { hour, minute, second }, ZONE), ZONE);
}

describe('periods', () => {
  it.each([
    ['wd { sun }', '2026-11-22 12:00:00', '2026-11-23 00:00:00'],
    ['wd{1}', '2026-11-22 12:00:00', '2026-11-21 23:59:59'],
    ['wday { Sat-Mon }', '2026-11-23 12:00:00', '2026-11-24 12:00:00'],
    ['md { 1-7 } wd { su }', '2026-11-01 12:00:00', '2026-11-08 12:00:00'],
    ['md { 28-3 }', '2026-11-02 12:00:00', '2026-11-04 12:00:00'],
    ['mo { nov - feb }', '2027-01-15 12:00:00', '2027-03-01 12:00:00'],
    ['month { january 7 }', '2026-07-15 12:00:00', '2026-02-15 12:00:00'],
    ['mo { 1,4,7,10 }', '2026-10-15 12:00:00', '2026-11-15 12:00:00'],
    ['hr { 9am-4pm }', '2026-11-25 16:59:59', '2026-11-25 17:00:00'],
    ['hr { 22-3 }', '2026-11-25 03:30:00', '2026-11-25 04:00:00'],
    ['hr { 12am 12noon }', '2026-11-25 00:30:00', '2026-11-25 13:00:00'],
    ['min { 0-29 } sec { 30 }', '2026-11-25 10:29:30', '2026-11-25 10:30:30'],
    ['yd { 1 366 }', '2028-12-31 12:00:00', '2026-12-31 12:00:00'],
    ['yr { 2026 }', '2026-12-31 23:59:59', '2027-01-01 00:00:00'],
    ['yr { 26-24 }', '2025-06-01 12:00:00', '2027-01-01 00:00:00'],
    ['wk { 1 }', '2026-08-01 12:00:00', '2026-08-02 12:00:00'],
    ['wk { 6 }', '2026-08-30 12:00:00', '2026-08-29 12:00:00'],
    ['md { 1 } md { 2 }', '2026-11-02 12:00:00', '2026-11-03 12:00:00'],
    ['wd { sat }, hr { 3 }', '2026-11-25 03:00:00', '2026-11-25 04:00:00'],
  ])('%s holds %s, but not %s', (period, inside, outside) => {
    expect([holds(period, inside), holds(period, outside)]).toEqual([true, false]);
  });

  it('without a restriction hold everything', () => {
    expect(holds('  ', '2026-11-25 03:00:00')).toBe(true);
  });

  it.each([
    ['wd', '"wd" is not of the form "scale { values }"'],
    ['wd { sun', '"wd { sun" is not of the form "scale { values }"'],
    ['wd { sun } }', '"wd { sun } }" is not of the form "scale { values }"'],
    ['{ sun }', '"" is no scale: use yr, mo, wk, yd, md, wd, hr, min or sec'],
    ['dow { sun }', '"dow" is no scale: use yr, mo, wk, yd, md, wd, hr, min or sec'],
    ['wd { }', 'wd { } names no day of the week'],
    ['wd { 0 }', '"0" is no day of the week: 1 to 7 (1 is Sunday), or su to sa'],
    ['wd { 1-2-3 }', '"1-2-3" is no day of the week: 1 to 7 (1 is Sunday), or su to sa'],
    ['wd { -1 }', '"-1" is no day of the week: 1 to 7 (1 is Sunday), or su to sa'],
    ['hr { 13pm }', '"13pm" is no hour: 0 to 23, or 12am to 11pm'],
    ['yr { 1066 }', '"1066" is no year: 0 to 99, or from 1970'],
    ['wk { 7 }', '"7" is no week of the month: 1 to 6'],
    ['wd { sun },', 'a comma with nothing beside it'],
  ])('%j is refused', (period, message) => {
    expect(parsePeriod(period)).toEqual({ message });
  });
});
