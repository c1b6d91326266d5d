import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/time/duration.ts';

describe('durations', () => {
  it.each([
    ['600', 600],
    ['0', 0],
    ['10m', 600],
    ['6h', 21_600],
    ['30 days', 2_592_000],
    ['1h 30m', 5400],
    ['1h30min', 5400],
    ['1.5 hours', 5400],
    ['2 Weeks', 1_209_600],
  ])('%s is %d seconds', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each(['', '-1', '10 lightyears', '1 month', 'm', '10 m 5', '1e3', '9'.repeat(30), '1,5h'])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it('are read back from what is shown', () => {
    fc.assert(
      fc.property(fc.nat(), (seconds) => {
        expect(parseDuration(formatDuration(seconds))).toBe(seconds);
      }),
    );
    expect([0, 59, 600, 5400, 129_600].map(formatDuration)).toEqual(['0s', '59s', '10m', '1h 30m', '1d 12h']);
  });
});
