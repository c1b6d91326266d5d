import { describe, expect, it } from 'vitest';
import { parseSummary } from '../../../src/catalog/summary.ts';
import { expiringImage, isUnreadable } from '../../../src/expire/image.ts';
import { planExpire } from '../../../src/expire/plan.ts';
import { formatLocal, formatRfc3339 } from '../../../src/time/local.ts';
import { imageAt, keeping, vaultOf } from './images.ts';

const ZONE = 'Europe/Vienna';
const QUARTER = 900;
const at = (utc: string) => Date.parse(`${utc}:00Z`) / 1000;

/** The moments, in UTC, of the images that a list keeps out of one every quarter of an hour. */
function kept(from: string, to: string, ...keep: readonly string[]): string[] {
  const count = (at(to) - at(from)) / QUARTER;
  const images = Array.from({ length: count + 1 }, (_, index) => {
    const moment = at(from) + index * QUARTER;
    return imageAt(moment, ZONE, { name: `i${moment}`, directory: `i${moment}` });
  });
  const { steps } = planExpire({
    vaults: [vaultOf(images, keeping(ZONE, keep))],
    now: at(to),
    mode: 'image',
  });
  return steps
    .filter(({ action }) => action === 'keep')
    .map(({ image }) => new Date((image?.at ?? 0) * 1000).toISOString().slice(5, 16));
}

// Vienna: until 2026-10-25 01:00 UTC two hours ahead, then one; from 2026-03-29 01:00 UTC on two again.
describe('the night in which summer time ends', () => {
  const night = ['2026-10-24T12:00', '2026-10-25T04:30'] as const;

  it('has 02:00 to 03:00 twice, and each counts as an hour', () => {
    expect(kept(...night, 'hourly 6')).toEqual([
      '10-24T23:45', // 01:45 summer time
      '10-25T00:45', // 02:45 summer time
      '10-25T01:45', // 02:45 winter time
      '10-25T02:45',
      '10-25T03:45',
      '10-25T04:30',
    ]);
  });

  it('belongs to a day of 25 hours, which ends at its own midnight', () => {
    expect(kept('2026-10-23T00:00', '2026-10-26T03:00', 'daily 3')).toEqual([
      '10-24T21:45', // 23:45 summer time
      '10-25T22:45', // 23:45 winter time
      '10-26T03:00',
    ]);
  });

  it('lengthens a week and a month by its hour', () => {
    expect(kept('2026-10-16T00:00', '2026-11-03T00:00', 'weekly 3')).toEqual([
      '10-25T22:45', // Sunday 23:45
      '11-01T22:45',
      '11-03T00:00',
    ]);
    expect(kept('2026-10-24T00:00', '2026-11-01T00:00', 'monthly 2')).toEqual(['10-31T22:45', '11-01T00:00']);
  });

  it('does not stretch a number of hours', () => {
    expect(kept(...night, 'within 4 hours')).toHaveLength(17);
  });
});

describe('the night in which summer time begins', () => {
  it('has no hour from 02:00 to 03:00', () => {
    expect(kept('2026-03-28T20:00', '2026-03-29T03:30', 'hourly 5')).toEqual([
      '03-28T23:45', // 00:45
      '03-29T00:45', // 01:45
      '03-29T01:45', // 03:45
      '03-29T02:45',
      '03-29T03:30',
    ]);
  });

  it('belongs to a day of 23 hours', () => {
    expect(kept('2026-03-27T00:00', '2026-03-30T03:00', 'daily 3')).toEqual([
      '03-28T22:45', // 23:45
      '03-29T21:45', // 23:45
      '03-30T03:00',
    ]);
  });
});

describe('a summary of the hour that comes twice', () => {
  const summaryOf = (moment: number, exact: boolean) => {
    const local = formatLocal(moment, ZONE);
    const vault = exact
      ? [`Vault-now: ${formatRfc3339(moment, ZONE)}`, `Vault-time: ${formatRfc3339(moment, ZONE)}`]
      : [];
    const lines = ['vault: v', 'branch: default', `Image: i${moment}`, `Image-now: ${local}`, ...vault];
    return parseSummary([...lines, `Backup-complete: ${local}`, 'Status: success', ''].join('\n'));
  };
  const read = (moment: number, exact: boolean) => {
    const place = { bank: '/b', vault: 'v', directory: `i${moment}`, hasTree: true, identity: '1:1' };
    const image = expiringImage(summaryOf(moment, exact), place, ZONE);
    if (isUnreadable(image)) throw new Error(image.message);
    return image;
  };
  const [first, second] = [at('2026-10-25T00:30'), at('2026-10-25T01:30')];

  it('is exact where vault wrote it', () => {
    expect(read(first, true)).toMatchObject({ at: first, completed: first });
    expect(read(second, true)).toMatchObject({ at: second, completed: second });
  });

  it('cannot be where dirvish wrote it: both are taken for the same hour, and neither for the other only', () => {
    expect(read(first, false).at).toBe(read(second, false).at);
    expect([first, second]).toContain(read(first, false).at);
  });

  it('of two newest ones that look alike, neither goes', () => {
    const images = [read(first, false), read(second, false)];
    const vaults = [vaultOf(images, keeping(ZONE, ['last 1']))];
    const { steps } = planExpire({ vaults, now: second + QUARTER, mode: 'image' });
    expect(steps.map(({ action }) => action)).toEqual(['keep', 'keep']);
  });
});
