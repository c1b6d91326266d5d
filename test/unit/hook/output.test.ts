import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { gatherOutput, harmless } from '../../../src/hook/output.ts';

function gathered(...chunks: readonly (string | Buffer)[]): readonly string[] {
  const output = gatherOutput();
  for (const chunk of chunks) output.add(Buffer.from(chunk as string));
  return output.lines();
}

describe('output', () => {
  it('comes as lines, wherever it was cut', () => {
    expect(gathered('a\nb', 'c\r\n', '\nd')).toEqual(['a', 'bc', '', 'd']);
    expect(gathered()).toEqual([]);
  });

  it('gives the lines that are new at once', () => {
    const output = gatherOutput();
    expect(output.add(Buffer.from('a\nb'))).toEqual(['a']);
    expect(output.add(Buffer.from('\n'))).toEqual(['b']);
  });

  it('breaks lines without end', () => {
    const lines = gathered('x'.repeat(10_000));
    expect(lines.map((line) => line.length)).toEqual([4096, 4096, 1808]);
  });

  it('keeps head and tail, and counts what is between', () => {
    const all = Array.from({ length: 50_000 }, (_, index) => `line ${index}`);
    const lines = gathered(all.join('\n'), '\n');
    expect(lines[0]).toBe('line 0');
    expect(lines.at(-1)).toBe('line 49999');
    const cut = lines.find((line) => line.startsWith('[vault: ')) ?? '';
    const [, count = '', bytes = ''] = /(\d+) lines, (\d+) bytes/.exec(cut) ?? [];
    expect(Number(count) + lines.length - 1).toBe(50_000);
    const kept = lines.filter((line) => line !== cut).join('\n').length + 1;
    expect(Number(bytes) + kept).toBe(all.join('\n').length + 1);
    expect(lines.join('\n').length).toBeLessThan(2 * 64 * 1024 + 1000);
  });

  it('quotes its last lines', () => {
    const output = gatherOutput();
    output.add(Buffer.from('1\n2\n3\n4\n5\n6\n\n  \n'));
    expect(output.lastLines()).toEqual(['2', '3', '4', '5', '6']);
  });
});

describe('what a terminal would obey', () => {
  it.each([
    ['\u001b[31mred', '\\033[31mred'],
    ['tab\tstays', 'tab\tstays'],
    ['umläut', 'umläut'],
    ['\u202eright to left', '\\342\\200\\256right to left'],
  ])('%j', (text, shown) => {
    expect(harmless(Buffer.from(text))).toBe(shown);
  });

  it('is never left, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const shown = harmless(Buffer.from(bytes).filter((byte) => byte !== 10) as Buffer);
        expect(/[\p{Cc}\p{Cf}\p{Cs}]/u.test(shown.replaceAll('\t', ''))).toBe(false);
      }),
    );
  });
});
