import { describe, expect, it } from 'vitest';
import { formatLocal } from '../../../src/time/local.ts';
import { imageTime, parseWhen } from '../../../src/time/when.ts';
import { momentOf } from '../../../src/time/zone.ts';

const ZONE = 'Europe/Vienna';
/** Three at night, after the run of 25 November should have been. */
const NOW = momentOf({ year: 2026, month: 11, day: 26 }, { hour: 3, minute: 0, second: 0 }, ZONE);

describe('the time of an image', () => {
  it.each([
    ['22:00', '2026-11-25 22:00:00'],
    ['02:00', '2026-11-26 02:00:00'],
    ['03:00', '2026-11-26 03:00:00'],
    ['yesterday 22:00', '2026-11-25 22:00:00'],
    ['today 22:00', '2026-11-26 22:00:00'],
    ['+2 hours', '2026-11-26 05:00:00'],
    ['2 hours', '2026-11-25 05:00:00'],
    ['2026-12-24 18:00', '2026-12-24 18:00:00'],
  ])('%s is %s', (text, expected) => {
    expect(formatLocal(imageTime(text, NOW, ZONE), ZONE)).toBe(expected);
  });

  it('goes back a day, not 24 hours, where the clocks change', () => {
    const night = momentOf({ year: 2026, month: 10, day: 25 }, { hour: 1, minute: 0, second: 0 }, ZONE);
    expect(formatLocal(imageTime('23:30', night, ZONE), ZONE)).toBe('2026-10-24 23:30:00');
  });

  it('has to be a time', () => {
    expect(() => imageTime('late', NOW, ZONE)).toThrow('image time: "late" is not a date or time');
  });
});

describe('the date of an address', () => {
  it.each([
    ['2026-11-20', '2026-11-20 23:59:59'],
    ['2026-10-25', '2026-10-25 23:59:59'],
    ['2026-11-20 22:00', '2026-11-20 22:00:00'],
    ['yesterday', '2026-11-25 23:59:59'],
    ['3 days ago', '2026-11-23 23:59:59'],
    ['3 hours ago', '2026-11-26 00:00:00'],
    ['now', '2026-11-26 03:00:00'],
    ['02:30', '2026-11-26 02:30:00'],
  ])('%s is %s', (text, expected) => {
    expect(formatLocal(parseWhen(text, NOW, ZONE) ?? 0, ZONE)).toBe(expected);
  });

  it('is undefined for what is none', () => {
    expect(parseWhen('20261120-2200', NOW, ZONE)).toBeUndefined();
    expect(parseWhen('latest', NOW, ZONE)).toBeUndefined();
  });
});
