import { describe, expect, it } from 'vitest';
import { strftime, unknownConversion } from '../../../src/time/strftime.ts';

const SUMMER = Date.UTC(2026, 6, 5, 20, 4, 9) / 1000;
const NEW_YEAR = Date.UTC(2027, 0, 1, 0, 30) / 1000;

describe('strftime', () => {
  it.each([
    ['%Y%m%d-%H%M%S', '20260705-220409'],
    ['%a %A %b %B %h', 'Sun Sunday Jul July Jul'],
    [
      '%c|%x|%X|%D|%F|%T|%R|%r',
      'Sun Jul  5 22:04:09 2026|07/05/26|22:04:09|07/05/26|2026-07-05|22:04:09|22:04|10:04:09 PM',
    ],
    ['%e|%k|%l|%I|%p|%P|%j|%C|%y', ' 5|22|10|10|PM|pm|186|20|26'],
    ['%u %w %U %W %V %G %g', '7 0 27 26 27 2026 26'],
    ['%s %z %Z', `${SUMMER} +0200 CEST`],
    ['%% %Q %Ey %Od', '% %Q 26 05'],
    ['100%', '100%'],
  ])('%s is %s', (format, expected) => {
    expect(strftime(format, SUMMER, 'Europe/Vienna')).toBe(expected);
  });

  it('counts weeks as ISO 8601 does around the new year', () => {
    expect(strftime('%F %G-W%V %U %W', NEW_YEAR, 'UTC')).toBe('2027-01-01 2026-W53 00 00');
  });

  it('knows the zone', () => {
    expect(strftime('%F %R %z %Z', NEW_YEAR, 'America/New_York')).toBe('2026-12-31 19:30 -0500 EST');
    expect(strftime('%F %R %z %Z', NEW_YEAR, 'Asia/Kathmandu')).toBe('2027-01-01 06:15 +0545 +0545');
  });

  it('tells what it does not know', () => {
    expect(unknownConversion('%Y-%m %% %Ey')).toBeUndefined();
    expect(unknownConversion('%Y%Q')).toBe('%Q');
    expect(unknownConversion('100%')).toBe('%');
  });
});
