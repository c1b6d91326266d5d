import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { checkBank } from '../../support/invariants.ts';
import { needs } from '../../support/needs.ts';
import { isAlive } from '../../support/process.ts';
import { sshd, type Sshd, type SshdOptions } from '../../support/sshd.ts';
import { tempDir } from '../../support/temp.ts';
import { changesSince } from '../../support/tree.ts';
import { historyOf, makePlace, summaryOf, unlike, type Place } from '../run/place.ts';

needs('root', 'rsync', 'sshd');

const PART = 300_000;

/** A place with files of random bytes `f0`, `f1`, … of 300 kB each, on a client behind a server of its own. */
async function makeRemote(files: number, options: SshdOptions, lines: string) {
  const server = await sshd(options);
  const place = makePlace({ client: 'box', vault: `rsh: ${server.rsh}\n${lines}` });
  mkdirSync(`${place.source}/d`);
  for (let index = 0; index < files; index += 1)
    writeFileSync(`${place.source}/d/f${index}`, randomBytes(PART));
  return { place, server };
}

/** For `forceCommand`: does what the client asks for, and drops the connection after so many bytes of its output. */
function cutter(bytes: number): string {
  const file = `${tempDir('cutter')}/cut`;
  const pass = `$left = ${bytes}; while ($left > 0 and $got = sysread STDIN, $_, $left < 65536 ? $left : 65536) { syswrite STDOUT, $_; $left -= $got } exit(sysread(STDIN, $_, 1) ? 1 : 0)`;
  writeFileSync(
    file,
    `#!/bin/sh\nsession=$PPID\nsh -c "$SSH_ORIGINAL_COMMAND" | { perl -e '${pass}' || kill -9 $session; }\n`,
    { mode: 0o755 },
  );
  return file;
}

/** When the image that is being made has the first of its files and some bytes of the second. */
async function inTheMiddle(place: Place): Promise<{ path: string; inode: number }> {
  for (;;) {
    const [work] = readdirSync(place.vault).filter((name) => name.startsWith('.incomplete-i'));
    const names = work === undefined ? [] : listing(`${place.vault}/${work}/tree/d`);
    const whole = names.find((name) => name.startsWith('f'));
    const part = names.find((name) => name.startsWith('.f'));
    if (work !== undefined && whole !== undefined && part !== undefined) {
      return { path: `d/${whole}`, inode: statSync(`${place.vault}/${work}/tree/d/${whole}`).ino };
    }
    await delay(2);
  }
}

function listing(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function cutOnce(server: Sshd): void {
  expect(server.sessions().length).toBeGreaterThan(0);
  server.cut();
}

describe('a connection that is cut in the middle', () => {
  it('is tried again, and what had come is not sent twice', async () => {
    // 0.8 MB/s: slow enough to be met in the middle.
    const { place, server } = await makeRemote(4, {}, 'speed-limit: 8\n');
    const running = place.begin(['run', 'v', '--image', 'i1']);
    const first = await inTheMiddle(place);
    cutOnce(server);
    const ran = await running.ended;
    expect(ran.code, ran.err).toBe(0);
    expect(ran.err).toMatch(/v: .*trying again/);
    expect(unlike(place, 'i1')).toEqual([]);
    expect(statSync(`${place.vault}/i1/tree/${first.path}`).ino).toBe(first.inode);
    expect(readdirSync(place.vault).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(checkBank(place.bank)).toEqual([]);
  });

  it('while a delta is transferred is tried again too', async () => {
    const { place, server } = await makeRemote(2, {}, 'speed-limit: 8\n');
    await place.image('i1');
    for (const name of ['x0', 'x1', 'x2', 'x3'].map((each) => each.replace('x', 'f')))
      writeFileSync(`${place.source}/d/${name}`, randomBytes(PART));
    const running = place.begin(['run', 'v', '--image', 'i2']);
    await running.line(/transferring/);
    await inTheMiddle(place);
    cutOnce(server);
    const ran = await running.ended;
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toMatch(/^v@i2: good .* \(delta, against i1\)$/m);
    expect(unlike(place, 'i2')).toEqual([]);
    expect(checkBank(place.bank)).toEqual([]);
  });

  it('again and again fails in the end, and the next runs go on from what has come', async () => {
    // Every connection ends after three files or so.
    const { place } = await makeRemote(8, { forceCommand: cutter(3.5 * PART) }, 'retries: 0\n');
    const codes: (number | null)[] = [];
    let kept = 0;
    for (let run = 1; run <= 6; run += 1) {
      const ran = await place.call(['run', 'v', '--image', 'i1']);
      codes.push(ran.code);
      if (ran.code === 0) break;
      expect(ran.err).toContain('vault: error: box: the connection broke: rsync');
      expect(ran.err).toContain('hint: What has come so far is kept; the next run goes on from there.');
      expect(place.images()).toEqual([]);
      const now = listing(`${place.vault}/.incomplete-i1/tree/d`).filter((name) => name.startsWith('f'));
      expect(now.length).toBeGreaterThan(kept);
      kept = now.length;
    }
    // How much of what was under way is lost is a matter of luck.
    expect(codes.slice(0, 2)).toEqual([4, 4]);
    expect(codes.at(-1)).toBe(0);
    expect(unlike(place, 'i1')).toEqual([]);
    expect(historyOf(place.vault).map(([image]) => image)).toEqual(['i1']);
    expect(readdirSync(place.vault).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('leaves an image alone that is there already', async () => {
    const { place } = await makeRemote(2, {}, '');
    await place.image('i1');
    const before = place.tree('i1');
    for (let index = 0; index < 8; index += 1)
      writeFileSync(`${place.source}/d/f${index}`, randomBytes(PART));
    const cutting = await sshd({ forceCommand: cutter(3.5 * PART) });
    place.configure(`rsh: ${cutting.rsh}\nretries: 0\n`);
    expect((await place.call(['run', 'v', '--image', 'i2'])).code).toBe(4);
    expect(place.images()).toEqual(['i1']);
    expect(changesSince(before, place.tree('i1'))).toEqual([]);
    expect(checkBank(place.bank)).toEqual([]);
  });
});

describe('Ctrl-C', () => {
  it('in the middle ends rsync on both ends and keeps what has come', async () => {
    const { place, server } = await makeRemote(4, {}, 'speed-limit: 8\n');
    const running = place.begin(['run', 'v', '--image', 'i1']);
    const first = await inTheMiddle(place);
    const sessions = server.sessions();
    expect(sessions.length).toBeGreaterThan(0);
    running.signal('SIGINT');
    const ran = await running.ended;
    expect(ran.code).toBe(130);
    expect(ran.err).toContain('vault: error: Interrupted.');
    await gone(sessions);
    expect(place.images()).toEqual([]);
    expect(readdirSync(place.vault)).toContain('.incomplete-i1');

    place.configure(`rsh: ${server.rsh}\n`);
    await place.image('i2');
    expect(unlike(place, 'i2')).toEqual([]);
    expect(statSync(`${place.vault}/i2/tree/${first.path}`).ino).toBe(first.inode);
    expect(summaryOf(`${place.vault}/i2`).get('Status')).toBe('success');
    expect(readdirSync(place.vault).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

/** The other end notices in its own time. */
async function gone(pids: readonly number[]): Promise<void> {
  while (pids.some(isAlive)) await delay(5);
}
