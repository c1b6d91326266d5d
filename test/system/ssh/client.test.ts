import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { needs } from '../../support/needs.ts';
import { must, mustSync, ran as runs } from '../../support/process.ts';
import { sshd, type Sshd, type SshdOptions } from '../../support/sshd.ts';
import { tempDir } from '../../support/temp.ts';
import { compareTrees, sharedInodes, snapshotTree } from '../../support/tree.ts';
import { contentsOf, fill, makePlace, tooWide, unlike, type Place } from '../run/place.ts';

needs('root', 'rsync', 'sshd', 'xattr');

interface Remote extends Place {
  readonly server: Sshd;
}

/** A place whose client `box` is reached through a server of its own. */
async function makeRemote(options: SshdOptions = {}, lines = ''): Promise<Remote> {
  const server = await sshd(options);
  const place = makePlace({ client: 'box', vault: `rsh: ${server.rsh}\n${lines}` });
  fill(place.source);
  return { ...place, server };
}

/** Names that shells, rsync or terminals could take for something else. */
const ODD = [
  'a space',
  "quote'",
  'double"quote',
  '-rf',
  '#hash',
  ';semicolon',
  '$HOME',
  '*',
  '`id`',
  'back\\slash',
  'new\nline',
  'tab\t',
  '\\#012',
  ' => arrow',
  'umläut',
];

function makeOdd(source: string): void {
  mkdirSync(`${source}/odd`);
  for (const name of ODD) writeFileSync(`${source}/odd/${name}`, name);
  writeFileSync(Buffer.concat([Buffer.from(`${source}/odd/`), Buffer.from([0xff, 0xfe, 0x41])]), 'no UTF-8');
  symlinkSync('no such\n"thing"', `${source}/odd/dangling`);
}

/** No image, and nothing of one; the client was not touched. */
function expectNothing(place: Place): void {
  expect(place.images()).toEqual([]);
  expect(mustSync(['ls', '-A', place.vault]).toString()).toBe('dirvish\n');
}

describe('a client that answers', () => {
  it('is backed up twice: all of it, then what has changed', async () => {
    const remote = await makeRemote();
    makeOdd(remote.source);
    const first = await remote.image('i1');
    expect(first.out).toMatch(/^v@i1: good .* \(link-dest, first image\)$/m);
    expect(unlike(remote, 'i1')).toEqual([]);

    writeFileSync(`${remote.source}/odd/new\nline`, 'changed');
    rmSync(`${remote.source}/odd/-rf`);
    writeFileSync(`${remote.source}/odd/#other`, 'new');
    const second = await remote.image('i2');
    expect(second.out).toMatch(/^v@i2: good .* \(delta, against i1\)$/m);
    expect(second.out).toMatch(/^ {2}1 new, 1 changed, 1 deleted;/m);
    expect(unlike(remote, 'i2')).toEqual([]);
    const shared = sharedInodes(remote.tree('i1'), remote.tree('i2'));
    const files = [...remote.tree('i2')].filter(([, entry]) => entry.type !== 'directory');
    expect(shared).toHaveLength(files.length - 2);
    expect(tooWide(first.out + second.out)).toEqual([]);
  });

  it('is asked for a tree whose name has everything', async () => {
    const name = `a dir's "$HOME" * \\$(id) [x] ;&|`;
    const server = await sshd();
    const home = tempDir('odd');
    const source = `${home}/${name}`;
    mkdirSync(source);
    fill(source);
    const place = makePlace({
      client: 'box',
      tree: source.replaceAll(' ', '\\ '),
      vault: `rsh: ${server.rsh}\nindex: text\n`,
    });
    for (const image of ['i1', 'i2']) {
      writeFileSync(`${source}/a`, image);
      const ran = await place.image(image);
      expect(ran.out).toMatch(/: good in .*(delta|first)/);
      expect(compareTrees(snapshotTree(source), place.tree(image))).toEqual([]);
    }
    expect(readFileSync(`${place.vault}/i2/summary`, 'utf8')).toContain('client: box\n');
  });

  it('leaves out what is to be left out, then and when it is new in the list', async () => {
    const remote = await makeRemote({}, 'exclude:\n\t/odd/a space\n\t*.o\n\t/sub/deep/\n');
    makeOdd(remote.source);
    writeFileSync(`${remote.source}/x.o`, 'object');
    await remote.image('i1');
    expect(unlike(remote, 'i1')).toEqual([
      '"odd/a space" is only in the first',
      '"sub/deep" is only in the first',
      '"sub/deep/d" is only in the first',
      '"x.o" is only in the first',
    ]);
    remote.configure(`rsh: ${remote.server.rsh}\nexclude:\n\t*.o\n\t/odd/*\n`);
    await remote.image('i2');
    const left = unlike(remote, 'i2').filter((line) => !line.startsWith('"odd/'));
    expect(left).toEqual(['"x.o" is only in the first']);
    expect([...remote.tree('i2').keys()].filter((name) => name.startsWith('odd/'))).toEqual([]);
  });

  it('may allow nothing but rsync: the plain engine then, with the reason', async () => {
    const guard = `${tempDir('guard')}/only-rsync`;
    const body =
      'case $SSH_ORIGINAL_COMMAND in "rsync --server --sender "*) exec $SSH_ORIGINAL_COMMAND;; esac\necho "only rsync is allowed" >&2\nexit 1';
    writeFileSync(guard, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    const remote = await makeRemote({ forceCommand: guard });
    await remote.image('i1');
    writeFileSync(`${remote.source}/a`, 'changed');
    const second = await remote.image('i2');
    expect(second.out).toMatch(/^v@i2: good .* \(link-dest, against i1\)$/m);
    expect(second.err).toContain("engine link-dest: the client's rsync is older than 3.1 or not known");
    expect(unlike(remote, 'i2')).toEqual([]);
    expect(sharedInodes(remote.tree('i1'), remote.tree('i2'))).toContain('sub/deep/d');
  });

  it('may allow nothing but rrsync', async ({ skip }) => {
    const works = await runs(['sh', '-c', 'rrsync 2>&1 | grep -q DIR']);
    if (works.code !== 0) skip('rrsync, or the Python it is written in, is not installed');
    const remote = await makeRemote({ forceCommand: 'rrsync -ro /' });
    const first = await remote.call(['run', 'v', '--image', 'i1']);
    expect(first.code, first.err).toBe(0);
    const second = await remote.image('i2');
    expect(second.out).toMatch(/^v@i2: good .* \(link-dest, against i1\)$/m);
    expect(unlike(remote, 'i2')).toEqual([]);
  });
});

describe('a client that is not to be trusted or not to be had', () => {
  it('has a key that nobody knows', async () => {
    const remote = await makeRemote({ known: [] });
    const ran = await remote.call(['run', 'v']);
    expect(ran).toMatchObject({ code: 11 });
    expect(ran.err).toMatch(
      /^vault: error: The host key of box is not known: SHA256:\S+\.\nhint: Compare and accept it with: vault trust box\n$/,
    );
    expect(readFileSync(remote.server.knownHosts, 'utf8')).toBe('');
    expectNothing(remote);
  });

  it('has another key than it had', async () => {
    const remote = await makeRemote();
    await remote.image('i1');
    const before = contentsOf(`${remote.vault}/i1`);
    const known = readFileSync(remote.server.knownHosts, 'utf8');
    await remote.server.changeHostKeys();
    const key = `${remote.server.configFile.replace(/ssh_config$/, '')}host_ed25519.pub`;
    const [fingerprint = ''] = /SHA256:\S+/.exec(mustSync(['ssh-keygen', '-lf', key]).toString()) ?? [];
    const ran = await remote.call(['run', 'v', '--image', 'i2']);
    expect(ran.code).toBe(11);
    expect(ran.err).toContain(`The host key of box has changed: it is ${fingerprint} now, and was SHA256:`);
    expect(ran.err).toContain('hint: If the change is genuine: vault trust box --replace\n');
    expect(readFileSync(remote.server.knownHosts, 'utf8')).toBe(known);
    expect(remote.images()).toEqual(['i1']);
    expect(contentsOf(`${remote.vault}/i1`)).toEqual(before);
  });

  it('refuses the connection', async () => {
    const remote = await makeRemote();
    await remote.server.stop();
    const ran = await remote.call(['run', 'v']);
    expect(ran.code).toBe(11);
    expect(ran.err).toContain('Client box cannot be reached: ssh: connect to host 127.0.0.1 port');
    expect(ran.err).toContain('Connection refused');
    expect(ran.err).toMatch(/^hint: Try by hand: ssh -F \S+ box true$/m);
    expectNothing(remote);
  });

  it('does not know our key', async () => {
    const remote = await makeRemote();
    writeFileSync(`${remote.server.configFile.replace(/ssh_config$/, '')}authorized_keys`, '');
    const ran = await remote.call(['run', 'v']);
    expect(ran.code).toBe(11);
    expect(ran.err).toMatch(/Client box cannot be reached: .*Permission denied \(publickey\)/);
    expectNothing(remote);
  });

  it('has no rsync', async () => {
    const path = tempDir('path');
    for (const program of ['sh', 'cat', 'nice', 'ionice', 'true']) {
      symlinkSync(
        mustSync(['sh', '-c', `command -v ${program}`])
          .toString()
          .trim(),
        `${path}/${program}`,
      );
    }
    const remote = await makeRemote({ path });
    const ran = await remote.call(['run', 'v']);
    expect(ran).toMatchObject({ code: 4 });
    expect(ran.err).toBe(
      'vault: error: Client box has no rsync (or it is not in the path of ssh).\nhint: Install rsync there, or say where it is with the option `rsync-client`.\n',
    );
    expectNothing(remote);
    remote.configure(`rsh: ${remote.server.rsh}\nrsync-client: /usr/bin/rsync\n`);
    await must(remote.argv('run', 'v'));
  });

  it('has no such tree', async () => {
    const remote = await makeRemote();
    mustSync(['rm', '-r', remote.source]);
    const ran = await remote.call(['run', 'v']);
    expect(ran.code).toBe(4);
    expect(ran.err).toContain(remote.source);
    expect(ran.err).toMatch(/No such file or directory/);
    expectNothing(remote);
  });
});
