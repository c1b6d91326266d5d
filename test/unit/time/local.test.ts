import { describe, expect, it } from 'vitest';
import { formatLocal, formatRfc3339, parseLocal } from '../../../src/time/local.ts';

const AT = Date.UTC(2026, 10, 25, 21, 5, 9) / 1000;

describe('local times', () => {
  it('are written as dirvish writes them, and with their offset', () => {
    expect(formatLocal(AT, 'Europe/Vienna')).toBe('2026-11-25 22:05:09');
    expect(formatRfc3339(AT, 'Europe/Vienna')).toBe('2026-11-25T22:05:09+01:00');
    expect(formatRfc3339(AT, 'America/St_Johns')).toBe('2026-11-25T17:35:09-03:30');
    expect(formatRfc3339(AT, 'UTC')).toBe('2026-11-25T21:05:09+00:00');
  });

  it('are read back', () => {
    for (const zone of ['Europe/Vienna', 'Asia/Kolkata', 'UTC']) {
      expect(parseLocal(formatLocal(AT, zone), zone)).toBe(AT);
    }
    expect(parseLocal('2026-11-25', 'UTC')).toBeUndefined();
    expect(parseLocal('Never', 'UTC')).toBeUndefined();
  });
});
