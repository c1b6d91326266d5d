import { describe, expect, it } from 'vitest';
import { parseHistory, withHistoryLine } from '../../../src/catalog/history.ts';

const HEADING = '#IMAGE\tCREATED\tREFERECE\tEXPIRES\n';
const LINE = { image: '20261120', created: '2026-11-20 22:00:00', reference: 'default', expires: 'Never' };
const TEXT = '20261120\t2026-11-20 22:00:00\tdefault\tNever\n';

describe("dirvish's history", () => {
  it('begins with its heading, spelt as it is', () => {
    expect(withHistoryLine('', LINE)).toBe(HEADING + TEXT);
  });

  it('grows by a line', () => {
    const more = { ...LINE, image: '20261121', reference: '20261120' };
    const text = withHistoryLine(HEADING + TEXT, more);
    expect(text).toBe(`${HEADING}${TEXT}20261121\t2026-11-20 22:00:00\t20261120\tNever\n`);
    expect(parseHistory(text)).toEqual([LINE, more]);
  });

  it('gets an end to a line that was cut off', () => {
    expect(withHistoryLine(`${HEADING}half`, LINE)).toBe(`${HEADING}half\n${TEXT}`);
  });

  it('has every image once', () => {
    expect(withHistoryLine(HEADING + TEXT, { ...LINE, expires: '+3 months' })).toBe(HEADING + TEXT);
  });

  it('is read with comments and blank lines', () => {
    expect(parseHistory(`${HEADING}\n# old\n${TEXT}x\n`)).toEqual([
      LINE,
      { image: 'x', created: '', reference: '', expires: '' },
    ]);
  });
});
