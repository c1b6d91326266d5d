import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { needs } from '../../support/needs.ts';
import { freePort } from '../../support/port.ts';
import { must, mustSync, ran, start } from '../../support/process.ts';
import { sshd, type Sshd } from '../../support/sshd.ts';
import { tempDir } from '../../support/temp.ts';
import { objectsOf, VAULT } from './program.ts';

needs('sshd');

/** A master file whose rsh leads to the server; the result runs `vault trust CLIENT`. */
function client(rsh: string) {
  const directory = tempDir('trust');
  writeFileSync(join(directory, 'master.conf'), `bank: ${directory}/bank\nrsh: ${rsh}\n`, { mode: 0o600 });
  mkdirSync(join(directory, 'bank'), { mode: 0o700 });
  const argv = [VAULT, 'trust', 'laptop', '--config', join(directory, 'master.conf'), '--quiet'];
  return { argv, trust: (...more: string[]) => ran([...argv, ...more]), bank: join(directory, 'bank') };
}

/** The fingerprints of the server's keys, as it would show them itself. */
function fingerprints(server: Sshd): string[] {
  const home = server.configFile.replace(/\/ssh_config$/, '');
  return mustSync(['sh', '-c', `for f in ${home}/host_*.pub; do ssh-keygen -lf $f; done`])
    .toString()
    .split('\n')
    .flatMap((line) => /SHA256:\S+/.exec(line) ?? []);
}

/** A program on a terminal of its own, to which something can be typed. */
function onTerminal(argv: readonly string[], typed: string) {
  const line = argv.map((each) => `'${each}'`).join(' ');
  return start(['sh', '-c', `printf '%s\\n' '${typed}' | script -qec "${line}" /dev/null`]);
}

describe('an unknown host', () => {
  it('is trusted with its fingerprint, and ssh then connects', async () => {
    const server = await sshd({ known: [] });
    const { trust } = client(server.rsh);
    const [print = ''] = fingerprints(server);
    const refused = await ran(['sh', '-c', `${server.rsh} laptop true`]);
    expect(refused.err).toContain('Host key verification failed');
    rmSync(server.knownHosts);

    const result = await trust('--fingerprint', print);
    expect(result).toMatchObject({ code: 0, err: '' });
    expect(result.out).toContain(`\n  ED25519  ${print}\n`);
    expect(result.out).toContain(`Added 1 key of laptop to ${server.knownHosts}.\n`);
    expect(statSync(server.knownHosts).mode & 0o777).toBe(0o600);
    await must(['sh', '-c', `${server.rsh} laptop true`]);

    const again = await trust('--fingerprint', print);
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('Nothing to do.') });
    expect(readFileSync(server.knownHosts, 'utf8').split('\n')).toHaveLength(2);
  });

  it('is refused with another fingerprint, or without anybody to ask', async () => {
    const server = await sshd({ known: [] });
    const { trust } = client(server.rsh);
    const wrong = `SHA256:${'A'.repeat(43)}`;
    expect(await trust('--fingerprint', wrong)).toMatchObject({
      code: 10,
      err: expect.stringContaining(`No key of the host has the fingerprint ${wrong}`),
    });
    const alone = await trust('--json');
    expect(alone.code).toBe(10);
    expect(objectsOf(alone.out)).toMatchObject([
      { type: 'hostKey', state: 'new', keyType: 'ssh-ed25519', fingerprint: fingerprints(server)[0] },
      { type: 'result', exitCode: 10, error: { kind: 'refused' } },
    ]);
    expect(readFileSync(server.knownHosts, 'utf8')).toBe('');
  });

  it('is trusted by "yes" on a terminal, and by nothing else', async () => {
    const server = await sshd({ known: [], hostKeys: ['ed25519', 'rsa'] });
    const { argv } = client(server.rsh);
    const no = await onTerminal(argv, 'y').ended;
    expect(no).toMatchObject({ code: 10, out: expect.stringContaining('The keys were not confirmed.') });
    expect(readFileSync(server.knownHosts, 'utf8')).toBe('');
    const yes = await onTerminal(argv, 'yes').ended;
    expect(yes).toMatchObject({ code: 0, out: expect.stringContaining('Added 2 keys of laptop') });
    expect(readFileSync(server.knownHosts, 'utf8').trim().split('\n')).toHaveLength(2);
  });

  it('is only shown by --dry-run', async () => {
    const server = await sshd({ known: [] });
    const [print = ''] = fingerprints(server);
    const result = await client(server.rsh).trust('--dry-run', '--fingerprint', print);
    expect(result).toMatchObject({ code: 0, out: expect.stringContaining('Nothing was changed.') });
    expect(readFileSync(server.knownHosts, 'utf8')).toBe('');
  });

  it('is asked through its proxy', async () => {
    const server = await sshd({ known: [] });
    const [print = ''] = fingerprints(server);
    const via = join(tempDir('proxy'), 'proxy');
    const relay = `exec 3<>/dev/tcp/127.0.0.1/${server.port}; cat <&3 & cat >&3`;
    writeFileSync(via, `#!/bin/bash\n${relay}\n`, { mode: 0o755 });
    const config = `${server.configFile}.proxied`;
    const lines = readFileSync(server.configFile, 'utf8');
    writeFileSync(config, `${lines.replace('127.0.0.1', 'behind.invalid')}  ProxyCommand ${via}\n`);
    const result = await client(`ssh -F ${config}`).trust('--fingerprint', print);
    expect(result).toMatchObject({ code: 0, err: '' });
    expect(readFileSync(server.knownHosts, 'utf8')).toContain(`[behind.invalid]:${server.port} ssh-ed25519 `);
    await must(['ssh', '-F', config, 'laptop', 'true']);
  });

  it('has its name hashed where ssh wants that', async () => {
    const server = await sshd({ known: [] });
    const [print = ''] = fingerprints(server);
    await must(client(`${server.rsh} -o HashKnownHosts=yes`).argv.concat('--fingerprint', print));
    expect(readFileSync(server.knownHosts, 'utf8')).toMatch(/^\|1\|/);
    await must(['sh', '-c', `${server.rsh} laptop true`]);
  });
});

describe('a changed key', () => {
  it('is refused, with both fingerprints, until --replace', async () => {
    const server = await sshd({ hostKeys: ['ed25519', 'rsa'] });
    const before = fingerprints(server);
    const kept = `other.example ssh-rsa AAAA\n${readFileSync(server.knownHosts, 'utf8').trimEnd()}`;
    writeFileSync(server.knownHosts, kept);
    chmodSync(server.knownHosts, 0o640);
    await server.changeHostKeys();
    const after = fingerprints(server);
    const { trust } = client(server.rsh);

    const refused = await trust('--fingerprint', after[0] ?? '');
    expect(refused).toMatchObject({
      code: 10,
      err: expect.stringContaining('The host key of laptop has changed.'),
    });
    for (const print of [...before, ...after]) expect(refused.out).toContain(print);
    expect(refused.out).toContain(`${server.knownHosts}:2\n`);
    expect(readFileSync(server.knownHosts, 'utf8')).toBe(kept);

    expect((await trust('--replace')).code).toBe(10);
    expect(readFileSync(server.knownHosts, 'utf8')).toBe(kept);

    const replaced = await trust(
      '--replace',
      '--fingerprint',
      after[0] ?? '',
      '--fingerprint',
      after[1] ?? '',
    );
    expect(replaced).toMatchObject({ code: 0, err: '' });
    const lines = readFileSync(server.knownHosts, 'utf8').trimEnd().split('\n');
    expect(lines[0]).toBe('other.example ssh-rsa AAAA');
    expect(lines).toHaveLength(3);
    expect(statSync(server.knownHosts).mode & 0o777).toBe(0o640);
    await must(['sh', '-c', `${server.rsh} laptop true`]);
  });
});

describe('a host that cannot be asked', () => {
  it('is unreachable', async () => {
    const port = await freePort();
    const { trust } = client(`ssh -p ${port} -o HostName=127.0.0.1`);
    const result = await trust();
    expect(result).toMatchObject({ code: 11, out: '' });
    expect(result.err).toMatch(
      new RegExp(
        `^vault: error: laptop \\(127\\.0\\.0\\.1, port ${port}\\) shows no SSH host key: no answer\\.\nhint: `,
      ),
    );
  });
  it('is unreachable where its name leads nowhere', async () => {
    const result = await client('ssh -o HostName=nosuch.invalid').trust();
    expect(result).toMatchObject({ code: 11, err: expect.stringContaining('getaddrinfo nosuch.invalid') });
  });
  it('can be given up with Ctrl-C', async () => {
    const silent = await sshd({ known: [] });
    const waiting = join(tempDir('proxy'), 'waiting');
    mustSync(['mkfifo', waiting]);
    const { argv } = client(
      `ssh -F ${silent.configFile} -o ProxyCommand='sh -c "echo began > ${waiting}; exec sleep 600"'`,
    );
    const running = start(argv);
    await start(['cat', waiting]).line(/began/);
    running.signal('SIGINT');
    expect(await running.ended).toMatchObject({ code: 130, err: 'vault: error: Interrupted.\n' });
  });
  it('is not asked by another program than ssh', async () => {
    const result = await client('/bin/true').trust();
    expect(result).toMatchObject({
      code: 8,
      err: expect.stringContaining('The option rsh must name OpenSSH'),
    });
  });
  it('has a name', async () => {
    for (const name of ['-x', 'a;b', 'a b', '@h', 'a/b']) {
      expect((await ran([VAULT, 'trust', '--', name])).code).toBe(2);
    }
  });
});

describe('the way to the client', () => {
  it('is that of its vaults, and the first file need not exist', async () => {
    const server = await sshd({ known: [] });
    const [print = ''] = fingerprints(server);
    rmSync(server.knownHosts);
    const { argv, bank } = client('/bin/false');
    const directory = join(bank, 'root/dirvish');
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const conf = `client: laptop\ntree: /\nrsh: ${server.rsh}\n`;
    writeFileSync(join(directory, 'default.conf'), conf, { mode: 0o600 });
    await must([...argv, '--fingerprint', print]);
    expect(existsSync(server.knownHosts)).toBe(true);
    await must(['sh', '-c', `${server.rsh} laptop true`]);
  });
});
