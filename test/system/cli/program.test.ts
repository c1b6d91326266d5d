import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { must, ran, start } from '../../support/process.ts';
import { tempDir } from '../../support/temp.ts';
import { objectsOf, programDoing, VAULT } from './program.ts';

const VERSION = (
  JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

describe('the program', () => {
  it('prints its version', async () => {
    expect(await must([VAULT, '--version'])).toMatchObject({ out: `vault ${VERSION}\n`, err: '' });
  });
  it('prints help on request, and when there is nothing else to say', async () => {
    const asked = await must([VAULT, '--help']);
    expect(asked.out).toMatch(/^Usage: vault COMMAND/);
    const bare = await ran([VAULT]);
    expect(bare).toMatchObject({ code: 2, out: asked.out, err: '' });
  });
  it('answers a mistake in two lines', async () => {
    expect(await ran([VAULT, 'trsut', 'x'])).toMatchObject({
      code: 2,
      out: '',
      err: "vault: error: Unknown command 'trsut'.\nhint: Did you mean trust? 'vault --help' lists all commands.\n",
    });
  });
  it('loads neither commands nor their libraries for --help', async () => {
    const trace = join(tempDir(), 'trace');
    await must(['strace', '-f', '-e', 'trace=open,openat,openat2', '-o', trace, 'node', VAULT, '--help']);
    const opened = readFileSync(trace, 'utf8');
    expect(opened).toContain('commands/trust.js');
    expect(opened).not.toMatch(/\.run\.js|execa|pino|date-fns/);
  });
  it('runs from a directory that is gone', async () => {
    const program = programDoing('context.out.line(context.where.cwd); return 0');
    const script = `mkdir gone && cd gone && rmdir ../gone && exec ${program} trust x`;
    expect(await ran(['sh', '-c', script], { cwd: tempDir() })).toMatchObject({
      code: 0,
      out: '/\n',
      err: '',
    });
  });
});

describe('--json', () => {
  it.each([
    [['--json', 'trust'], 2],
    [['trsut', '--json'], 2],
    [['--json'], 2],
    [['--json', '--version'], 0],
    [['trust', '--json', '--help'], 0],
  ])('ends with one result line: %j', async (argv, exitCode) => {
    const { code, out } = await ran([VAULT, ...argv]);
    const objects = objectsOf(out);
    expect(code).toBe(exitCode);
    expect(objects.filter((each) => each['type'] === 'result')).toHaveLength(1);
    expect(objects.at(-1)).toMatchObject({ schema: 1, type: 'result', exitCode });
    expect(objects.every((each) => each['schema'] === 1)).toBe(true);
  });
  it('keeps text off stdout, and the log on stderr', async () => {
    const program = programDoing(`
      context.out.line('for people');
      context.out.note('for people');
      context.out.json({ type: 'image', name: 'x' });
      context.log.warn('mind\\nthis');
      return { exitCode: 12, fields: { images: 1 } };`);
    const result = await ran([program, 'trust', 'x', '--json']);
    expect(result.err).toBe('vault: warning: mind\\012this\n');
    expect(objectsOf(result.out)).toEqual([
      { schema: 1, type: 'image', name: 'x' },
      { schema: 1, type: 'result', exitCode: 12, images: 1 },
    ]);
    expect(result.code).toBe(12);
  });
  it('tells what went wrong', async () => {
    const program = programDoing("throw new VaultError('disk', 'No disk.', { hint: 'Plug it in.' });");
    const result = await ran([program, 'trust', 'x', '--json']);
    expect(result).toMatchObject({ code: 7, err: 'vault: error: No disk.\nhint: Plug it in.\n' });
    expect(objectsOf(result.out)).toEqual([
      {
        schema: 1,
        type: 'result',
        exitCode: 7,
        error: { kind: 'disk', message: 'No disk.', hint: 'Plug it in.' },
      },
    ]);
  });
});

describe('the log', () => {
  const program = () =>
    programDoing(`
      for (const level of ['debug', 'info', 'warn', 'error']) context.log[level](level);
      context.out.line('result');
      context.out.note('note');
      return 0;`);
  it.each([
    [[], 'vault: info\nvault: warning: warn\nvault: error: error\n', 'result\nnote\n'],
    [['--quiet'], 'vault: warning: warn\nvault: error: error\n', 'result\n'],
    [
      ['-v'],
      'vault: debug: debug\nvault: info\nvault: warning: warn\nvault: error: error\n',
      'result\nnote\n',
    ],
  ])('is as loud as asked: %j', async (argv, err, out) => {
    expect(await ran([program(), ...argv, 'trust', 'x'])).toMatchObject({ code: 0, err, out });
  });
});

describe('a bug', () => {
  it.each([
    ['thrown', "throw new TypeError('oops');"],
    ['thrown later', "setTimeout(() => { throw new TypeError('oops'); }); await new Promise(() => {});"],
    ['a rejection nobody waits for', "Promise.reject(new TypeError('oops')); await new Promise(() => {});"],
    ['no number', "throw 'oops';"],
  ])('shows where it is: %s', async (_, body) => {
    // The timer keeps the program from ending by itself.
    const result = await ran([programDoing(`setInterval(() => {}, 1e6); ${body}`), 'trust', 'x', '--json']);
    expect(result.code).toBe(1);
    expect(result.err).toMatch(/^vault: bug: oops\n/);
    expect(result.err).toContain(`vault ${VERSION}, node v`);
    expect(result.err).toContain('Please report it');
    expect(objectsOf(result.out).at(-1)).toMatchObject({
      exitCode: 1,
      error: { kind: 'bug', message: 'oops' },
    });
  });
  it('is also a command that never ends and has nothing left to do', async () => {
    const result = await ran([programDoing('await new Promise(() => {});'), 'trust', 'x', '--json']);
    expect(result.code).toBe(1);
    expect(objectsOf(result.out).at(-1)).toMatchObject({ exitCode: 1, error: { kind: 'bug' } });
  });
});

describe('signals', () => {
  const obedient = `
    const done = new Promise((resolve) => context.signal.addEventListener('abort', resolve));
    const timer = setInterval(() => {}, 1e6);
    context.out.line('ready');
    await done;
    clearInterval(timer);`;
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s stops it with 130', async (signal) => {
    const running = start([
      programDoing(`${obedient} throw new VaultError('failed', 'rsync: killed');`),
      'trust',
      'x',
    ]);
    await running.line(/ready/);
    running.signal(signal);
    expect(await running.ended).toMatchObject({
      code: 130,
      err: 'vault: interrupted, stopping; once more kills at once\nvault: error: Interrupted.\n',
    });
  });
  it('stop what waits with the signal', async () => {
    const waits = `const { setTimeout } = await import('node:timers/promises');
      context.out.line('ready'); await setTimeout(1e6, undefined, { signal: context.signal });`;
    const running = start([programDoing(waits), 'trust', 'x']);
    await running.line(/ready/);
    running.signal('SIGINT');
    expect(await running.ended).toMatchObject({
      code: 130,
      err: expect.stringContaining('error: Interrupted.'),
    });
  });
  it('give 130 also where the command ends well', async () => {
    const running = start([programDoing(`${obedient} return 0;`), 'trust', 'x']);
    await running.line(/ready/);
    running.signal('SIGTERM');
    expect((await running.ended).code).toBe(130);
  });
  it('do not hide a bug', async () => {
    const running = start([programDoing(`${obedient} throw new TypeError('oops');`), 'trust', 'x']);
    await running.line(/ready/);
    running.signal('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 1, err: expect.stringContaining('vault: bug: oops') });
  });
  it('kill at once the second time', async () => {
    const stubborn =
      "setInterval(() => {}, 1e6); context.out.json({ type: 'ready' }); await new Promise(() => {});";
    const running = start([programDoing(stubborn), 'trust', 'x', '--json']);
    await running.line(/ready/);
    running.signal('SIGINT');
    await running.line(/stopping/);
    running.signal('SIGINT');
    const { code, out } = await running.ended;
    expect(code).toBe(130);
    expect(objectsOf(out).at(-1)).toMatchObject({ type: 'result', exitCode: 130 });
  });
});

describe('output', () => {
  const LINES = 20_000;
  const much = `for (let i = 0; i < ${LINES}; i++) context.out.line('line ' + i); return 3;`;
  it('is all written before the end, to a slow reader too', async () => {
    const script = `set -o pipefail; ${programDoing(much)} trust x | { read first; wc -l; }`;
    expect(await ran(['bash', '-c', script])).toMatchObject({ code: 3, out: `${LINES - 1}\n` });
  });
  it('ends quietly when its reader is gone, while the work goes on', async () => {
    const file = join(tempDir(), 'done');
    const work = `for (let i = 0; i < ${LINES}; i++) context.out.line('line ' + i);
      await new Promise((resolve) => setImmediate(resolve));
      (await import('node:fs')).writeFileSync('${file}', 'done'); return 3;`;
    const script = `${programDoing(work)} trust x | head -n 1; exit \${PIPESTATUS[0]}`;
    expect(await ran(['bash', '-c', script])).toMatchObject({ code: 3, out: 'line 0\n', err: '' });
    expect(readFileSync(file, 'utf8')).toBe('done');
  });
  it('is a failure when the disk is full', async () => {
    const result = await ran([
      'sh',
      '-c',
      `${programDoing("context.out.line('x'); return 0;")} trust x > /dev/full`,
    ]);
    expect(result.code).toBe(4);
    expect(result.err).toBe('vault: error: Cannot write the output (ENOSPC).\n');
  });
});
