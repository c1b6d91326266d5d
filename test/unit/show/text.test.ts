import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, textOf } from '../../../src/raw-text.ts';
import { jsonPath, showPath } from '../../../src/show/path.ts';
import { pad, printable, shorten, textWidth, wrap } from '../../../src/show/text.ts';

const bytes = (...values: number[]) => Buffer.from(values);

describe('printable', () => {
  it('leaves what people write', () => {
    expect(printable("Größe 10 µm, 日本語, l'été")).toBe("Größe 10 µm, 日本語, l'été");
  });
  it('shows what a terminal would obey', () => {
    expect(printable('a\nb\tc\u001b[2Jd\u007f\u009b')).toBe('a\\012b\\011c\\033[2Jd\\177\\302\\233');
  });
  it('shows what would turn the direction of writing', () => {
    expect(printable('gpj.\u202Eexe\u2028')).toBe('gpj.\\342\\200\\256exe\\342\\200\\250');
  });
});

describe('showPath', () => {
  it('shows UTF-8 as it is', () => expect(showPath(Buffer.from('home/Jörg/日記'))).toBe('home/Jörg/日記'));
  it('escapes the bytes that are none', () => {
    expect(showPath(bytes(0x61, 0xff, 0xc3, 0xa4, 0xc3))).toBe('a\\377ä\\303');
  });
  it('escapes overlong forms and encoded surrogates', () => {
    expect(showPath(bytes(0xc0, 0xaf, 0xed, 0xa0, 0x80))).toBe('\\300\\257\\355\\240\\200');
  });
  it('keeps backslashes readable, and names apart', () => {
    expect(showPath(Buffer.from('dev-disk\\x2duuid'))).toBe('dev-disk\\x2duuid');
    expect(showPath(Buffer.from('a\\377'))).toBe('a\\134377');
    expect(showPath(bytes(0x61, 0xff))).toBe('a\\377');
  });
  it('never shows two names alike', () => {
    const name = fc.uint8Array({ maxLength: 6 }).map((each) => Buffer.from(each));
    const odd = fc.array(fc.constantFrom('\\', '3', '7', '\n', '\u0080', 'é'), { maxLength: 6 });
    const any = fc.oneof(
      name,
      odd.map((each) => Buffer.from(each.join(''))),
    );
    fc.assert(
      fc.property(any, any, (one, other) => one.equals(other) || showPath(one) !== showPath(other)),
      { numRuns: 2000 },
    );
  });
});

describe('textOf and bytesOf', () => {
  it('lose no byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (each) =>
        bytesOf(textOf(each)).equals(Buffer.from(each)),
      ),
      { numRuns: 2000 },
    );
  });
  it('decode valid text as everybody does', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (each) => textOf(Buffer.from(each)) === each));
  });
});

describe('jsonPath', () => {
  it('adds the bytes only where text loses something', () => {
    expect(jsonPath(Buffer.from('étc'))).toEqual({ path: 'étc' });
    expect(jsonPath(bytes(0x61, 0xff))).toEqual({ path: 'a\ufffd', pathB64: 'Yf8=' });
  });
});

describe('widths', () => {
  it('counts cells, not characters', () => {
    expect(textWidth('abc')).toBe(3);
    expect(textWidth('日本')).toBe(4);
    expect(textWidth('e\u0301')).toBe(1);
  });
  it('pads on either side and never cuts', () => {
    expect(pad('日', 4)).toBe('日  ');
    expect(pad('7', 3, 'right')).toBe('  7');
    expect(pad('long', 2)).toBe('long');
  });
  it('shortens in the middle', () => {
    expect(shorten('laptop-of-the-boss-home', 12)).toBe('laptop…-home');
    expect(shorten('short', 12)).toBe('short');
    expect(textWidth(shorten('日本語日本語日本語', 7))).toBeLessThanOrEqual(7);
  });
});

describe('wrap', () => {
  it('breaks at spaces only', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('an incomprehensibilities b', 6)).toEqual(['an', 'incomprehensibilities', 'b']);
  });
  it('keeps paragraphs', () => expect(wrap('a\n\nb', 10)).toEqual(['a', '', 'b']));
});
