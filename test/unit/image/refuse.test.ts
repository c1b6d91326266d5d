import { describe, expect, it } from 'vitest';
import type { Finding, Judgement } from '../../../src/image/judge.ts';
import { refuse } from '../../../src/image/refuse.ts';
import { EMPTY_TALLY } from '../../../src/image/tally.ts';
import { planFor } from './plans.ts';

const plan = planFor({ settings: { tree: '/home' } });
const space = { freeBytes: 1_500_000, freeInodes: 12, blockSize: 4096 };

function refused(code: Finding['code'], scanned: Partial<Parameters<typeof refuse>[2]> = {}) {
  const judgement: Judgement = {
    verdict: 'refuse',
    findings: [{ level: 'refuse', code, message: '' }],
    needBytes: 2_000_000_000,
    needInodes: 34,
  };
  return refuse(plan, judgement, { tally: EMPTY_TALLY, messages: [], ...scanned }, space);
}

describe('why nothing was made', () => {
  it('an empty source', () => {
    expect(refused('empty')).toMatchObject({
      kind: 'failed',
      message: 'localhost:/home is empty or cannot be read.',
    });
  });

  it('an unreadable source, in the words of rsync', () => {
    expect(refused('empty', { messages: ['rsync: change_dir failed'] }).message).toContain(
      'change_dir failed',
    );
  });

  it('no room, with the largest file and what can be done', () => {
    const tally = { ...EMPTY_TALLY, largest: [{ path: Buffer.from('big.iso'), size: 1_900_000_000 }] };
    const error = refused('space', { tally });
    expect(error.message).toBe(
      'No room on /bank: the image needs up to 2.0 GB and 1.5 MB are free; the largest new file is big.iso (1.9 GB).',
    );
    expect(error.hint).toContain('--ignore-space');
  });

  it('no inodes', () => {
    expect(refused('inodes').message).toBe('No room on /bank: the image needs 34 inodes and 12 are free.');
  });
});
