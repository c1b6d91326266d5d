import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDate } from '../../../src/time/parse-date.ts';
import { formatLocal } from '../../../src/time/local.ts';
import { momentOf } from '../../../src/time/zone.ts';

const ZONE = 'Europe/Vienna';
/** Wednesday, 25 November 2026, 22:15:30. */
const NOW = momentOf({ year: 2026, month: 11, day: 25 }, { hour: 22, minute: 15, second: 30 }, ZONE);

function read(text: string, now = NOW): string {
  const result = parseDate(text, now, ZONE);
  return 'date' in result ? formatLocal(result.date.seconds, ZONE) : result.message;
}

describe('date expressions', () => {
  it.each([
    ['+3 months', '2027-02-25 22:15:30'],
    ['+1 year', '2027-11-25 22:15:30'],
    ['+10 days', '2026-12-05 22:15:30'],
    ['5 weeks', '2026-12-30 22:15:30'],
    ['+15months', '2028-02-25 22:15:30'],
    ['now + 36 hours', '2026-11-27 10:15:30'],
    ['3 days ago', '2026-11-22 22:15:30'],
    ['3 days 2 hours ago', '2026-11-22 20:15:30'],
    ['-1 month', '2026-10-25 22:15:30'],
    ['yesterday', '2026-11-24 22:15:30'],
    ['Yesterday 22:00', '2026-11-24 22:00:00'],
    ['tomorrow 3pm', '2026-11-26 15:00:00'],
    ['tomorrow at 3 PM', '2026-11-26 15:00:00'],
    ['22:00', '2026-11-25 22:00:00'],
    ['12am', '2026-11-25 00:00:00'],
    ['noon', '2026-11-25 12:00:00'],
    ['last tuesday', '2026-11-24 22:15:30'],
    ['last wednesday', '2026-11-18 22:15:30'],
    ['next wed', '2026-12-02 22:15:30'],
    ['next month', '2026-12-25 22:15:30'],
    ['2026-11-25', '2026-11-25 00:00:00'],
    ['2026/11/25 7:30 pm', '2026-11-25 19:30:00'],
    ['2026-11-25T22:00:00+02:00', '2026-11-25 21:00:00'],
    ['2026-11-25T21:00Z', '2026-11-25 22:00:00'],
    ['November 25th, 2026 22:00', '2026-11-25 22:00:00'],
    ['25 nov 2026', '2026-11-25 00:00:00'],
  ])('%s is %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it('go to the last day of a month that is too short', () => {
    const late = momentOf({ year: 2028, month: 1, day: 31 }, { hour: 12, minute: 0, second: 0 }, ZONE);
    expect(read('+1 month', late)).toBe('2028-02-29 12:00:00');
    expect(read('+13 months', late)).toBe('2029-02-28 12:00:00');
    expect(read('-2 months', late)).toBe('2027-11-30 12:00:00');
  });

  it('keep the hour where the clocks change', () => {
    const before = momentOf({ year: 2027, month: 3, day: 27 }, { hour: 22, minute: 0, second: 0 }, ZONE);
    expect(read('+1 day', before)).toBe('2027-03-28 22:00:00');
    expect(read('+1 month', before)).toBe('2027-04-27 22:00:00');
    expect(read('+24 hours', before)).toBe('2027-03-28 23:00:00');
  });

  it.each([
    '',
    'never',
    'someday',
    '+3 months or so',
    '+3 months 3pm',
    '22:00 23:00',
    'tomorrow yesterday',
    '25:00',
    '13pm',
    '0am',
    '22:60',
    'now 3 days',
    '+3 days ago',
    '1825 days',
    '2200',
    '261125',
    '11/25/2026',
    '11/25',
    '2026-11',
    '2026-13-01',
    '2026-02-29',
    'tuesday',
    '1.5 hours',
    '2026-11-25 +2 hours',
    '22:00 +0100',
    'last',
    'Foo 25 2026',
  ])('%j is refused', (text) => {
    expect(parseDate(text, NOW, ZONE)).toHaveProperty('message');
  });

  it('tell what they named', () => {
    const parts = (text: string) => {
      const result = parseDate(text, NOW, ZONE);
      if ('message' in result) throw new Error(result.message);
      const { hasDay, hasTime, relative } = result.date;
      return { hasDay, hasTime, relative };
    };
    expect(parts('22:00')).toEqual({ hasDay: false, hasTime: true, relative: true });
    expect(parts('2026-11-25')).toEqual({ hasDay: true, hasTime: false, relative: false });
    expect(parts('yesterday 22:00')).toEqual({ hasDay: true, hasTime: true, relative: true });
    expect(parts('+2 hours')).toEqual({ hasDay: false, hasTime: true, relative: true });
  });

  it('never throw, and never mean nothing', () => {
    const word = fc.constantFrom(
      '+',
      '-',
      '3',
      '22:00',
      'days',
      'month',
      'ago',
      'next',
      'tue',
      'at',
      '2026-11-25',
      'Z',
    );
    const text = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.array(word, { maxLength: 6 }).map((all) => all.join(' ')),
    );
    fc.assert(
      fc.property(text, (each) => {
        const result = parseDate(each, NOW, ZONE);
        expect('message' in result || Number.isFinite(result.date.seconds)).toBe(true);
      }),
    );
  });
});
