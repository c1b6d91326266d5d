import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dirvish } from '../../support/dirvish.ts';
import { needs } from '../../support/needs.ts';
import { descendants, killTree, mustSync, start } from '../../support/process.ts';
import { historyOf } from '../run/place.ts';
import { makeBoth, rsyncDoing, type Both } from './both.ts';

needs('root', 'rsync', 'dirvish');

/** An rsync that tells when it has begun and goes on when it is told to, both by way of a FIFO. */
function waitingRsync(both: Both) {
  const [began, goOn] = [`${both.home}/began`, `${both.home}/go-on`];
  mustSync(['mkfifo', began, goOn]);
  const body = `case $* in *--version*) exec rsync "$@";; esac\necho began > ${began}\nread word < ${goOn}\nexec rsync "$@"`;
  return {
    program: rsyncDoing(both.home, 'waiting', body),
    begun: () => start(['cat', began]).line(/began/),
    release: () => mustSync(['sh', '-c', `echo go > ${goOn}`]),
  };
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

describe('the lock file', () => {
  it('of a dirvish that is at work stops us', async () => {
    const both = makeBoth();
    const rsync = waitingRsync(both);
    const running = dirvish('dirvish', ['--vault', 'v', '--init', '--image', 'i1'], {
      master: `${both.master}rsync: ${rsync.program}\n`,
    });
    await rsync.begun();
    const refused = await both.call(['run', 'v', '--image', 'i2']);
    expect(refused.code).toBe(6);
    expect(refused.err).toMatch(/locked by process \d+ \(dirvish\/lock_file\)/);
    expect(refused.err).toContain(
      `hint: If nothing is running any more, remove ${both.vault}/dirvish/lock_file`,
    );
    expect(existsSync(`${both.vault}/dirvish/lock_file`)).toBe(true);
    rsync.release();
    expect(await running).toMatchObject({ code: 0, err: '' });
    expect((await both.image('i2')).out).toContain('against i1)');
  });

  it('of a dirvish that was killed does not', async () => {
    const both = makeBoth();
    await both.dirvishImage('i1', '--init');
    const rsync = waitingRsync(both);
    const running = dirvish('dirvish', ['--vault', 'v', '--image', 'i2'], {
      master: `${both.master}rsync: ${rsync.program}\n`,
    });
    await rsync.begun();
    for (const pid of descendants(process.pid)) {
      if (commandOf(pid).includes('/usr/sbin/dirvish')) killTree(pid);
    }
    await running;
    expect(existsSync(`${both.vault}/dirvish/lock_file`)).toBe(true);
    const ran = await both.image('i3');
    expect(ran.out).toContain('against i1)');
    expect(existsSync(`${both.vault}/dirvish/lock_file`)).toBe(false);
    expect(historyOf(both.vault).map(([image]) => image)).toEqual(['i1', 'i3']);
  });

  it('of ours stops dirvish', async () => {
    const both = makeBoth();
    await both.image('i1');
    const rsync = waitingRsync(both);
    both.configure(`rsync: ${rsync.program}\n`);
    const running = both.begin(['run', 'v', '--image', 'i2', '--engine', 'link-dest']);
    await rsync.begun();
    const refused = await both.dirvish(['--image', 'i3'], { master: both.master });
    expect(refused.code).toBe(151);
    expect(refused.err).toContain('lock_file already exists');
    rsync.release();
    // The transfer, after the scan.
    await rsync.begun();
    rsync.release();
    expect((await running.ended).code).toBe(0);
    both.configure('');
    await both.dirvishImage('i3');
    expect(historyOf(both.vault).map(([image]) => image)).toEqual(['i1', 'i2', 'i3']);
  });
});
