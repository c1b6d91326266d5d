import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { dirvish } from '../../support/dirvish.ts';
import { needs } from '../../support/needs.ts';
import { tempDir } from '../../support/temp.ts';

needs('root', 'dirvish', 'faketime');

function vault(): { bank: string; master: string } {
  const directory = tempDir();
  const bank = `${directory}/bank`;
  mkdirSync(`${bank}/v/dirvish`, { recursive: true });
  mkdirSync(`${directory}/source`);
  writeFileSync(`${directory}/source/file`, 'text');
  writeFileSync(
    `${bank}/v/dirvish/default.conf`,
    `client: ${hostname()}\ntree: ${directory}/source\nxdev: 0\n`,
  );
  const master = `bank:\n\t${bank}\nimage-default: %Y%m%d\nexpire-default: +1 day\nlog: text\nindex: none\n`;
  return { bank, master };
}

test('the real programs run with a configuration of their own, at a time of their own', async () => {
  const before = readFileSync('/proc/self/mountinfo', 'utf8');
  const { bank, master } = vault();
  const at = '2026-01-02 03:04:05';
  const init = await dirvish('dirvish', ['--vault', 'v', '--init'], { master, at });
  expect(init).toMatchObject({ code: 0, err: '' });
  expect(readFileSync(`${bank}/v/20260102/summary`, 'utf8')).toMatch(/^Status: success$/m);
  expect(readFileSync(`${bank}/v/20260102/tree/file`, 'utf8')).toBe('text');

  const second = await dirvish('dirvish', ['--vault', 'v'], { master, at: '2026-01-03 03:04:05' });
  expect(second.code).toBe(0);

  const expire = await dirvish('dirvish-expire', ['--no-run'], { master, at: '2026-01-03 12:00:00' });
  expect(expire.out).toMatch(/v:default\s+20260102/);
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before);
});
