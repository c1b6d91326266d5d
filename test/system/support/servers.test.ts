import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { needs } from '../../support/needs.ts';
import { must, ran, start } from '../../support/process.ts';
import { rsyncd } from '../../support/rsyncd.ts';
import { sshd } from '../../support/sshd.ts';
import { tempDir } from '../../support/temp.ts';
import { compareTrees, snapshotTree } from '../../support/tree.ts';

needs('sshd', 'rsync');

const ssh = (rsh: string, ...command: string[]) => [...rsh.split(' '), 'client.test', ...command];

function source(size = 5000): string {
  const directory = tempDir('source');
  mkdirSync(`${directory}/sub`);
  for (const name of ['a', 'b', 'sub/c'])
    writeFileSync(`${directory}/${name}`, name.repeat(size).slice(0, size));
  return directory;
}

describe('sshd', () => {
  test('runs commands under any host name', async () => {
    const server = await sshd();
    expect((await must(ssh(server.rsh, 'echo', 'hello'))).out).toBe('hello\n');
    await server.line(/^Accepted publickey/);
  });

  test('serves rsync', async () => {
    const server = await sshd();
    const [from, to] = [source(), tempDir('target')];
    await must(['rsync', '-aHAX', '--modify-window=-1', '-e', server.rsh, `client.test:${from}/`, `${to}/`]);
    expect(compareTrees(snapshotTree(from), snapshotTree(to))).toEqual([]);
  });

  test('is refused when its host key is unknown, and when it has changed', async () => {
    const unknown = await sshd({ known: [] });
    expect((await ran(ssh(unknown.rsh, 'true'))).err).toMatch(/Host key verification failed/);
    const server = await sshd();
    await must(ssh(server.rsh, 'true'));
    await server.changeHostKeys();
    const { code, err } = await ran(ssh(server.rsh, 'true'));
    expect(code).toBe(255);
    expect(err).toMatch(/REMOTE HOST IDENTIFICATION HAS CHANGED/);
  });

  test('offers the host keys it was given, of which known_hosts may have one', async () => {
    const server = await sshd({ hostKeys: ['ed25519', 'rsa'], known: ['rsa'] });
    await must(ssh(server.rsh, 'true'));
    expect(readFileSync(server.knownHosts, 'utf8')).toMatch(/^\[127\.0\.0\.1\]:\d+ ssh-rsa \S+\n$/);
  });

  test('can run something else than what was asked for', async () => {
    const server = await sshd({ forceCommand: 'echo "forced: $SSH_ORIGINAL_COMMAND"' });
    expect((await must(ssh(server.rsh, 'true'))).out).toBe('forced: true\n');
  });

  test('can lack rsync', async () => {
    const server = await sshd({ path: '/nonexistent' });
    const { code, err } = await ran(['rsync', '-e', server.rsh, `client.test:${source()}/`]);
    expect(err).toMatch(/rsync.*not found/);
    // Whichever rsync notices first: that the shell failed, or that the connection ended.
    expect([12, 127]).toContain(code);
  });

  test('can drop a connection after so many bytes', async () => {
    const server = await sshd({ cutAfterBytes: 200_000 });
    const [from, to] = [source(1_000_000), tempDir('target')];
    const { code, err } = await ran(['rsync', '-a', '-e', server.rsh, `client.test:${from}/`, `${to}/`]);
    expect(code).not.toBe(0);
    expect(err).toMatch(/connection unexpectedly closed|Connection.*closed/);
    expect((await must(ssh(server.rsh, 'echo', 'still here'))).out).toBe('still here\n');
  });

  test('can cut the connections there are', async () => {
    const server = await sshd();
    const session = start(
      ssh(server.rsh, `sh -c 'echo there; while sleep 0.1; do kill -0 $PPID || exit; done'`),
    );
    await session.line(/^there$/);
    expect(server.sessions().length).toBeGreaterThan(0);
    server.cut();
    expect((await session.ended).code).toBe(255);
    // sshd collects its dead children in its own time.
    await expect.poll(() => server.sessions(), { timeout: 20_000 }).toEqual([]);
  });
});

describe('rsyncd', () => {
  test('serves a module', async () => {
    const [from, to] = [source(), tempDir('target')];
    const server = await rsyncd({ path: from, config: ['exclude = /b'] });
    await must(['rsync', '-aHAX', '--modify-window=-1', server.url, `${to}/`]);
    expect(compareTrees(snapshotTree(from), snapshotTree(to))).toEqual(['"b" is only in the first']);
  });
});
