import { describe, expect, it } from 'vitest';
import { advanced, clockFault, parseClock, type Clock } from '../../../src/time/clock.ts';

const DAY = 86_400;
const START = 1_800_000_000;
const MAX = 30 * DAY;

/** The clock after runs on these days. */
function after(...days: readonly number[]): Clock {
  const first: Clock = { schema: 1, last: START };
  return days.reduce<Clock>((clock, day) => advanced(clock, START + day * DAY), first);
}

describe('the clock', () => {
  it('is right between nightly runs, and after a pause that is allowed', () => {
    expect(clockFault(after(1, 2, 3), START + 3 * DAY + 60, MAX)).toBeUndefined();
    expect(clockFault(after(1), START + 31 * DAY, MAX)).toBeUndefined();
  });

  it('is wrong before the last run, but for the minutes by which programs differ', () => {
    expect(clockFault(after(5), START + 5 * DAY - 300, MAX)).toBeUndefined();
    expect(clockFault(after(5), START + 5 * DAY - 3600, MAX)).toMatchObject({ kind: 'before' });
  });

  it('is wrong too far past the last run', () => {
    expect(clockFault(after(1), START + 31 * DAY + 1, MAX)).toEqual({
      kind: 'jumped',
      from: START + DAY,
      to: START + 31 * DAY + 1,
    });
  });

  it('does not become right by a run that went by it', () => {
    const clock = after(1, 2, 60, 61);
    expect(clockFault(clock, START + 61 * DAY, MAX)).toMatchObject({ kind: 'jumped', from: START + 2 * DAY });
  });

  it('is believed when it has gone on for a week', () => {
    const clock = after(1, 60, 62, 64, 66, 68);
    expect(clockFault(clock, START + 68 * DAY, MAX)).toBeUndefined();
  });

  it('keeps the latest run when it was put back', () => {
    expect(after(9, 4).last).toBe(START + 9 * DAY);
  });

  it('keeps what it knows in a file, and takes nothing else for it', () => {
    const clock = after(1, 60);
    expect(parseClock(JSON.stringify(clock))).toEqual(clock);
    for (const text of ['', '{', '{}', '{"schema":2,"last":1}', '{"schema":1,"last":"soon"}', 'null']) {
      expect(parseClock(text)).toBeUndefined();
    }
  });
});
