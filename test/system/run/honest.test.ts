import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loopDisk } from '../../support/loop.ts';
import { needs } from '../../support/needs.ts';
import { mustSync, type Ran } from '../../support/process.ts';
import { compareTrees, snapshotTree } from '../../support/tree.ts';
import { fill, fillMany, makePlace, manyName, summaryOf, type Place } from './place.ts';

needs('root', 'rsync', 'xattr', 'ext4');

/**
 * Puts a program in rsync's place that runs the real one and then the given lines of shell: `$DRY` is 1 after a dry
 * run, `$LIST` when there was a list to print, `$CODE` the exit code that it ends with, `$PPID` is vault.
 */
function meddle(place: Place, lines: string, more = ''): void {
  const program = `${place.home}/rsync`;
  const body = `#!/bin/sh\nDRY=0; LIST=0; case "$*" in *out-format*) LIST=1;; esac; for a in "$@"; do [ "$a" = -n ] && DRY=1; done\nrsync "$@"; CODE=$?\n${lines}\nexit $CODE\n`;
  writeFileSync(program, body);
  chmodSync(program, 0o755);
  place.configure(`rsync: ${program}\n${more}`);
}

function run(place: Place, name: string, ...args: readonly string[]): Promise<Ran> {
  return place.call(['run', 'v', '--image', name, ...args]);
}

function imagesOf(place: Place): string[] {
  return readdirSync(place.vault).filter((name) => name !== 'dirvish' && !name.startsWith('.'));
}

describe('a good image has all that the client listed', () => {
  it('not when the source was emptied after the dry run of a first image', async () => {
    const place = makePlace();
    fill(place.source);
    meddle(place, `[ $DRY = 1 ] && rm -rf ${place.source}/*`);
    const ran = await run(place, 'i1');
    expect(ran.code, ran.out).toBe(4);
    expect(ran.err).toMatch(/empt/);
    expect(imagesOf(place)).toEqual([]);
  });

  it('held when most of it went away after the dry run of a first image', async () => {
    const place = makePlace({ inMemory: true });
    fillMany(place.source, 2_000);
    meddle(place, `[ $DRY = 1 ] && rm -rf ${place.source}/d[0-7]`);
    const ran = await run(place, 'i1');
    expect(ran.code, ran.out).toBe(5);
    expect(ran.out).toMatch(/held[\s\S]*what the client listed was gone/);
    expect(summaryOf(`${place.vault}/i1`).get('Vault-files')).toBe('400');
  });

  it('not when the reference lost entries between scan and clone', async () => {
    const place = makePlace();
    fillMany(place.source, 100);
    await place.image('i1');
    // Without its count of directories the clone waits for the scan.
    const summary = `${place.vault}/i1/summary`;
    writeFileSync(summary, readFileSync(summary, 'utf8').replace(/^Vault-directories: .*\n/m, ''));
    meddle(place, `[ $DRY = 1 ] && rm -rf ${place.vault}/i1/tree/d3`);
    writeFileSync(`${place.source}/d1/new`, 'new');
    const ran = await run(place, 'i2');
    expect(ran.code, ran.out).toBe(4);
    expect(ran.err).toContain('missing from the new image');
    expect(imagesOf(place)).toEqual(['i1']);
  });
});

describe('a tolerated error hides no other', () => {
  const TOLERATED = 'rsync: [sender] send_files failed to open \\"/home/gvfs/x\\": Permission denied (13)';

  it('when it is alone the image is good', async () => {
    const place = makePlace();
    fill(place.source);
    meddle(place, `[ $DRY = 0 ] && { echo "${TOLERATED}" >&2; CODE=23; }`, 'tolerate: /home/gvfs\n');
    const ran = await run(place, 'i1');
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toContain('1 tolerated paths could not be read');
  });

  it('that rsync words without quotes', async () => {
    const place = makePlace();
    fill(place.source);
    const other = 'ERROR: sub/c failed verification -- update discarded.';
    meddle(
      place,
      `[ $DRY = 0 ] && { echo "${TOLERATED}" >&2; echo "${other}" >&2; CODE=23; }`,
      'tolerate: /home/gvfs\n',
    );
    const ran = await run(place, 'i1');
    expect(ran.code, ran.out).toBe(3);
    expect(ran.out).toContain('missing: sub/c');
    expect(ran.out).not.toContain('missing: /home/gvfs');
  });

  it('that comes after more messages than are kept', async () => {
    const place = makePlace();
    fill(place.source);
    const many = `yes "${TOLERATED}" | head -20001 >&2`;
    meddle(place, `[ $DRY = 0 ] && { ${many}; CODE=23; }`, 'tolerate: /home/gvfs\n');
    const ran = await run(place, 'i1');
    expect(ran.code, ran.out).toBe(3);
  });

  it('and names with letters beyond ASCII are matched and shown as they are', async () => {
    const place = makePlace();
    fill(place.source);
    const error = TOLERATED.replace('gvfs', 'jürgen');
    meddle(place, `[ $DRY = 0 ] && { echo "${error}" >&2; CODE=23; }`, 'tolerate: /home/jürgen\n');
    expect((await run(place, 'i1')).code).toBe(0);
    meddle(place, `[ $DRY = 0 ] && { echo "${error}" >&2; CODE=23; }`);
    expect((await run(place, 'i2', '--init')).out).toContain('missing: /home/jürgen/x');
  });
});

describe('what is partial and suspicious at once', () => {
  it('freezes its branch and says both', async () => {
    const place = makePlace({ inMemory: true });
    fillMany(place.source, 1_500);
    await place.image('i1');
    for (let index = 0; index < 1_200; index += 1) rmSync(manyName(place.source, index));
    const error = 'rsync: [sender] send_files failed to open \\"/x\\": Input/output error (5)';
    meddle(place, `[ $DRY = 0 ] && { echo "${error}" >&2; CODE=23; }`);
    writeFileSync(`${place.source}/new`, 'new');
    const ran = await run(place, 'i2');
    expect(ran.code, ran.out).toBe(5);
    expect(ran.out).toMatch(/partial[\s\S]*hold: \d+% of the reference has disappeared/);
    const summary = summaryOf(`${place.vault}/i2`);
    expect(summary.get('Status')).toMatch(/^error \(23\)/);
    expect(Date.parse(summary.get('Vault-frozen-until') ?? '')).toBeGreaterThan(Date.now());
  });
});

describe('the remains of a run that was killed', () => {
  /** vault is killed when all has been transferred and nothing is committed. */
  const KILL = '[ $DRY = 0 ] && [ $LIST = 1 ] && kill -9 $PPID';

  it('count for the room that the next run needs', async () => {
    const disk = await loopDisk({ type: 'ext4', sizeMiB: 100 });
    const bank = `${disk.directory}/bank`;
    const place = makePlace({ bank });
    for (let index = 0; index < 6; index += 1)
      writeFileSync(`${place.source}/f${index}`, Buffer.alloc(10_000_000, index + 1));
    meddle(place, KILL);
    expect((await run(place, 'i1')).signal).toBe('SIGKILL');
    place.configure('');
    const ran = await run(place, 'i1');
    expect(ran.code, ran.err).toBe(0);
    expect(readdirSync(place.vault).toSorted()).toEqual(['dirvish', 'i1']);
  });

  it('are not trusted after the disk was mounted anew', async () => {
    const disk = await loopDisk({ type: 'ext4' });
    const place = makePlace({ bank: `${disk.directory}/bank` });
    fill(place.source);
    meddle(place, KILL);
    expect((await run(place, 'i1')).signal).toBe('SIGKILL');
    const remains = `${place.vault}/.incomplete-i1/tree/sub/c`;
    const { atimeMs, mtimeMs, size } = statSync(remains);
    writeFileSync(remains, 'x'.repeat(size));
    utimesSync(remains, atimeMs / 1000, mtimeMs / 1000);
    mustSync(['touch', '-r', `${place.source}/sub/c`, remains]);
    await disk.unmount();
    await disk.mount();
    place.configure('');
    const ran = await run(place, 'i1');
    expect(ran.code, ran.err).toBe(0);
    expect(compareTrees(snapshotTree(place.source), snapshotTree(`${place.vault}/i1/tree`))).toEqual([]);
  });

  it('are in nobody’s way, whatever their name', async () => {
    const place = makePlace();
    fill(place.source);
    meddle(place, KILL);
    expect((await run(place, 'i1')).signal).toBe('SIGKILL');
    // Renamed into place, not committed; and something of the same name besides.
    mkdirSync(`${place.vault}/i2/tree`, { recursive: true });
    writeFileSync(`${place.vault}/i2/summary.new`, 'client: localhost\n');
    mkdirSync(`${place.vault}/.incomplete-i2/tree`, { recursive: true });
    place.configure('run-deadline: 30 days\n');
    const ran = await run(place, 'earlier');
    expect(ran.code, ran.err).toBe(0);
    expect(existsSync(`${place.vault}/earlier/summary`)).toBe(true);
    expect(imagesOf(place)).toEqual(['earlier']);
    expect(readdirSync(place.vault).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
