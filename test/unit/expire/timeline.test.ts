import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countAt, simulate } from '../../../src/expire/simulate.ts';
import { timelineSvg } from '../../../src/show/timeline-svg.ts';
import { timelineText } from '../../../src/show/timeline.ts';
import { imageAt, keeping, NOW } from './images.ts';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/expire/timeline');
const ZONE = 'Europe/Vienna';
const DAY = 86_400;
const NIGHTLY = { hour: 22, minute: 0, second: 0 };

function play(keep: readonly string[], days: number, rules: readonly string[] = []) {
  const settings = {
    expire: undefined,
    'expire-rule': rules,
    'expire-default': rules.length > 0 ? '+10 days' : undefined,
  };
  return simulate({
    bank: '/bank',
    vault: 'laptop-root',
    branch: 'default',
    images: [40, 20, 3, 2, 1].map((age) => imageAt(NOW - age * DAY, ZONE)),
    settings,
    policy: keeping(ZONE, keep),
    now: NOW,
    days,
    nightly: NIGHTLY,
  });
}

describe('a simulation', () => {
  it('ends with what the rules ask for', () => {
    const { lives, until } = play(['daily 14', 'weekly 8', 'monthly 12'], 500);
    // 14 days; weeks and months beyond those, whose newest images are not among the days.
    expect(countAt(lives, until)).toBeGreaterThanOrEqual(14 + 6 + 9);
    expect(countAt(lives, until)).toBeLessThanOrEqual(14 + 8 + 12);
  });

  it('has every image from when it is made until a later night, and never none', () => {
    const { lives, from, until } = play(['last 3'], 60);
    for (const { born, died } of lives) expect(died ?? until + 1).toBeGreaterThan(born);
    for (let time = from; time <= until; time += 3600) expect(countAt(lives, time)).toBeGreaterThan(0);
    expect(countAt(lives, until)).toBe(3);
  });

  it('makes an image at the same time of every night, also where the clocks change', () => {
    const made = play(['last 500'], 200).lives.filter(({ real }) => !real);
    expect(made).toHaveLength(200);
    expect(new Set(made.map(({ name }) => name.slice(-4)))).toEqual(new Set(['2200']));
    expect(new Set(made.slice(1).map(({ born }, index) => born - (made[index]?.born ?? 0)))).toEqual(
      new Set([DAY, DAY - 3600]),
    );
  });

  it('goes by dates as well', () => {
    const { lives, until } = play([], 100, ['* * * * sun +6 weeks']);
    const made = lives.filter(({ real, died }) => !real && died === undefined && until > 0);
    // Ten days and tonight, and the six Sundays and those before the ten days.
    expect(made.length).toBeGreaterThanOrEqual(14);
    expect(made.length).toBeLessThanOrEqual(16);
  });

  it('is drawn within the terminal, for short and for long times', () => {
    for (const days of [1, 7, 90, 400, 2000]) {
      for (const columns of [60, 80, 120]) {
        const lines = timelineText(play(['daily 7', 'weekly 4'], days), columns)
          .split('\n')
          .slice(3);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
      }
    }
  });

  it('looks as it did', async () => {
    const simulation = play(['daily 7', 'weekly 6', 'monthly 6'], 400);
    await expect(`${timelineText(simulation, 80)}\n`).toMatchFileSnapshot(join(FIXTURES, 'text.txt'));
    await expect(timelineSvg(simulation)).toMatchFileSnapshot(join(FIXTURES, 'picture.svg'));
  });

  it('is drawn with names that cannot break out of the picture', () => {
    const simulation = { ...play(['last 2'], 3), vault: '<a&"b">\u0007' };
    const svg = timelineSvg(simulation);
    expect(svg).toContain('&lt;a&amp;&quot;b&quot;&gt;?');
    expect(svg).not.toContain('\u0007');
  });
});
