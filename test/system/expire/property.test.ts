import fc from 'fast-check';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { ExpiringImage } from '../../../src/expire/image.ts';
import { formatLocal, formatRfc3339 } from '../../../src/time/local.ts';
import { needs } from '../../support/needs.ts';
import { scene, type Scene } from '../../unit/expire/images.ts';
import { goesByOracle } from '../../unit/expire/oracle.ts';
import { makeGround, type Ground } from './ground.ts';

needs('root');

const STATUS = {
  good: 'success',
  partial: 'error (23) -- partial',
  held: 'error (held) -- much is gone',
  failed: 'fatal error (12) -- broken',
  incomplete: undefined,
} as const;

/** The summary that an image of a scene would have. */
function summaryOf(image: ExpiringImage, zone: string): string {
  const status = STATUS[image.verdict];
  const { completed } = image;
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['vault', 'v'],
    ['branch', image.branch],
    ['Image', image.name],
    ['Image-now', formatLocal(image.at, zone)],
    ['Vault-now', formatRfc3339(image.at, zone)],
    ['Expire', image.expire],
    ['Vault-expire', image.setAside],
    ['Vault-expire-from', image.from],
    ['Backup-begin', formatLocal(image.at, zone)],
    ['Vault-begin', formatRfc3339(image.at, zone)],
    [
      'Vault-frozen-until',
      image.frozenUntil === undefined ? undefined : formatRfc3339(image.frozenUntil, zone),
    ],
    ['Vault-verdict', image.verdict === 'held' ? 'held' : undefined],
    ['Vault-time', completed === undefined ? undefined : formatRfc3339(completed, zone)],
    ['Backup-complete', completed === undefined ? undefined : formatLocal(completed, zone)],
    ['Status', status],
  ];
  return lines.flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${value}\n`])).join('');
}

function build(ground: Ground, { zone, images, inUse, keep }: Scene): void {
  for (const name of readdirSync(ground.vault)) {
    if (name !== 'dirvish') rmSync(`${ground.vault}/${name}`, { recursive: true });
  }
  const list = keep.length === 0 ? '' : `keep:\n${keep.map((line) => `\t${line}\n`).join('')}`;
  writeFileSync(`${ground.home}/master.conf`, `${ground.master}time-zone: ${zone}\n${list}`, { mode: 0o600 });
  for (const image of images) {
    const directory = `${ground.vault}/${image.directory}`;
    mkdirSync(image.hasTree ? `${directory}/tree/sub` : directory, { recursive: true });
    writeFileSync(`${directory}/summary`, summaryOf(image, zone));
  }
  for (const [index, reference] of inUse.entries()) {
    mkdirSync(`${ground.vault}/.incomplete-${index}`);
    writeFileSync(`${ground.vault}/.incomplete-${index}/attempt`, `boot 1 2\n${reference}\n`);
  }
}

it(
  'what the program deletes is what its dry run says and what the oracle finds',
  { timeout: 120_000 },
  async () => {
    const ground = makeGround();
    const time = ['--time', '2026-11-25 12:00:00 UTC'];
    let deleted = 0;
    await fc.assert(
      fc.asyncProperty(scene, async (each) => {
        build(ground, each);
        const wanted = goesByOracle(each);
        const foretold = await ground.expire('--dry-run', ...time);
        const going = [...foretold.plan]
          .filter(([, { action }]) => action === 'delete')
          .map(([name]) => name);
        expect(new Set(going)).toEqual(wanted);
        const done = await ground.expire(...time);
        expect(done.code).toBe(foretold.code);
        expect(new Set(done.outcomes.keys())).toEqual(wanted);
        expect(new Set(done.outcomes.values()).size).toBeLessThanOrEqual(1);
        const left = readdirSync(ground.vault).filter((name) => !name.startsWith('.') && name !== 'dirvish');
        expect(left.toSorted()).toEqual(
          each.images
            .map(({ directory }) => directory)
            .filter((directory) => !wanted.has(directory))
            .toSorted(),
        );
        deleted += wanted.size;
      }),
      { numRuns: 12 },
    );
    expect(deleted).toBeGreaterThan(5);
  },
);
