import fc, { type Arbitrary } from 'fast-check';
import { readExpiry, type ExpiringImage } from '../../../src/expire/image.ts';
import type { BranchPolicy, VaultState } from '../../../src/expire/plan.ts';
import { formatLocal } from '../../../src/time/local.ts';

export const ZONES = ['Europe/Vienna', 'America/New_York', 'Asia/Kolkata', 'UTC'];
export const NOW = Date.UTC(2026, 10, 25, 12) / 1000;
const HOUR = 3600;

/** An image as a summary would tell it; good, with its tree, made and completed at `at`. */
export function imageAt(at: number, zone: string, more: Partial<ExpiringImage> = {}): ExpiringImage {
  const name = more.name ?? formatLocal(at, zone).replace(/[-:]/g, '').replace(' ', '-').slice(0, 13);
  const expire = more.expire ?? 'Never';
  return {
    bank: '/bank',
    vault: 'v',
    branch: 'default',
    name,
    directory: name,
    identity: `1:${at}`,
    verdict: 'good',
    hasTree: true,
    status: 'success',
    client: 'host',
    tree: '/',
    reference: undefined,
    begun: at,
    completed: at,
    expire,
    pinned: false,
    frozenUntil: undefined,
    warnings: 0,
    compared: false,
    files: 1,
    directories: 1,
    bytes: 1,
    at,
    date: readExpiry(expire, zone),
    rule: undefined,
    from: 'none',
    setAside: undefined,
    ...more,
  };
}

/** A policy with nothing but a keep list. */
export function keeping(zone: string, keep: readonly string[]): BranchPolicy {
  const lines = keep.map((text, index) => ({ text, file: 'master.conf', line: index + 2 }));
  return { zone, keep: lines, rules: [], standard: undefined, always: undefined };
}

/** A vault in which all branches go by one policy. */
export function vaultOf(
  images: readonly ExpiringImage[],
  policy: BranchPolicy,
  inUse: readonly string[] = [],
): VaultState {
  const policies = new Map(images.map(({ branch }) => [branch, policy]));
  return { bank: '/bank', vault: 'v', images, unreadable: [], inUse, policies };
}

export interface Scene {
  readonly zone: string;
  readonly images: readonly ExpiringImage[];
  readonly inUse: readonly string[];
  readonly keep: readonly string[];
}

/** Moments of which some are equal, some an hour or a day or a year apart, and a few still to come. */
const moment = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 24 * 40 }).map((hours) => NOW - hours * HOUR) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 1500 }).map((days) => NOW - days * 24 * HOUR) },
  // The end of summer time in Vienna.
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 16 }).map((part) => 1_792_886_400 + part * 900) },
  { weight: 1, arbitrary: fc.integer({ min: -5, max: 5 }).map((days) => NOW + days * 24 * HOUR) },
);

const few = fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0);

function anImage(zone: string): Arbitrary<ExpiringImage> {
  return fc
    .record({
      at: moment,
      late: fc.constantFrom(0, 0, 0, 60, 7200),
      branch: fc.constantFrom('default', 'default', 'weekly'),
      verdict: fc.constantFrom(...(['good', 'good', 'good', 'partial', 'failed', 'incomplete'] as const)),
      held: fc.integer({ min: 0, max: 149 }).map((roll) => roll === 0),
      treeless: few,
      pinned: few,
      frozen: fc.integer({ min: 0, max: 199 }).map((roll) => roll === 0),
      from: fc.constantFrom('none', 'none', 'rule', 'default', 'expire', undefined),
      date: fc.option(fc.integer({ min: -60, max: 15 }), { freq: 3 }),
      odd: fc.integer({ min: 0, max: 39 }).map((roll) => roll === 0),
    })
    .map((seed): ExpiringImage => {
      const days = seed.date === null ? 'Never' : formatLocal(NOW + seed.date * 24 * HOUR, zone);
      const expire = seed.odd ? '+3 mons == soon' : days === 'Never' ? days : `+9 days == ${days}`;
      const verdict = seed.held ? 'held' : seed.verdict;
      return imageAt(seed.at, zone, {
        branch: seed.branch,
        verdict,
        hasTree: !seed.treeless,
        completed: verdict === 'incomplete' ? undefined : seed.at + seed.late,
        expire: seed.pinned ? 'Never' : expire,
        date: readExpiry(expire, zone),
        pinned: seed.pinned,
        setAside: seed.pinned ? expire : undefined,
        from: seed.from,
        frozenUntil: seed.frozen ? NOW + 24 * HOUR : undefined,
      });
    });
}

const keepLine = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'),
      fc.integer({ min: 1, max: 6 }),
    )
    .map(([word, count]) => `${word} ${count}`),
  fc.integer({ min: 1, max: 60 }).map((days) => `within ${days} days`),
);

/** Images of two branches, whatever may be with them, and a keep list. */
export const scene: Arbitrary<Scene> = fc.constantFrom(...ZONES).chain((zone) =>
  fc
    .record({
      images: fc.array(anImage(zone), { maxLength: 25, size: 'max' }),
      used: fc.option(fc.nat(24), { freq: 3 }),
      keep: fc.array(keepLine, { maxLength: 4 }),
    })
    .map(({ images, used, keep }) => {
      const named = images.map((image, index) => ({
        ...image,
        name: `${image.name}-${index}`,
        directory: `${image.name}-${index}`,
      }));
      const inUse = used === null ? undefined : named[used]?.directory;
      return { zone, images: named, inUse: inUse === undefined ? [] : [inUse], keep };
    }),
);
