import { expect, test } from 'vitest';
import { closingText } from '../../support/closing.ts';

test('every reason is printed once, with its number, and the counts come last', () => {
  const lines = closingText(['needs xfs: no', 'needs root: not root', 'needs root: not root'], {
    passed: 7,
    failed: 1,
    skipped: 3,
  });
  expect(lines).toEqual([
    'skipped 2 (needs root: not root)',
    'skipped 1 (needs xfs: no)',
    '7 passed, 1 failed, 3 skipped',
  ]);
});

test('without skips there is just the line of counts', () => {
  expect(closingText([], { passed: 1, failed: 0, skipped: 0 })).toEqual(['1 passed, 0 failed, 0 skipped']);
});
