import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { must, ran } from '../../support/process.ts';
import { tempDir } from '../../support/temp.ts';
import { objectsOf, VAULT } from '../cli/program.ts';

/** A configuration with one vault, `etc`; its directory. */
function configured(vault = 'client: localhost\ntree: /etc\nxdev: 1\n'): string {
  const directory = tempDir('config');
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  };
  write('master.conf', `bank:\n\t${directory}/bank\nRunall:\n\tetc 22:00\n`);
  write('bank/etc/dirvish/default.conf', vault);
  return directory;
}

describe('vault config', () => {
  it('show tells every value and its place', async () => {
    const directory = configured();
    const shown = await must([VAULT, 'config', 'show', 'etc', '--config', `${directory}/master.conf`]);
    expect(shown.out).toMatch(new RegExp(`^tree +/etc +${directory}/bank/etc/dirvish/default.conf:2$`, 'm'));
    expect(shown.out).toMatch(/^xattrs +1 +default$/m);
    const env = { VAULT_CONFIG: `${directory}/master.conf` };
    const objects = objectsOf((await must([VAULT, 'config', 'show', 'etc', '--json'], { env })).out);
    expect(objects.find((each) => each['name'] === 'xdev')).toMatchObject({
      schema: 1,
      type: 'option',
      value: '1',
      layer: 'vault',
      line: 3,
    });
    expect(objects.at(-1)).toMatchObject({ type: 'result', exitCode: 0 });
  });

  it('check tells all that is wrong, and that nothing is', async () => {
    const good = configured();
    const fine = await must([VAULT, 'config', 'check', '--config', `${good}/master.conf`]);
    expect(fine).toMatchObject({ out: '2 files read, no problems\n', err: '' });
    const bad = configured('clinet: localhost\ntree: etc\n');
    const place = `${bad}/bank/etc/dirvish/default.conf`;
    const failed = await ran([VAULT, 'config', 'check', '--config', `${bad}/master.conf`]);
    expect([failed.code, failed.err.split('\n')[0]]).toEqual([
      8,
      'vault: error: There are 3 problems in the configuration.',
    ]);
    expect(failed.err).toContain(`${place}:1: clinet: no such option; did you mean "client"?\n`);
    expect(failed.err).toContain(`${place}:2: tree: "etc" is neither an absolute path`);
    expect(failed.err).toContain(`${place}: has no client:\n`);
  });

  it.each([
    [2, ['config', 'show', '../etc']],
    [2, ['config', 'show', '--', '-etc']],
    [8, ['config', 'show', 'other']],
    [8, ['config', 'show', 'etc', '--config', '/nowhere/master.conf']],
  ])('ends with %d for %j', async (code, args) => {
    const env = { VAULT_CONFIG: `${configured()}/master.conf` };
    const result = await ran([VAULT, ...args], { env });
    expect([result.code, result.out]).toEqual([code, '']);
  });

  it('refuses a file that others could have changed', async () => {
    const directory = configured();
    chmodSync(`${directory}/bank/etc/dirvish`, 0o777);
    const env = { VAULT_CONFIG: `${directory}/master.conf` };
    for (const args of [['show', 'etc'], ['check']]) {
      const result = await ran([VAULT, 'config', ...args], { env });
      expect([result.code, result.err]).toEqual([10, expect.stringContaining('is writable by everyone')]);
    }
  });

  it('is not there when the bank is not', async () => {
    const directory = configured();
    writeFileSync(`${directory}/master.conf`, `bank:\n\t${directory}/disk\n`);
    const result = await ran([VAULT, 'config', 'show', 'etc', '--config', `${directory}/master.conf`]);
    expect([result.code, result.err.split('\n').at(-2)]).toEqual([7, 'hint: Is the disk mounted?']);
  });
});
