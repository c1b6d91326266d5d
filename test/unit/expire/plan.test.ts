import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planExpire, type ExpirePlan } from '../../../src/expire/plan.ts';
import { imageAt, keeping, NOW, scene, vaultOf, type Scene } from './images.ts';
import { goesByOracle } from './oracle.ts';

const RUNS = 600;

function plan({ images, inUse, keep, zone }: Scene): ExpirePlan {
  return planExpire({ vaults: [vaultOf(images, keeping(zone, keep), inUse)], now: NOW, mode: 'image' });
}

function going(made: ExpirePlan): string[] {
  return made.steps.filter(({ action }) => action === 'delete').map(({ directory }) => directory);
}

function property(check: (scene: Scene) => void): void {
  fc.assert(fc.property(scene, check), { numRuns: RUNS });
}

describe('a plan', () => {
  it('is what a slow oracle of its own finds', () => {
    let deleted = 0;
    property((each) => {
      const found = going(plan(each));
      deleted += found.length;
      expect(new Set(found)).toEqual(goesByOracle(each));
    });
    expect(deleted).toBeGreaterThan(RUNS);
  });

  it('has every image once, kept or deleted, and a reason for each', () => {
    property((each) => {
      const { steps } = plan(each);
      expect(steps.map(({ directory }) => directory).toSorted()).toEqual(
        each.images.map(({ directory }) => directory).toSorted(),
      );
      for (const { action, reasons } of steps) {
        expect(reasons.length).toBeGreaterThan(0);
        const lets = reasons.every(({ code }) => code === 'expired' || code === 'not-kept');
        expect(action).toBe(lets ? 'delete' : 'keep');
      }
    });
  });

  it('never has the newest good image of a branch go, nor a newer one of any verdict', () => {
    property((each) => {
      const gone = new Set(going(plan(each)));
      for (const branch of new Set(each.images.map((image) => image.branch))) {
        const own = each.images.filter((image) => image.branch === branch);
        const past = own.filter((image) => Math.max(image.at, image.completed ?? image.begun ?? 0) <= NOW);
        const end = (image: (typeof own)[number]) => image.completed ?? image.begun ?? image.at;
        const good = past.filter((image) => image.verdict === 'good' && image.hasTree);
        const newestGood = Math.max(...good.map(end));
        for (const image of good) if (end(image) === newestGood) expect(gone).not.toContain(image.directory);
        const newest = Math.max(...past.map(end));
        if (newest <= newestGood) continue;
        for (const image of past) if (end(image) === newest) expect(gone).not.toContain(image.directory);
      }
    });
  });

  it('lets no good image go because an image that is not good came', () => {
    property((each) => {
      const bad = each.images.filter((image) => image.verdict !== 'good' || !image.hasTree);
      const without = { ...each, images: each.images.filter((image) => !bad.includes(image)) };
      const before = new Set(going(plan(without)));
      for (const directory of going(plan(each))) {
        const image = each.images.find((other) => other.directory === directory);
        if (image !== undefined && !bad.includes(image)) expect(before).toContain(directory);
      }
    });
  });

  it('has nothing more to delete when it has been carried out', () => {
    property((each) => {
      const gone = new Set(going(plan(each)));
      const rest = { ...each, images: each.images.filter(({ directory }) => !gone.has(directory)) };
      expect(going(plan(rest))).toEqual([]);
    });
  });

  it('does not depend on the order of the images', () => {
    fc.assert(
      fc.property(scene, fc.infiniteStream(fc.nat()), (each, keys) => {
        const shuffled = each.images
          .map((image) => ({ image, key: keys.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ image }) => image);
        expect(plan({ ...each, images: shuffled })).toEqual(plan(each));
      }),
      { numRuns: RUNS },
    );
  });
});

describe('protections', () => {
  const zone = 'UTC';
  const day = (number: number) => NOW - number * 86_400;
  const old = { expire: '+1 day == 2026-01-01 00:00:00', from: 'default' } as const;
  const judge = (images: Parameters<typeof vaultOf>[0], mode: 'image' | 'tree' = 'image') =>
    planExpire({ vaults: [vaultOf(images, keeping(zone, []))], now: NOW, mode });

  it('keep the newest good image though all have expired and newer ones are partial', () => {
    const images = [
      imageAt(day(9), zone, old),
      imageAt(day(5), zone, old),
      imageAt(day(3), zone, { ...old, verdict: 'partial' }),
      imageAt(day(1), zone, { ...old, verdict: 'failed' }),
    ];
    const made = judge(images);
    expect(made.steps.map(({ action }) => action)).toEqual(['delete', 'keep', 'delete', 'keep']);
    expect(made.steps.map(({ reasons }) => reasons[0]?.code)).toEqual([
      'expired',
      'newest-good',
      'expired',
      'newest',
    ]);
  });

  it('leave an image of the future alone, tell of it, and count on it for nothing', () => {
    const images = [imageAt(day(9), zone, old), imageAt(day(-9), zone, old)];
    const made = judge(images);
    expect(going(made)).toEqual([]);
    expect(made.warnings).toHaveLength(1);
  });

  it('keep everything beside a held image, until it is accepted', () => {
    const held = imageAt(day(1), zone, { ...old, verdict: 'held' });
    const images = [imageAt(day(9), zone, old), imageAt(day(5), zone, old)];
    expect(going(judge([...images, held]))).toEqual([]);
    expect(going(judge([...images, { ...held, verdict: 'good' }]))).toHaveLength(2);
  });

  it('keep everything of a branch that is frozen, and of no other', () => {
    const frozen = imageAt(day(1), zone, { ...old, frozenUntil: NOW + 60 });
    const images = [
      imageAt(day(9), zone, old),
      frozen,
      imageAt(day(8), zone, { ...old, branch: 'b', name: 'b1', directory: 'b1' }),
      imageAt(day(7), zone, { ...old, branch: 'b', name: 'b2', directory: 'b2' }),
    ];
    expect(going(judge(images))).toEqual(['b1']);
    expect(going(judge(images.map((image) => ({ ...image, frozenUntil: NOW }))))).toHaveLength(2);
  });

  it('have only trees go that are there', () => {
    const images = [
      imageAt(day(9), zone, { ...old, hasTree: false }),
      imageAt(day(8), zone, old),
      imageAt(day(1), zone, old),
    ];
    expect(going(judge(images, 'tree'))).toEqual([images[1]?.directory]);
    expect(going(judge(images))).toHaveLength(2);
  });
});

describe('dates', () => {
  const zone = 'Europe/Vienna';
  const judge = (more: Parameters<typeof imageAt>[2], keep: readonly string[] = []) => {
    const images = [
      imageAt(NOW - 900_000, zone, { name: 'a', directory: 'a', ...more }),
      imageAt(NOW - 60, zone),
    ];
    return planExpire({ vaults: [vaultOf(images, keeping(zone, keep))], now: NOW, mode: 'image' }).steps[0];
  };
  const second = (text: string) => ({ expire: `+1 day == ${text}` });

  it('are past from their very second on', () => {
    expect(judge(second('2026-11-25 13:00:00'))?.action).toBe('delete');
    expect(judge(second('2026-11-25 13:00:01'))?.action).toBe('keep');
  });

  it('decide together with a keep list', () => {
    const past = second('2026-11-01 00:00:00');
    const ahead = second('2027-01-01 00:00:00');
    expect(judge(past, ['last 2'])?.action).toBe('keep');
    expect(judge(past, ['last 1'])?.action).toBe('delete');
    expect(judge(ahead, ['last 1'])?.action).toBe('keep');
  });

  it('that say never keep for ever, unless nothing was configured when the image was made', () => {
    expect(judge({ expire: 'Never', from: undefined }, ['last 1'])?.action).toBe('keep');
    expect(judge({ expire: 'Never', from: 'default' }, ['last 1'])?.action).toBe('keep');
    expect(judge({ expire: 'Never', from: 'none' }, ['last 1'])?.action).toBe('delete');
    expect(judge({ expire: 'Never', from: 'none' })?.reasons.map(({ code }) => code)).toEqual(['no-rule']);
  });

  it("that can't be read keep an image", () => {
    expect(judge({ expire: '+3 months == sometime' })?.reasons.map(({ code }) => code)).toEqual(['bad-date']);
  });
});
