import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { must, mustSync } from '../../support/process.ts';
import { needs } from '../../support/needs.ts';
import { changesSince, snapshotTree } from '../../support/tree.ts';
import { historyOf } from '../run/place.ts';
import { makeFour, type Ground } from './ground.ts';

needs('root', 'faketime');

let ground: Ground;

beforeEach(() => {
  ground = makeFour();
});

describe('expire', () => {
  it('deletes what its dry run says, and nothing else', async () => {
    const before = snapshotTree(`${ground.vault}/newest/tree`);
    const foretold = await ground.expire('--dry-run', '--time', 'now');
    expect(foretold.code).toBe(0);
    expect(ground.images()).toEqual(['kept', 'newest', 'old', 'older']);
    expect(foretold.plan.get('newest')).toEqual({ action: 'keep', codes: ['newest-good'] });
    expect(foretold.plan.get('kept')).toEqual({ action: 'keep', codes: ['date'] });

    const done = await ground.expire('--time', 'now');
    expect([done.code, done.err]).toEqual([0, '']);
    expect([...done.plan]).toEqual([...foretold.plan]);
    expect([...done.outcomes].toSorted()).toEqual([
      ['old', 'deleted'],
      ['older', 'deleted'],
    ]);
    expect(done.result).toMatchObject({ type: 'result', exitCode: 0, deleted: 2, failed: 0 });
    expect(ground.images()).toEqual(['kept', 'newest']);
    expect(ground.dotted()).toEqual([]);
    expect(historyOf(ground.vault).map(([image]) => image)).toEqual(['kept', 'newest']);
    expect(changesSince(before, ground.tree('newest'))).toEqual([]);

    const again = await ground.expire('--time', 'now');
    expect([again.code, again.outcomes.size]).toEqual([0, 0]);
  });

  it('shows a table with a reason for each, and where it stands', async () => {
    writeFileSync(`${ground.home}/master.conf`, `${ground.master}keep:\n\tlast 3\n`, { mode: 0o600 });
    const { out, code } = await ground.call(['expire', '--dry-run', '--time', 'now', '--bytes']);
    expect(code).toBe(0);
    expect(out).toMatch(/older +2026-01-09 22:00 +good +delete +[\d.]+ k?B +expired 2026-01-31 22:00/);
    expect(out).toMatch(/newest +2026-01-12 22:00 +good +keep +- +newest good; keep: last 3 \[1\]/);
    expect(out).toContain(`[1] keep: last 3 (${ground.home}/master.conf:5)`);
    expect(out).toMatch(/1 image to delete, which frees [\d.]+ k?B; 3 images to keep\./);
    expect(out.split('\n').every((line) => line.length <= 80 || line.includes('/'))).toBe(true);
  });

  it('looks at one vault or branch alone when told to', async () => {
    ground.written('w1', { completed: '2026-01-05 22:00:00', branch: 'weekly' });
    ground.written('w2', { completed: '2026-01-06 22:00:00', branch: 'weekly' });
    const { plan } = await ground.expire('v:weekly', '--time', 'now');
    expect([...plan.keys()]).toEqual(['w1', 'w2']);
    expect(ground.images()).toEqual(['kept', 'newest', 'old', 'older', 'w2']);
    expect((await ground.expire('nosuch')).code).toBe(2);
  });

  it('takes only trees away with --tree, so that the rest can still be read, and later the rest', async () => {
    const { code, outcomes } = await ground.expire('--tree', '--time', 'now');
    expect([code, outcomes.size]).toEqual([0, 2]);
    expect(readdirSync(`${ground.vault}/old`).toSorted()).toEqual(['log', 'summary']);
    expect(ground.dotted()).toEqual([]);
    const list = await ground.call(['list', 'v']);
    expect(list.out).toMatch(/old .*tree expired/);
    expect((await ground.expire('--tree', '--time', 'now')).outcomes.size).toBe(0);
    expect((await ground.expire('--time', 'now')).outcomes.size).toBe(2);
    expect(ground.images()).toEqual(['kept', 'newest']);
  });

  it('stops at its budget with everything out of sight, and goes on the next day', async () => {
    const first = await ground.expire('--time', 'now', '--budget', '0');
    expect([first.code, first.result['stopped']]).toEqual([0, true]);
    expect(ground.images()).toEqual(['kept', 'newest']);
    expect(ground.dotted()).toEqual(['.deleting-old', '.deleting-older']);
    expect(readdirSync(`${ground.vault}/.deleting-old`)).not.toContain('summary');
    expect((await ground.expire('--time', 'now')).code).toBe(0);
    expect(ground.dotted()).toEqual([]);
  });
});

describe('bad input deletes nothing', () => {
  const unchanged = () => expect(ground.images()).toEqual(['kept', 'newest', 'old', 'older']);

  it('a mistake in a rule, a date or a keep list: exit 8, all of them with their lines', async () => {
    const broken =
      'keep:\n\tdaily\n\tlast 0\nexpire-rule:\n\t* * * * funday +3 months\nexpire-default: +3 mons\n';
    writeFileSync(`${ground.home}/master.conf`, `${ground.master}${broken}`, { mode: 0o600 });
    const { code, err } = await ground.call(['expire', '--time', 'now']);
    expect(code).toBe(8);
    for (const line of [5, 6, 8, 9]) expect(err).toContain(`${ground.home}/master.conf:${line}: `);
    unchanged();
  });

  it("a mistake in one vault's own file", async () => {
    ground.configure('keep:\n\tdayly 3\n');
    const { code, err } = await ground.call(['expire', '--time', 'now']);
    expect([code, err.includes('dirvish/default.conf:4: keep: ')]).toEqual([8, true]);
    unchanged();
  });

  it('a time that is none, a plot of nothing, a simulation of nothing', async () => {
    for (const args of [
      ['--time', 'soon'],
      ['--plot', 'x.svg'],
      ['v', '--simulate', '0'],
      ['--simulate', '9d'],
      ['--jobs', '0'],
    ]) {
      expect((await ground.call(['expire', ...args])).code, args.join(' ')).toBe(2);
    }
    unchanged();
  });

  it('a bank that is not there: exit 7; of several, the others go on', async () => {
    const other = `${ground.home}/nowhere`;
    writeFileSync(`${ground.home}/master.conf`, ground.master.replace('bank:\n', `bank:\n\t${other}\n`), {
      mode: 0o600,
    });
    const both = await ground.call(['expire', '--time', 'now', '--dry-run']);
    expect([both.code, both.err.includes(other)]).toEqual([0, true]);
    renameSync(ground.bank, `${ground.bank}.away`);
    expect((await ground.call(['expire', '--time', 'now'])).code).toBe(7);
    renameSync(`${ground.bank}.away`, ground.bank);
    unchanged();
  });
});

describe('an image that cannot be judged is kept and told of, exit 3, and the others go', () => {
  it.each([
    ['is a directory', (path: string) => [rmSync(path), mkdirSync(path)]],
    ['is empty', (path: string) => writeFileSync(path, '')],
    ['is noise', (path: string) => writeFileSync(path, Buffer.from([0, 255, 10, 58, 32, 200, 7]))],
    [
      'has a date that is none',
      (path: string) => {
        writeFileSync(path, readFileSync(path, 'utf8').replace(/^Expire: .*$/m, 'Expire: +3 mons == soon'));
      },
    ],
    [
      'has a branch that is none',
      (path: string) => {
        writeFileSync(path, readFileSync(path, 'utf8').replace(/^branch: .*$/m, 'branch: ../../etc'));
      },
    ],
  ])('its summary %s', async (_, harm) => {
    harm(`${ground.vault}/older/summary`);
    const { code, err, plan, outcomes } = await ground.expire('--time', 'now');
    expect(code).toBe(3);
    expect(err).toMatch(/older: /);
    expect(plan.get('older')?.action).toBe('keep');
    expect([...outcomes.keys()]).toEqual(['old']);
    expect(ground.exists('older/tree')).toBe(true);
  });
});

describe('what is no image', () => {
  it('is left alone: links, files, directories without a summary', async () => {
    const elsewhere = `${ground.home}/elsewhere`;
    mustSync(['cp', '-a', `${ground.vault}/old`, elsewhere]);
    symlinkSync(elsewhere, `${ground.vault}/link`);
    symlinkSync(elsewhere, `${ground.vault}/.deleting-link`);
    symlinkSync(elsewhere, `${ground.vault}/old/tree/out`);
    mkdirSync(`${ground.vault}/notes`);
    mkdirSync(`${ground.vault}/notes/deeper`);
    writeFileSync(`${ground.vault}/notes/deeper/summary`, readFileSync(`${ground.vault}/old/summary`));
    writeFileSync(`${ground.vault}/file`, 'mine');
    const { code } = await ground.expire('--time', 'now');
    expect(code).toBe(0);
    expect(ground.images()).toContain('newest');
    expect(ground.exists('old')).toBe(false);
    expect(readdirSync(elsewhere).toSorted()).toEqual(['log', 'summary', 'tree']);
    expect(readdirSync(`${elsewhere}/tree`).length).toBeGreaterThan(3);
    for (const name of ['link', 'notes/deeper/summary', 'file']) expect(ground.exists(name)).toBe(true);
  });

  it('is not reached through a mount in a tree: exit 4, and no false "deleted"', async () => {
    const mount = `${ground.vault}/old/tree/sub`;
    await must(['mount', '-t', 'tmpfs', 'precious', mount]);
    try {
      writeFileSync(`${mount}/data`, 'precious');
      const { code, err, outcomes } = await ground.expire('--time', 'now');
      expect([code, outcomes.get('old'), outcomes.get('older')]).toEqual([4, 'failed', 'deleted']);
      expect(err).toContain('.deleting-old/tree/sub');
      expect(readFileSync(`${ground.vault}/.deleting-old/tree/sub/data`, 'utf8')).toBe('precious');
      expect(ground.images()).toEqual(['kept', 'newest']);
    } finally {
      mustSync(['umount', `${ground.vault}/.deleting-old/tree/sub`]);
    }
    expect((await ground.expire('--time', 'now')).code).toBe(0);
    expect(ground.dotted()).toEqual([]);
  });
});
