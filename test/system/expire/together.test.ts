import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkBank } from '../../support/invariants.ts';
import { needs } from '../../support/needs.ts';
import { mustSync, ran, start, type Running } from '../../support/process.ts';
import { snapshotTree } from '../../support/tree.ts';
import { rsyncDoing } from '../dirvish/both.ts';
import { historyOf } from '../run/place.ts';
import { AHEAD, makeGround, PAST } from './ground.ts';

needs('root', 'rsync');

const CLOCK = 'max-clock-jump: 9999 days\n';

/** Somebody who has the lock of a directory until he is stopped. */
async function holding(directory: string): Promise<Running> {
  const holder = start(['flock', '-x', directory, 'sh', '-c', 'echo held; exec sleep 100']);
  await holder.line(/held/);
  return holder;
}

async function appearance(path: string): Promise<void> {
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('expires and runs at once', () => {
  it('ten of each: nothing is broken, nothing goes that was to stay, all that was to go is gone', async () => {
    const ground = makeGround({ master: CLOCK });
    for (let index = 0; index < 8; index += 1) {
      ground.written(`old${index}`, { completed: `2026-01-0${index + 1} 22:00:00` });
    }
    ground.written('stays', { completed: '2026-01-09 22:00:00', expire: AHEAD });
    const earlier = new Map([['v/stays', snapshotTree(`${ground.vault}/stays/tree`)]]);
    const calls = Array.from({ length: 10 }, (_, index) => [
      ground.call(['run', 'v', '--image', `new${index}`, '--expire', '+1 year', '--lock-wait', '2m']),
      ground.call(['expire', '--time', 'now']),
    ]).flat();
    const results = await Promise.all(calls);
    for (const { code, err } of results) expect(code, err).toBe(0);
    expect(results.every(({ err }) => !/bug/.test(err))).toBe(true);
    const left = ground.images().filter((name) => !name.startsWith('new'));
    expect(left).toEqual(['stays']);
    expect(ground.images()).toHaveLength(11);
    expect(ground.dotted()).toEqual([]);
    expect(checkBank(ground.bank, { earlier, sources: [snapshotTree(ground.source)] })).toEqual([]);
    const history = historyOf(ground.vault).map(([image]) => image);
    expect(history.toSorted()).toEqual(ground.images());
  });
});

describe('a run that is made against an image that has expired', () => {
  it('keeps it while it runs, and is not disturbed', async () => {
    const ground = makeGround({ master: CLOCK });
    ground.written('first', { completed: '2026-01-01 22:00:00' });
    ground.written('second', { completed: '2026-01-02 22:00:00' });
    ground.written('third', { completed: '2026-01-03 22:00:00' });
    const gate = `${ground.home}/gate`;
    mustSync(['mkfifo', gate]);
    const waiting = `case "$*" in *--version*) ;; *) [ -p ${gate} ] && { cat ${gate}; rm -f ${gate}; };; esac`;
    const rsync = rsyncDoing(ground.home, 'rsync', `${waiting}\nexec rsync "$@"`);
    ground.configure(`rsync: ${rsync}\n`);
    const running = ground.begin(['run', 'v', '--image', 'made', '--reference', 'first']);
    await running.line(/scanning/);
    expect(readFileSync(`${ground.vault}/.incomplete-made/attempt`, 'utf8').split('\n')[1]).toBe('first');
    const { code, plan } = await ground.expire('--time', 'now');
    expect(code).toBe(0);
    expect(plan.get('first')).toEqual({ action: 'keep', codes: ['in-use'] });
    expect(ground.images()).toEqual(['first', 'third']);
    writeFileSync(gate, 'go on');
    const made = await running.ended;
    expect(made.code, made.err).toBe(0);
    expect(ground.images()).toEqual(['first', 'made', 'third']);
    await ground.expire('--time', 'now');
    expect(ground.images()).toEqual(['made']);
  });

  it('fails when it is gone before the run has said that it needs it', async () => {
    const ground = makeGround({ master: CLOCK });
    ground.written('first', { completed: '2026-01-01 22:00:00' });
    ground.written('second', { completed: '2026-01-02 22:00:00' });
    const lock = await holding(`${ground.vault}/dirvish`);
    const running = ground.begin(['run', 'v', '--image', 'made', '--reference', 'first']);
    await appearance(`${ground.vault}/.incomplete-made`);
    mustSync(['rm', '-r', `${ground.vault}/first`]);
    await lock.stop();
    const { code, err } = await running.ended;
    expect([code, /expired meanwhile/.test(err)]).toEqual([4, true]);
    expect(ground.images()).toEqual(['second']);
    expect(ground.dotted()).toEqual([]);
  });
});

describe("dirvish's own run", () => {
  it('is known by its lock file: what it makes and what that is made against stay', async () => {
    const ground = makeGround();
    ground.written('base', { completed: '2026-01-01 22:00:00' });
    ground.written('newest', { completed: '2026-01-03 22:00:00' });
    ground.written('making', { completed: '2026-01-02 22:00:00', status: '', more: ['Reference: base'] });
    mustSync([
      'sed',
      '-i',
      '-e',
      '/^Reference: default/d',
      '-e',
      '/^Backup-complete/d',
      `${ground.vault}/making/summary`,
    ]);
    writeFileSync(`${ground.vault}/dirvish/lock_file`, '1\n');
    const { plan } = await ground.expire('--dry-run', '--time', 'now');
    expect(plan.get('base')?.codes).toEqual(['in-use']);
    expect(plan.get('making')?.codes).toEqual(['in-use']);
    mustSync(['rm', `${ground.vault}/dirvish/lock_file`]);
    const without = await ground.expire('--dry-run', '--time', 'now');
    expect(without.plan.get('base')?.action).toBe('delete');
  });
});

describe('the second look', () => {
  it('keeps what is not what was judged: the branch was frozen meanwhile', async () => {
    const ground = makeGround();
    for (const [index, name] of ['a', 'b', 'newest'].entries()) {
      ground.written(name, { completed: `2026-01-0${index + 1} 22:00:00` });
    }
    const lock = await holding(`${ground.vault}/dirvish`);
    const running = ground.begin(['expire', '--time', 'now', '--json']);
    await running.line(/"type":"plan"/);
    ground.written('held', {
      completed: '2026-01-04 22:00:00',
      status: 'error (held) -- much',
      more: ['Vault-verdict: held'],
    });
    await lock.stop();
    const { code, err } = await running.ended;
    expect(code).toBe(0);
    expect(err).toMatch(/v\/a: kept after all: frozen/);
    expect(ground.images()).toEqual(['a', 'b', 'held', 'newest']);
  });

  it('keeps another directory of the same name', async () => {
    const ground = makeGround();
    for (const [index, name] of ['a', 'newest'].entries()) {
      ground.written(name, { completed: `2026-01-0${index + 1} 22:00:00` });
    }
    const lock = await holding(`${ground.vault}/dirvish`);
    const running = ground.begin(['expire', '--time', 'now', '--json']);
    await running.line(/"type":"plan"/);
    mustSync(['mv', `${ground.vault}/a`, `${ground.home}/aside`]);
    mustSync(['cp', '-a', `${ground.home}/aside`, `${ground.vault}/a`]);
    await lock.stop();
    const { code, err } = await running.ended;
    expect([code, /v\/a: it is another image/.test(err)]).toEqual([0, true]);
    expect(ground.images()).toEqual(['a', 'newest']);
  });
});

describe('the bank', () => {
  it('that is being unmounted is not touched: exit 6', async () => {
    const ground = makeGround();
    ground.written('a', { completed: '2026-01-01 22:00:00', expire: PAST });
    ground.written('b', { completed: '2026-01-02 22:00:00' });
    const { code } = await ran([
      'flock',
      '-x',
      ground.bank,
      ...ground.argv('expire', '--time', 'now', '--lock-wait', '0'),
    ]);
    expect(code).toBe(6);
    expect(ground.images()).toEqual(['a', 'b']);
  });
});

describe('the clock', () => {
  it('deletes nothing before the last run, nor long after it, until somebody has looked at it', async () => {
    const ground = makeGround();
    mkdirSync(`${ground.home}/state`, { recursive: true });
    ground.written('a', { completed: '2026-01-01 22:00:00' });
    const day = async (at: string, ...args: readonly string[]) => (await ground.call(args, { at })).code;
    expect(await day('2026-03-01 22:00:00', 'run', 'v', '--expire', '+1 day')).toBe(0);
    expect(await day('2026-02-28 12:00:00', 'expire')).toBe(10);
    expect(await day('2026-04-10 22:00:00', 'expire')).toBe(10);
    // A run that goes by the wrong clock does not make it right.
    expect(await day('2026-04-10 22:00:00', 'run', 'v', '--expire', '+1 day')).toBe(0);
    expect(await day('2026-04-10 23:00:00', 'expire')).toBe(10);
    expect(await day('2026-04-10 23:00:00', 'expire', '--dry-run')).toBe(10);
    expect(ground.images()).toHaveLength(3);
    expect(await day('2026-04-10 23:00:00', 'expire', '--time', 'now')).toBe(0);
    expect(ground.images()).toHaveLength(1);
    expect(await day('2026-04-12 23:00:00', 'expire')).toBe(0);
  });

  it('of a server that never ran is measured by the newest image, so that a disk from the shelf is no jump', async () => {
    const ground = makeGround();
    ground.written('a', { completed: '2026-01-01 22:00:00' });
    ground.written('b', { completed: '2026-01-02 22:00:00' });
    expect((await ground.call(['expire'])).code).toBe(10);
    // Another disk has had its runs all the time.
    mkdirSync(`${ground.home}/state/runs`, { recursive: true });
    const run = {
      schema: 1,
      vault: 'other',
      branch: 'default',
      ended: Math.floor(Date.now() / 1000),
      result: 'good',
    };
    writeFileSync(`${ground.home}/state/runs/other:default.json`, JSON.stringify(run));
    expect((await ground.call(['expire'])).code).toBe(0);
    expect(ground.images()).toEqual(['b']);
  });
});
