import { beforeAll, describe, expect, test } from 'vitest';
import { runWithFault } from '../../support/fault.ts';
import { needs } from '../../support/needs.ts';
import { tempDir } from '../../support/temp.ts';
import { expectHealed, makeGround, putBack, sample, save, type Ground } from './ground.ts';

const able = needs('root', 'gcc', 'rsync');

let ground: Ground;
let total: number;

beforeAll(async () => {
  if (!able) return;
  ground = await makeGround(tempDir('faults'));
  save(ground);
  const counted = await runWithFault(ground.argv, { prefix: ground.bank, mode: 'count' });
  expect(counted.ran.code, counted.ran.err).toBe(0);
  total = counted.count;
  expect(total).toBeGreaterThan(60);
});

describe('after an interruption anywhere the next run needs no help', () => {
  test('kill -9 of everything at the n-th change', { timeout: 600_000 }, async () => {
    let killed = 0;
    for (const at of sample(total, 24)) {
      const fresh = putBack(ground);
      const crashed = Math.floor(Date.now() / 1000);
      const { ran, fired } = await runWithFault(ground.argv, { prefix: ground.bank, mode: 'kill', at });
      // Counts differ a little from run to run: the last call of one may not come in another.
      if (fired === undefined) expect(ran.code).toBe(0);
      else killed += 1;
      await expectHealed(fresh, crashed);
    }
  });

  test(
    'an I/O error at the n-th change is never an exit 0 without a whole image',
    { timeout: 600_000 },
    async () => {
      for (const at of sample(total, 16)) {
        const fresh = putBack(ground);
        const crashed = Math.floor(Date.now() / 1000);
        await runWithFault(ground.argv, { prefix: ground.bank, mode: 'eio', at });
        await expectHealed(fresh, crashed);
      }
    },
  );

  test(
    'a disk that is full from the n-th change on breaks nothing that was there',
    { timeout: 600_000 },
    async () => {
      for (const at of sample(total, 12)) {
        const fresh = putBack(ground);
        const crashed = Math.floor(Date.now() / 1000);
        const { ran } = await runWithFault(ground.argv, {
          prefix: ground.bank,
          mode: 'enospc',
          at,
          sticky: true,
        });
        expect([0, 3, 4], ran.err).toContain(ran.code);
        await expectHealed(fresh, crashed);
      }
    },
  );
});
