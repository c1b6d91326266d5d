import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { partitionedDisk } from '../../support/disk.ts';
import { needs } from '../../support/needs.ts';
import { isAlive, killOne, mustSync, ran } from '../../support/process.ts';
import { sshd } from '../../support/sshd.ts';
import { tempDir } from '../../support/temp.ts';
import { objectsOf } from '../cli/program.ts';
import { fill, makePlace } from '../run/place.ts';
import { hooksOf, makeHookPlace } from './ground.ts';

needs('root', 'rsync', 'xattr');

/** The log of an image with one hook. */
async function logOf(
  hook: string,
  lines = '',
): Promise<{ readonly log: string; readonly code: number | null }> {
  const place = makeHookPlace({ vault: `pre-server: ${hook}\n${lines}` });
  const { code } = await place.go('i1');
  const file = `${place.vault}/i1/log`;
  return { code, log: existsSync(file) ? readFileSync(file, 'utf8') : '' };
}

describe('a hook that', () => {
  it('floods its output keeps the head and the tail of it', async () => {
    const { log, code } = await logOf('seq 1 1000000; echo done');
    expect(code).toBe(0);
    expect(Buffer.byteLength(log)).toBeLessThan(400_000);
    expect(log).toMatch(/^pre-server\| 1\npre-server\| 2\n/m);
    expect(log).toMatch(/^pre-server\| 1000000\npre-server\| done$/m);
    const [, lines = '', bytes = ''] = /\[vault: (\d+) lines, (\d+) bytes left out here\]/.exec(log) ?? [];
    const kept = log.split('\n').filter((line) => /^pre-server\| \d+$/.test(line)).length;
    expect(Number(lines) + kept).toBe(1_000_000);
    expect(Number(bytes)).toBeGreaterThan(6_000_000);
  });

  it('prints without end and without newlines is ended in time', async () => {
    const place = makeHookPlace({ vault: 'hook-timeout: 1\npre-server: tr "\\\\0" x < /dev/zero\n' });
    const ran = await place.go('i1');
    expect(ran.code).toBe(9);
    expect(ran.err).toContain('hook pre-server: timed out');
    expect(ran.err.length).toBeLessThan(50_000);
  });

  it('prints what terminals obey is shown, not obeyed', async () => {
    const place = makeHookPlace({
      vault: `pre-server: printf 'a\\033[2Jb\\007\\r\\n\\377\\302\\233\\n'; exit 1\n`,
    });
    const ran = await place.go('i1');
    expect(ran.code).toBe(9);
    expect(ran.err).toContain('a\\033[2Jb\\007');
    expect(ran.err).toContain('\\377');
    for (const byte of ['\u001b', '\u0007', '\u009b']) expect(ran.err).not.toContain(byte);
    const { log } = await logOf(`printf 'a\\033[2Jb\\n'`);
    expect(log).toContain('pre-server| a\\033[2Jb\n');
  });

  it('kills its parent is a failed hook', async () => {
    const place = makeHookPlace({ vault: 'pre-client: kill -9 $PPID; sleep 1\npost-client: echo undone\n' });
    const ran = await place.go('i1');
    expect(ran.code).toBe(9);
    expect(ran.err).toContain('hook pre-client: failed: killed by SIGKILL');
    expect(ran.err).not.toContain('post-client');
    expect(place.images()).toEqual([]);
  });

  it('ignores the request to end is ended by force', async () => {
    const place = makeHookPlace({
      vault: `hook-timeout: 1\npre-server: trap '' TERM; echo $$ > ${tempDir('pid')}/pid; while :; do sleep 1; done\n`,
    });
    const ran = await place.go('i1');
    expect(ran.code).toBe(9);
    expect(ran.err).toContain('hook pre-server: timed out');
  });

  it('leaves a daemon that holds its output does not keep the run, nor the locks', async () => {
    const fifo = `${tempDir('fifo')}/up`;
    mustSync(['mkfifo', fifo]);
    const daemon = `setsid sh -c 'echo pid $$; echo > ${fifo}; exec sleep 600' & read up < ${fifo}`;
    const place = makeHookPlace({ vault: `pre-server: ${daemon}\n` });
    expect((await place.go('i1')).code).toBe(0);
    const pid = Number(/\| pid (\d+)/.exec(readFileSync(`${place.vault}/i1/log`, 'utf8'))?.[1]);
    expect(isAlive(pid)).toBe(true);
    expect((await place.call(['run', 'v', '--lock-wait', '0', '--image', 'i2'])).code).toBe(0);
    killOne(pid, 'SIGKILL');
  });

  it('leaves files in the new tree has them taken out', async () => {
    const place = makeHookPlace({ vault: 'pre-server: echo x > planted; echo y > ../beside\n' });
    const ran = await place.go('i1');
    expect(ran.code).toBe(0);
    expect(ran.err).toContain('left files in the new tree');
    expect(place.tree('i1').has('planted')).toBe(false);
    expect(readFileSync(`${place.vault}/i1/beside`, 'utf8')).toBe('y\n');
  });
});

describe('vault, when it', () => {
  it('is killed while post-server runs, needs no help the next time', async () => {
    const once = `${tempDir('once')}/once`;
    // The parent of a hook is a shell of ours; its parent is vault.
    const kill = `[ -e ${once} ] || { touch ${once}; kill -9 $(ps -o ppid= -p $PPID); }`;
    const place = makeHookPlace({ vault: `post-server: ${kill}\n` });
    const killed = await place.go('i1');
    expect(killed.signal).toBe('SIGKILL');
    expect(place.images()).toEqual([]);
    expect((await place.go('i2')).code).toBe(0);
    expect(place.images()).toEqual(['i2']);
    expect(mustSync(['ls', '-A', place.vault]).toString()).toBe('dirvish\ni2\n');
  });

  it('is interrupted while post-server runs, still lists the image', async () => {
    const place = makeHookPlace({ vault: 'hook-timeout: 2\npost-server: echo hanging; exec sleep 600\n' });
    const running = place.begin(['run', 'v', '--image', 'i1', '--verbose'], { env: place.env });
    await running.line(/post-server: hanging$/);
    running.signal('SIGTERM');
    await running.ended;
    expect(place.images()).toEqual(['i1']);
    expect(hooksOf(`${place.vault}/i1`)).toEqual({ 'post-server': 'timed out' });
  });
});

describe('a hook that others can change is refused before anything runs', () => {
  it.each(['pre-server', 'post-client', 'post-server'])('%s', async (stage) => {
    const file = `${tempDir('hook')}/hook`;
    writeFileSync(file, '#!/bin/sh\n', { mode: 0o755 });
    const place = makePlace({ vault: `${stage}: ${file} with words\n` });
    fill(place.source);
    await place.image('i1');
    chmodSync(file, 0o777);
    const refused = await place.call(['run', 'v']);
    expect(refused.code).toBe(10);
    expect(refused.err).toContain(`${file} can't be trusted: ${file} is writable by everyone`);
    expect(place.images()).toEqual(['i1']);
  });

  it('one of hooks-dir, and the directory', async () => {
    const directory = tempDir('hooks');
    writeFileSync(`${directory}/10-a`, '#!/bin/sh\n', { mode: 0o777 });
    chmodSync(`${directory}/10-a`, 0o777);
    const place = makePlace({ vault: `hooks-dir: ${directory}\n` });
    fill(place.source);
    expect((await place.call(['run', 'v'])).code).toBe(10);
    chmodSync(`${directory}/10-a`, 0o755);
    chmodSync(directory, 0o777);
    expect((await place.call(['run', 'v'])).code).toBe(10);
  });
});

describe('hooks-dir', () => {
  function directoryWith(scripts: Readonly<Record<string, string>>): string {
    const directory = tempDir('hooks');
    for (const [name, text] of Object.entries(scripts)) {
      writeFileSync(`${directory}/${name}`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }
    return directory;
  }

  it('runs every executable in the order of the names, before pre-client', async () => {
    const directory = directoryWith({
      '20-b': 'echo two',
      '10-a': 'pwd',
      '90-last.sh': 'echo three',
      README: 'exit 1',
    });
    writeFileSync(`${directory}/30-not-executable`, 'exit 1', { mode: 0o644 });
    const place = makePlace({ vault: `hooks-dir: ${directory}\npre-client: echo own\n` });
    fill(place.source);
    await place.image('i1');
    const said = readFileSync(`${place.vault}/i1/log`, 'utf8').match(/^pre-client.*\|.*$/gm);
    expect(said).toEqual([
      `pre-client 10-a| ${place.source}`,
      'pre-client 20-b| two',
      'pre-client 90-last.sh| three',
      'pre-client| own',
    ]);
  });

  it('stops at the first that fails; on the server if it is to', async () => {
    const directory = directoryWith({ '10-a': 'true', '20-b': 'exit 4', '30-c': 'true' });
    const place = makePlace({
      vault: `hooks-dir: ${directory}\nhooks-dir-on: server\npre-server: true\npost-server: echo "$VAULT_STATUS" > ${directory}/status\n`,
    });
    fill(place.source);
    const failed = await place.call(['run', 'v']);
    expect(failed.code).toBe(9);
    expect(failed.err).toContain('hook pre-server 20-b: failed 4');
    expect(failed.err).toContain('hook pre-server 30-c: skipped: pre-server 20-b failed');
    expect(readFileSync(`${directory}/status`, 'utf8')).toBe('fail\n');
    rmSync(directory, { recursive: true });
    const gone = await place.call(['run', 'v']);
    expect(gone.code).toBe(9);
    expect(gone.err).toContain('hooks-dir: failed');
  });

  it('on a client over ssh', async () => {
    const server = await sshd();
    const directory = directoryWith({ '10-a': 'echo "here $VAULT_CLIENT"', '20-b': 'exit 0' });
    const place = makePlace({ client: 'box', vault: `rsh: ${server.rsh}\nhooks-dir: ${directory}\n` });
    fill(place.source);
    await place.image('i1');
    expect(hooksOf(`${place.vault}/i1`)).toEqual({ 'pre-client 10-a': 'ok', 'pre-client 20-b': 'ok' });
    expect(readFileSync(`${place.vault}/i1/log`, 'utf8')).toContain('pre-client 10-a| here box\n');
  });
});

it('a night goes on after a hook that failed, and says so', async () => {
  const place = makePlace({ master: 'Runall:\n\tv\n\tw\n', vault: 'post-client: exit 6\n' });
  fill(place.source);
  mkdirSync(`${place.bank}/w/dirvish`, { recursive: true });
  mustSync(['chmod', '0700', `${place.bank}/w`, `${place.bank}/w/dirvish`]);
  writeFileSync(`${place.bank}/w/dirvish/default.conf`, `client: localhost\ntree: ${place.source}\n`, {
    mode: 0o600,
  });
  const night = await place.call(['runall', '--json']);
  expect(night.code).toBe(9);
  const vaults = objectsOf(night.out).filter((object) => object['type'] === 'vault');
  expect(vaults).toMatchObject([
    { vault: 'v', result: 'good', exitCode: 9, hooks: [{ hook: 'post-client', outcome: 'failed', code: 6 }] },
    { vault: 'w', result: 'good', exitCode: 0 },
  ]);
});

it('a packed log has what hooks say after the commit, too', async () => {
  const place = makeHookPlace({ vault: 'log: gzip\npre-client: echo before\npost-server: echo after\n' });
  expect((await place.go('i1')).code).toBe(0);
  const log = gunzipSync(readFileSync(`${place.vault}/i1/log.gz`)).toString();
  expect(log).toContain('pre-client| before\n');
  expect(log).toContain('post-server| after\n');
  expect(existsSync(`${place.vault}/i1/log`)).toBe(false);
  expect(statSync(`${place.vault}/i1/log.gz`).mode & 0o777).toBe(0o600);
});

it('with log: none there is none, whatever hooks say', async () => {
  const place = makeHookPlace({ vault: 'log: none\npost-client: echo before\npost-server: echo after\n' });
  expect((await place.go('i1')).code).toBe(0);
  expect(mustSync(['ls', `${place.vault}/i1`]).toString()).toBe('summary\ntree\n');
});

describe('a script of a dirvish user', () => {
  needs('mount', 'sshd', 'loop', 'sfdisk');

  it('that calls ssh itself, and writes beside the image and into the bank, works as it is', async () => {
    const server = await sshd();
    const disk = await partitionedDisk(32, 'label: dos\nsize=16M, type=83\n');
    const place = makePlace({ client: 'box' });
    fill(place.source);
    const script = `${place.home}/dirvish-post`;
    // In the manner of Keith Lofstrom's: nothing in it knows of vault.
    writeFileSync(
      script,
      `#!/bin/bash
image=$DIRVISH_DEST/..
remote="/usr/bin/ssh $DIRVISH_CLIENT"
$remote /bin/df > $image/df.$DIRVISH_CLIENT
$remote ${mustSync(['sh', '-c', 'command -v sfdisk']).toString().trim()} -d ${disk.device} > $image/../../sfdisk.$DIRVISH_CLIENT
echo "$DIRVISH_IMAGE $DIRVISH_STATUS"
exit 0
`,
      { mode: 0o755 },
    );
    place.configure(`post-server: ${script}\n`);
    const { rsh: _, configFile } = server;
    const mounted = 'mount --bind "$1" /etc/ssh/ssh_config && shift && exec "$@"';
    const argv = [
      'unshare',
      '--mount',
      'sh',
      '-c',
      mounted,
      'sh',
      configFile,
      ...place.argv('run', 'v', '--image', 'i1'),
    ];
    const made = await ran(argv);
    expect(made.err).toBe('');
    expect(made.code).toBe(0);
    expect(readFileSync(`${place.vault}/i1/df.box`, 'utf8')).toMatch(/^Filesystem/);
    expect(readFileSync(`${place.bank}/sfdisk.box`, 'utf8')).toContain('label: dos\n');
    expect(readFileSync(`${place.vault}/i1/log`, 'utf8')).toContain('post-server| v:default:i1 success\n');
  });
});
