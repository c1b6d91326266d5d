import { expect, it } from 'vitest';
import { indexLine } from '../../../src/image/pack.ts';

const HEAD = '   262146      4 drwxr-xr-x   2 root     root         4096 Nov 20 22:00 ';

it.each([
  ['.', '/home', '/home'],
  ['./a b', '/home', '/home/a b'],
  ['./a .b', '/home', '/home/a .b'],
  ['.', '', '/'],
  ['./etc', '', '/etc'],
  ['./\xff -> ./x', '/home', '/home/\xff -> ./x'],
])('%j of %j is indexed as %j', (name, alias, expected) => {
  const line = indexLine(Buffer.from(HEAD + name, 'latin1'), Buffer.from(alias));
  expect(line.toString('latin1')).toBe(`${HEAD}${expected}\n`);
});

it('a line without a name stays', () => {
  expect(indexLine(Buffer.from('second half'), Buffer.from('/home')).toString()).toBe('second half\n');
});
