import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { inNamespace, startInNamespace } from '../../support/namespace.ts';
import { needs } from '../../support/needs.ts';
import { isAlive, must, ran, start } from '../../support/process.ts';
import { tempDir, withTempDir } from '../../support/temp.ts';

const CLEANUP = new URL('../../support', import.meta.url).pathname;

test('a case has its directory no longer than it lasts, even when it fails', async () => {
  let seen = '';
  const failing = withTempDir((directory) => {
    seen = directory;
    mkdirSync(`${directory}/locked`, { mode: 0 });
    throw new Error('as it should');
  });
  await expect(failing).rejects.toThrow('as it should');
  expect(seen).not.toBe('');
  expect(existsSync(seen)).toBe(false);
});

/** A run of vitest by itself, on one file, to see what is left of it. */
async function nested(text: string, kill: boolean): Promise<string> {
  const directory = tempDir('nested');
  const told = `${directory}/told`;
  writeFileSync(`${directory}/one.test.ts`, text.replaceAll('SUPPORT', CLEANUP).replaceAll('TOLD', told));
  const config = `export default { test: { include: ['*.test.ts'], root: '${directory}' }, server: { fs: { strict: false } } };`;
  writeFileSync(`${directory}/vitest.config.mjs`, config);
  const argv = [
    process.execPath,
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config',
    `${directory}/vitest.config.mjs`,
  ];
  const running = start([...argv, '--root', directory], { env: { VITEST: undefined } });
  if (kill) {
    await running.line(/waiting/);
    await running.stop();
  }
  await running.ended;
  return readFileSync(told, 'utf8');
}

const LEAVES = `
  import { writeFileSync } from 'node:fs';
  import { expect, test } from 'vitest';
  import { tempDir } from 'SUPPORT/temp.ts';
  import { start } from 'SUPPORT/process.ts';
  test('one', async () => {
    const directory = tempDir();
    const child = start(['sleep', '1000']);
    writeFileSync('TOLD', directory + ' ' + child.pid);
    WHAT
  });
`;

async function gone(told: string): Promise<boolean> {
  const [directory = '', pid = ''] = told.split(' ');
  expect(directory).toMatch(/vault-test-dir/);
  const deadline = Date.now() + 10_000;
  while (existsSync(directory) || isAlive(Number(pid))) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}

describe('nothing is left', () => {
  test('of a failed test', async () => {
    expect(await gone(await nested(LEAVES.replace('WHAT', 'expect(1).toBe(2);'), false))).toBe(true);
  });

  test('of a run that was killed', async () => {
    const waiting = `process.stdout.write('waiting\\n'); await new Promise((done) => setTimeout(done, 1e6));`;
    expect(await gone(await nested(LEAVES.replace('WHAT', waiting), true))).toBe(true);
  });
});

describe('a program', () => {
  test('that runs too long is killed, with its children', async () => {
    const result = await ran(['sh', '-c', 'sleep 1000 & echo $!; wait'], { timeoutMs: 200 });
    expect(result.signal).toBe('SIGKILL');
    expect(isAlive(Number(result.out))).toBe(false);
  });

  test('that fails is told with what it said', async () => {
    await expect(must(['sh', '-c', 'echo sorry >&2; exit 3'])).rejects.toThrow(/3\nsorry/);
  });

  test('that ends without the awaited line is an error', async () => {
    await expect(start(['echo', 'something']).line(/else/)).rejects.toThrow(/something/);
  });
});

describe('in a namespace', () => {
  needs('namespace');

  test('mounts and processes are of its own', async () => {
    const directory = tempDir();
    const script = `mount -t tmpfs none ${directory} && touch ${directory}/file && ls ${directory} && echo $$`;
    const result = await inNamespace(['sh', '-c', script]);
    expect(result.out).toBe('file\n1\n');
    expect(existsSync(`${directory}/file`)).toBe(false);
  });

  test('all processes end with it', async () => {
    const running = startInNamespace(['sh', '-c', 'setsid sleep 1000 & echo ready; wait']);
    await running.line(/ready/);
    await running.stop();
    expect((await running.ended).signal).toBe('SIGKILL');
  });
});
