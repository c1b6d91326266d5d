import { describe, expect, it } from 'vitest';
import { findHeld, findImage, parseBranchAddress, parseImageAddress } from '../../src/address.ts';
import type { Image } from '../../src/model.ts';
import { imageOf, NOW } from './image/plans.ts';

describe('addresses', () => {
  it.each([
    ['v', { vault: 'v', branch: undefined }],
    ['v:b', { vault: 'v', branch: 'b' }],
    ['v:b:c', { vault: 'v', branch: 'b:c' }],
  ])('%s', (text, expected) => {
    expect(parseBranchAddress(text)).toEqual(expected);
  });

  it.each([
    ['v@latest', { vault: 'v', branch: undefined, when: 'latest' }],
    ['v:b@2026-11-20 22:00', { vault: 'v', branch: 'b', when: '2026-11-20 22:00' }],
  ])('%s', (text, expected) => {
    expect(parseImageAddress(text)).toEqual(expected);
  });

  it.each(['', ':b', 'v:', 'v@x', '@x'])('%j names no vault', (text) => {
    expect(() => parseBranchAddress(text)).toThrow(/"/);
  });

  it.each(['', 'v', 'v@', '@x', ':@x', 'v:@x', 'a@b@c'])('%j names no image', (text) => {
    expect(() => parseImageAddress(text)).toThrow(/"/);
  });
});

describe('images', () => {
  const HOUR = 3600;
  const images: Image[] = [
    imageOf('old', { completed: NOW - 50 * HOUR }),
    imageOf('newest', { completed: NOW - HOUR }),
    imageOf('middle', { completed: NOW - 26 * HOUR }),
    imageOf('held', { completed: NOW, verdict: 'held' }),
    imageOf('bare', { completed: NOW, hasTree: false }),
    imageOf('weekly', { branch: 'weekly', completed: NOW - 2 * HOUR }),
  ];
  const find = (when: string, branch?: string, among = images) =>
    findImage({ vault: 'v', branch, when }, among, NOW, 'UTC').name;

  it.each([
    ['latest', undefined, 'newest'],
    ['latest', 'weekly', 'weekly'],
    ['held', undefined, 'held'],
    ['weekly', undefined, 'weekly'],
    ['2026-11-20 20:59', undefined, 'middle'],
    ['2026-11-20', undefined, 'newest'],
    ['2026-11-19', undefined, 'middle'],
    ['2026-11-18', undefined, 'old'],
  ])('%s of branch %s is %s', (when, branch, expected) => {
    expect(find(when, branch)).toBe(expected);
  });

  it('without a branch are of the default one, else of the only one', () => {
    const weekly = images.filter(({ branch }) => branch === 'weekly');
    expect(find('latest', undefined, weekly)).toBe('weekly');
    const several = [...weekly, imageOf('x', { branch: 'monthly' })];
    expect(() => find('latest', undefined, several)).toThrow(/several branches: weekly, monthly/);
  });

  it.each([
    ['2020-01-01', undefined, /no good image/],
    ['latest', 'nothing', /no good image/],
    ['whenever it was', undefined, /neither an image .* nor a date/],
    ['old', 'weekly', /neither an image .* nor a date/],
  ])('%s of branch %s is none', (when, branch, message) => {
    expect(() => find(when, branch)).toThrow(message);
  });
});

describe('what is to be accepted', () => {
  const HOUR = 3600;
  const good = imageOf('good', { completed: NOW - 50 * HOUR });
  const held = imageOf('held', { completed: NOW - 26 * HOUR, verdict: 'held' });
  const again = imageOf('again', { completed: NOW - 2 * HOUR, verdict: 'held' });
  const after = imageOf('after', { completed: NOW - HOUR });
  const weekly = imageOf('weekly', { branch: 'weekly', completed: NOW - HOUR, verdict: 'held' });
  const find = (when: string, among: readonly Image[], branch?: string) =>
    findHeld({ vault: 'v', branch, when }, among, NOW, 'UTC').name;

  it.each([
    ['latest', 'again'],
    ['2026-11-20', 'again'],
    ['2026-11-19', 'held'],
    ['held', 'held'],
  ])('%s is a held image: %s', (when, expected) => {
    expect(find(when, [good, held, again, weekly])).toBe(expected);
    expect(find(when, [good, held, again, after])).toBe(expected);
  });

  it('is of the branch that is named, or of the default one', () => {
    expect(find('latest', [good, held, weekly], 'weekly')).toBe('weekly');
    expect(find('latest', [good, held, weekly])).toBe('held');
    expect(() => find('latest', [good, weekly])).toThrow(/Vault v has no held image/);
  });

  it('is no good image that held ones follow: they are named', () => {
    expect(() => find('good', [good, held, again])).toThrow(
      'good is good already; held after it: held, again.',
    );
    expect(() => find('2026-11-18', [good, held])).toThrow(/held after it: held\./);
    expect(find('after', [good, held, after])).toBe('after');
    expect(find('2026-11-20', [good, weekly])).toBe('good');
  });
});
