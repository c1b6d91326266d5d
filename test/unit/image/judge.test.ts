import { describe, expect, it } from 'vitest';
import { judge, type Case } from '../../../src/image/judge.ts';
import { EMPTY_TALLY, type Tally } from '../../../src/image/tally.ts';

const GB = 1e9;

function verdictOn(tally: Partial<Tally>, more: Partial<Case> = {}) {
  return judge({
    tally: { ...EMPTY_TALLY, ...tally },
    totals: { entries: 11_000, directories: 1_000, regular: 10_000, bytes: 10 * GB },
    hasReference: true,
    referenceBytes: 10 * GB,
    space: { freeBytes: 1000 * GB, freeInodes: 1e9, blockSize: 4096 },
    ignoreSpace: false,
    maxDeletePercent: 50,
    maxChangePercent: 60,
    gainsAttributes: false,
    ...more,
  });
}

const codes = (judged: ReturnType<typeof judge>) =>
  judged.findings.map(({ level, code }) => `${level} ${code}`);

describe('an empty source', () => {
  const totals = { entries: 1, directories: 1, regular: 0, bytes: 0 };

  it('is refused, with a reference and without', () => {
    for (const hasReference of [true, false]) {
      expect(codes(verdictOn({}, { totals, hasReference }))).toContain('refuse empty');
    }
  });

  it('with one file is not empty', () => {
    expect(verdictOn({}, { totals: { ...totals, entries: 2 }, hasReference: false }).verdict).toBe('allow');
  });
});

describe('room', () => {
  const space = { freeBytes: 10_000_000, freeInodes: 2_000, blockSize: 4096 };

  it('counts data, rounding and a block for every directory', () => {
    const judged = verdictOn({ newFiles: 10, newBytes: 1000 });
    expect(judged.needBytes).toBe(1000 + 10 * 2048 + 1_000 * 4096);
    expect(judged.needInodes).toBe(1_010);
  });

  it('lacking is refused', () => {
    expect(codes(verdictOn({ newFiles: 1, newBytes: 6_000_000 }, { space }))).toEqual(['refuse space']);
    expect(codes(verdictOn({ newOther: 1_001 }, { space }))).toContain('refuse inodes');
  });

  it('lacking is a note where the user says so', () => {
    const judged = verdictOn({ newFiles: 1, newBytes: 6_000_000 }, { space, ignoreSpace: true });
    expect([judged.verdict, ...codes(judged)]).toEqual(['allow', 'note space']);
  });

  it('has no limit of inodes on btrfs', () => {
    const judged = verdictOn({ newOther: 1_001 }, { space: { ...space, freeInodes: undefined } });
    expect(judged.verdict).toBe('allow');
  });
});

/** 10,000 files now; with so many gone the reference had as many more. */
describe('a mass deletion', () => {
  it.each([
    [999, 'allow'],
    [3_333, 'allow'],
    [3_334, 'warn'],
    [9_999, 'warn'],
    [10_000, 'hold'],
    [90_000, 'hold'],
  ])('of %d files', (deletedFiles, expected) => {
    expect(verdictOn({ deletedFiles }).verdict).toBe(expected);
  });

  it('counts by bytes too', () => {
    expect(codes(verdictOn({ deletedFiles: 1 }, { referenceBytes: 30 * GB }))).toEqual(['hold deleted']);
    expect(verdictOn({ deletedFiles: 1 }, { referenceBytes: 14 * GB }).verdict).toBe('warn');
    expect(verdictOn({ deletedFiles: 1 }, { referenceBytes: 10.9 * GB }).verdict).toBe('allow');
  });

  it('of a small tree is no matter', () => {
    const totals = { entries: 2, directories: 1, regular: 1, bytes: 1 };
    expect(verdictOn({ deletedFiles: 900 }, { totals, referenceBytes: 1000 }).verdict).toBe('allow');
  });

  it('is held from where the user says', () => {
    expect(verdictOn({ deletedFiles: 10_000 }, { maxDeletePercent: 51 }).verdict).toBe('warn');
    expect(verdictOn({ deletedFiles: 2_000 }, { maxDeletePercent: 10 }).verdict).toBe('hold');
  });

  it('cannot be without a reference', () => {
    expect(verdictOn({ deletedFiles: 10_000 }, { hasReference: false }).verdict).toBe('allow');
  });
});

describe('a mass rewrite', () => {
  it.each([
    [2_999, 'allow'],
    [3_000, 'warn'],
    [5_999, 'warn'],
    [6_000, 'hold'],
  ])('of %d files', (changedFiles, expected) => {
    expect(verdictOn({ changedFiles }).verdict).toBe(expected);
  });

  it('counts by bytes too', () => {
    expect(codes(verdictOn({ changedFiles: 1, changedBytes: 6 * GB }))).toEqual(['hold rewritten']);
    expect(verdictOn({ changedFiles: 1, changedBytes: 3 * GB }).verdict).toBe('warn');
  });
});

describe('an attribute storm', () => {
  it('is a note with what it costs', () => {
    const judged = verdictOn({ attributeFiles: 5_000, attributeBytes: 5 * GB });
    expect(judged.verdict).toBe('allow');
    expect(judged.findings).toEqual([
      expect.objectContaining({
        level: 'note',
        code: 'attributes',
        files: 5_000,
        bytes: 5 * GB,
        percent: 50,
      }),
    ]);
  });

  it('says so when it is expected', () => {
    const tally = { attributeFiles: 5_000, attributeBytes: 5 * GB };
    const messages = [true, false].map(
      (gainsAttributes) => verdictOn(tally, { gainsAttributes }).findings[0]?.message,
    );
    expect(messages[0]).not.toBe(messages[1]);
  });

  it('of few files is none', () => {
    expect(verdictOn({ attributeFiles: 999, attributeBytes: 1 }).findings).toEqual([]);
    expect(
      verdictOn(
        { attributeFiles: 1_000, attributeBytes: 1 },
        {
          totals: { entries: 110_000, directories: 10_000, regular: 100_000, bytes: 10 * GB },
        },
      ).findings,
    ).toEqual([]);
  });
});

it('the worst of several findings is the verdict', () => {
  expect(verdictOn({ deletedFiles: 10_000, changedFiles: 6_000 }).verdict).toBe('hold');
  const totals = { entries: 1, directories: 1, regular: 0, bytes: 0 };
  expect(verdictOn({ deletedFiles: 10_000 }, { totals }).verdict).toBe('refuse');
});
