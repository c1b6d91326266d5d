import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lacks, needs } from '../../support/needs.ts';
import { ran, type Ran } from '../../support/process.ts';
import { tempDir } from '../../support/temp.ts';

needs('mount');

const ROOT = new URL('../../..', import.meta.url).pathname;

/** A run of vitest with the project's reporter, on one file that needs a program that is not in its PATH. */
function nested(env: Readonly<Record<string, string | undefined>>): Promise<Ran> {
  const directory = tempDir('nested');
  const needs = `import { needs } from '${ROOT}test/support/needs.ts';`;
  writeFileSync(
    `${directory}/one.test.ts`,
    `import { describe, test } from 'vitest'; ${needs}
     describe('some', () => { needs('rsnapshot'); test('one', () => { throw new Error('must not run'); }); test('two', () => {}); });
     test('three', () => {});`,
  );
  writeFileSync(
    `${directory}/vitest.config.ts`,
    `import { closing } from '${ROOT}test/support/closing.ts';
     export default { test: { include: ['*.test.ts'], reporters: ['default', closing()] } };`,
  );
  const argv = [process.execPath, `${ROOT}node_modules/vitest/vitest.mjs`, 'run', '--root', directory];
  // rsnapshot is looked for in the usual places too, so these are given to a machine that has none of it.
  const hidden = [
    'unshare',
    '--mount',
    'sh',
    '-c',
    'mount --bind /dev/null "$(command -v rsnapshot)" && exec "$@"',
    'sh',
  ];
  const hide = lacks('rsnapshot') === undefined ? hidden : [];
  return ran([...hide, ...argv], { env: { VITEST: undefined, CI: undefined, ...env } });
}

test('what is lacking skips its tests, and the reason stands at the end of the run', async () => {
  const { code, out } = await nested({});
  expect(out.trimEnd().split('\n').slice(-2)).toEqual([
    'skipped 2 (needs rsnapshot: rsnapshot is not installed)',
    '1 passed, 0 failed, 2 skipped',
  ]);
  expect(code).toBe(0);
});

test('what is lacking in CI is a failure', async () => {
  const { code, out, err } = await nested({ CI: 'true' });
  expect(err).toMatch(/CI has to provide everything, but needs rsnapshot/);
  expect(out.trimEnd().split('\n').at(-1)).toBe('0 passed, 1 failed, 0 skipped');
  expect(code).toBe(1);
});
