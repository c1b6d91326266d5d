import { describe, expect, it } from 'vitest';
import {
  jsonTime,
  showAge,
  showBytes,
  showBytesOf,
  showCount,
  showCounted,
  showDuration,
  showPercent,
  showTime,
} from '../../../src/show/units.ts';

const NOW = Date.UTC(2026, 10, 20, 21, 0, 0) / 1000;

describe('sizes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1234, '1.2 kB'],
    [9949, '9.9 kB'],
    [9950, '10 kB'],
    [99_999, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [1_200_000_000, '1.2 GB'],
    [45_000_000_000, '45 GB'],
    [3_000_000_000_000, '3.0 TB'],
    [-1500, '-1.5 kB'],
  ])('%d bytes', (bytes, text) => expect(showBytes(bytes)).toBe(text));
  it('shows a part of a whole with one unit where that is the same', () => {
    expect(showBytesOf(1_200_000_000, 3_400_000_000)).toBe('1.2/3.4 GB');
    expect(showBytesOf(900_000, 3_400_000_000)).toBe('900 kB/3.4 GB');
  });
});

describe('counts', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [1234567, '1,234,567'],
    [-12345, '-12,345'],
  ])('%d', (count, text) => expect(showCount(count)).toBe(text));
  it('agrees with its noun', () => {
    expect(showCounted(1, 'file')).toBe('1 file');
    expect(showCounted(2000, 'file')).toBe('2,000 files');
    expect(showCounted(0, 'entry', 'entries')).toBe('0 entries');
  });
  it('says 0% and 100% only where it is so', () => {
    expect(showPercent(0, 5)).toBe('0%');
    expect(showPercent(1, 1_000_000)).toBe('0.1%');
    expect(showPercent(1, 3)).toBe('33%');
    expect(showPercent(999_999, 1_000_000)).toBe('99%');
    expect(showPercent(5, 5)).toBe('100%');
    expect(showPercent(5, 0)).toBe('0%');
  });
});

describe('durations', () => {
  it.each([
    [0, '0 s'],
    [0.42, '0.4 s'],
    [3, '3 s'],
    [45.4, '45 s'],
    [59.7, '1 min'],
    [185, '3 min 5 s'],
    [7440, '2 h 4 min'],
    [86400 * 3 + 3600 * 4, '3 d 4 h'],
  ])('%d seconds', (seconds, text) => expect(showDuration(seconds)).toBe(text));
});

describe('times', () => {
  it('is on the clock of the zone, also across a change of the clocks', () => {
    expect(showTime(NOW, 'Europe/Berlin')).toBe('2026-11-20 22:00');
    expect(showTime(NOW, 'America/Los_Angeles')).toBe('2026-11-20 13:00');
    const doubled = Date.UTC(2026, 9, 25, 0, 30) / 1000;
    expect([doubled, doubled + 3600].map((each) => jsonTime(each, 'Europe/Berlin'))).toEqual([
      '2026-10-25T02:30:00+02:00',
      '2026-10-25T02:30:00+01:00',
    ]);
    expect(jsonTime(NOW, 'UTC')).toBe('2026-11-20T21:00:00+00:00');
  });
  it.each([
    [0, 'just now'],
    [-59, 'just now'],
    [-60, '1 minute ago'],
    [-7200, '2 hours ago'],
    [-86400 * 1.5, '36 hours ago'],
    [-86400 * 3, '3 days ago'],
    [-86400 * 95, '3 months ago'],
    [-86400 * 800, '2 years ago'],
    [7200, 'in 2 hours'],
  ])('%d seconds from now', (offset, text) => expect(showAge(NOW + offset, NOW)).toBe(text));
});
