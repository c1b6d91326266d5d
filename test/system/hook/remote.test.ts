import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseMachine } from '../../../src/metal/describe-schema.ts';
import { needs } from '../../support/needs.ts';
import { cleanUp } from '../../support/cleanup.ts';
import { must, mustSync, start } from '../../support/process.ts';
import { sshd, type Sshd, type SshdOptions } from '../../support/sshd.ts';
import { tempDir } from '../../support/temp.ts';
import { hookLines, HOOKS, hooksOf, makeHookPlace, STAGES, type HookPlace } from './ground.ts';

needs('root', 'rsync', 'sshd', 'xattr');

interface RemotePlace extends HookPlace {
  readonly server: Sshd;
}

async function remotePlace(lines: string, options: SshdOptions = {}): Promise<RemotePlace> {
  const server = await sshd(options);
  const place = makeHookPlace({ client: 'box', vault: `rsh: ${server.rsh}\n${lines}` });
  return { ...place, server };
}

/** A place whose client hooks record on the client. */
async function recordingPlace(options: SshdOptions = {}): Promise<RemotePlace> {
  const place = await remotePlace('', options);
  reconfigure(place, place.server.rsh);
  return place;
}

function reconfigure(place: HookPlace, rsh: string): void {
  const recording = `HOOK_RECORD=${place.home}/record ${HOOKS}/template`;
  const lines = `pre-client: ${recording} pre-client\npost-client: ${recording} post-client\n`;
  place.configure(`rsh: ${rsh}\n${lines}`);
}

/** That both hooks were run on the client. */
async function expectHooks(place: HookPlace, env: Record<string, string> = {}): Promise<void> {
  const ran = await place.call(['run', 'v', '--image', 'i1'], { env });
  expect(ran.err).toBe('');
  expect(ran.code).toBe(0);
  expect(hooksOf(`${place.vault}/i1`)).toEqual({ 'pre-client': 'ok', 'post-client': 'ok' });
  const [record] = place.records();
  expect(record?.get('VAULT_CLIENT')).toBe('box');
  expect(record?.get('directory')).toBe(place.source);
}

/** The ssh_config of a server, changed. */
function changedConfig(server: Sshd, change: (text: string) => string): string {
  const file = `${tempDir('config')}/ssh_config`;
  writeFileSync(file, change(readFileSync(server.configFile, 'utf8')));
  return `ssh -F ${file}`;
}

/** An agent with the key of the server's client. */
async function agentWith(key: string): Promise<string> {
  const socket = `${tempDir('agent')}/socket`;
  const agent = start(['ssh-agent', '-D', '-a', socket], { timeoutMs: 3_600_000 });
  cleanUp(() => agent.stop());
  await agent.line(/SSH_AUTH_SOCK/);
  await must(['ssh-add', '-q', key], { env: { SSH_AUTH_SOCK: socket } });
  return socket;
}

function keyOf(server: Sshd): string {
  return /IdentityFile (.*)/.exec(readFileSync(server.configFile, 'utf8'))?.[1] ?? '';
}

describe('on a client', () => {
  it('all four are run where they belong', async () => {
    const place = await remotePlace(hookLines({}));
    const ran = await place.go('i1');
    expect(ran.code).toBe(0);
    expect(hooksOf(`${place.vault}/i1`)).toEqual(Object.fromEntries(STAGES.map((stage) => [stage, 'ok'])));
    const log = readFileSync(`${place.vault}/i1/log`, 'utf8');
    expect(log).toContain(`pre-client| directory ${place.source}\n`);
    expect(log).toContain('post-client| VAULT_STATUS success\n');
    // Only those of this machine got our environment.
    expect(place.records().map((record) => record.get('hook'))).toEqual(['pre-server', 'post-server']);
  });

  it('they share one connection, and the capture too', async () => {
    const capture =
      'cat > /dev/null; echo "vault-capture 1 begin"; echo "@ df"; echo "|$SSH_CONNECTION"; echo "|= ok"';
    const script = `${tempDir('capture')}/capture`;
    writeFileSync(script, `#!/bin/sh\n${capture}; echo "vault-capture 1 end"\n`, { mode: 0o755 });
    const place = await remotePlace(
      `pre-client: echo "$SSH_CONNECTION"\npost-client: echo "$SSH_CONNECTION"\ncapture: 1\ncapture-command: ${script}\n`,
    );
    expect((await place.go('i1')).code).toBe(0);
    const log = readFileSync(`${place.vault}/i1/log`, 'utf8');
    const connections = [...log.matchAll(/^\S+-client\| (127\.0\.0\.1 \d+ .*)$/gm)].map(([, each]) => each);
    expect(connections).toHaveLength(2);
    expect(new Set([...connections, readFileSync(`${place.vault}/i1/df.box`, 'utf8').trim()]).size).toBe(1);
  });

  it('with the key of an agent, of many, and a key in a file that needs a passphrase', async () => {
    const place = await recordingPlace();
    const key = keyOf(place.server);
    const agent = await agentWith(key);
    for (const name of ['x', 'y', 'z', 'u', 'v', 'w', 'r']) {
      const other = `${tempDir('key')}/${name}`;
      mustSync(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', other]);
      await must(['ssh-add', '-q', other], { env: { SSH_AUTH_SOCK: agent } });
    }
    // The public half alone tells which key of the agent to take.
    mustSync(['ssh-keygen', '-q', '-p', '-N', 'a passphrase', '-f', key]);
    await expectHooks(place, { SSH_AUTH_SOCK: agent });
  });

  it('with an agent that the configuration names', async () => {
    const place = await recordingPlace();
    const agent = await agentWith(keyOf(place.server));
    reconfigure(
      place,
      changedConfig(place.server, (text) =>
        text.replace(/IdentityFile .*/, `IdentityAgent ${agent}`).replace(/IdentitiesOnly yes/, ''),
      ),
    );
    await expectHooks(place, { SSH_AUTH_SOCK: '/nowhere' });
  });

  it('that is known by hashed names, and by one type of key alone', async () => {
    const place = await recordingPlace({ hostKeys: ['ed25519', 'rsa', 'ecdsa'], known: ['rsa'] });
    mustSync(['ssh-keygen', '-q', '-H', '-f', place.server.knownHosts]);
    expect(readFileSync(place.server.knownHosts, 'utf8')).toMatch(/^\|1\|.* ssh-rsa /);
    await expectHooks(place);
  });

  it('behind another: ProxyJump, and ProxyCommand', async () => {
    const jump = await sshd();
    const place = await recordingPlace();
    const { server } = place;
    const target = readFileSync(server.configFile, 'utf8').replace('Host *', 'Host box');
    const gate = readFileSync(jump.configFile, 'utf8').replace('Host *', 'Host gate');
    const file = `${tempDir('config')}/ssh_config`;
    for (const way of ['ProxyJump gate', `ProxyCommand ssh -F ${file} -W %h:%p gate`]) {
      writeFileSync(file, `${target}  ${way}\n${gate}`);
      reconfigure(place, `ssh -F ${file}`);
      const ran = await place.call(['run', 'v', '--verbose']);
      expect(ran.code).toBe(0);
      expect(place.records().length).toBeGreaterThan(0);
    }
    await jump.line(/Accepted publickey/);
  });

  it('whose shell greets, prints and is chatty', async () => {
    const home = tempDir('home');
    // rsync itself bears none of it, so that clients keep it quiet.
    writeFileSync(
      `${home}/noisy`,
      `#!/bin/sh
case $SSH_ORIGINAL_COMMAND in *--server*) ;; *) echo 'welcome to box'; echo 'be warned' >&2 ;; esac
exec /bin/bash -c "$SSH_ORIGINAL_COMMAND"
`,
      { mode: 0o755 },
    );
    writeFileSync(`${home}/banner`, 'Unauthorized access is prohibited.\n');
    const place = await remotePlace(
      'pre-client: echo hook\ncapture: 1\ncapture-command: /bin/sh -s -- --no-flags\n',
      { config: [`Banner ${home}/banner`], forceCommand: `${home}/noisy` },
    );
    expect((await place.go('i1')).code).toBe(0);
    expect(hooksOf(`${place.vault}/i1`)).toEqual({ 'pre-client': 'ok' });
    expect(readFileSync(`${place.vault}/i1/log`, 'utf8')).toContain('pre-client| welcome to box\n');
    const machine = parseMachine(readFileSync(`${place.vault}/i1/machine.json`, 'utf8'));
    expect(machine).toMatchObject({ client: 'box', captured: { asRoot: true } });
  });

  it('that loses the connection during the transfer is reached once more for its post hook', async () => {
    const place = await remotePlace('');
    const hooks = 'pre-server: echo beside > ../beside\npre-client: true\npost-client: echo again\n';
    place.configure(`rsh: ${place.server.rsh}\n${hooks}rsync: ${place.home}/cutting\n`);
    const pids = `${place.home}/pids`;
    writeFileSync(
      `${place.home}/cutting`,
      // The first time, every session of the server is killed, and rsync ends as it does then.
      `#!/bin/sh\ncase $* in *--version*) exec rsync --version ;; esac\n[ -e ${pids} ] || { touch ${pids}; pkill -9 -P ${serverPid(place.server)}; exit 12; }\nexec rsync "$@"\n`,
      { mode: 0o755 },
    );
    const ran = await place.go('i1');
    expect(ran.err).toContain('trying again');
    expect(ran.err).not.toContain('connection lost');
    expect(ran.code).toBe(0);
    expect(readFileSync(`${place.vault}/i1/beside`, 'utf8')).toBe('beside\n');
    expect(readFileSync(`${place.vault}/i1/log`, 'utf8')).toContain('post-client| again\n');
  });
});

function serverPid(server: Sshd): number {
  const [pid = ''] = mustSync(['sh', '-c', `ss -Hltnp "sport = :${server.port}" | sed 's/.*pid=//; s/,.*//'`])
    .toString()
    .split('\n');
  return Number(pid);
}

describe('a hook that goes wrong on the client', () => {
  it.each([
    ['echo gone >&2; exit 3', 'failed 3'],
    ['kill -9 $$', 'failed 137'],
    ['exec sleep 600', 'timed out'],
    ['trap "" HUP; exec sleep 600', 'timed out'],
    ['no-such-program', 'failed 127'],
  ])('%s', async (command, outcome) => {
    const place = await remotePlace(`hook-timeout: 1\npre-client: ${command}\npost-server: true\n`);
    const ran = await place.go('i1');
    expect(ran.code).toBe(9);
    expect(ran.err).toContain(`hook pre-client: ${outcome}`);
    expect(place.images()).toEqual([]);
  });

  it('and cannot be ended at all', async () => {
    const forced = `${tempDir('forced')}/command`;
    writeFileSync(
      forced,
      '#!/bin/sh\ncase $SSH_ORIGINAL_COMMAND in *vault-hook*) exec sleep 600 ;; esac\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n',
    );
    chmodSync(forced, 0o755);
    const lines = 'hook-timeout: 1\npre-client: true\npost-server: true\n';
    const ran = await (await remotePlace(lines, { forceCommand: forced })).go('i1');
    expect(ran.code).toBe(9);
    expect(ran.err).toContain('hook pre-client: timed out');
  });

  it('kills the connection', async () => {
    const place = await remotePlace('pre-client: kill -9 $PPID\n');
    const ran = await place.go('i1');
    expect(ran.code).toBe(9);
    expect(ran.err).toMatch(/hook pre-client: failed: (connection lost|killed by)/);
  });

  it('leaves a daemon behind that holds the outputs', async () => {
    const place = await remotePlace('pre-client: echo started; setsid sleep 600 & echo $!\n');
    const before = Date.now();
    const ran = await place.go('i1');
    expect(ran.code).toBe(0);
    expect(Date.now() - before).toBeLessThan(30_000);
    const log = readFileSync(`${place.vault}/i1/log`, 'utf8');
    const pid = /pre-client\| (\d+)/.exec(log)?.[1] ?? '';
    mustSync(['kill', pid]);
    expect(log).toContain('pre-client| started\n');
  });

  it('cannot enter the tree', async () => {
    const place = await remotePlace('pre-client: true\n');
    mustSync(['rm', '-r', place.source]);
    const ran = await place.go('i1');
    expect(ran.code).toBe(9);
    expect(ran.err).toContain(`hook pre-client: failed: cannot enter ${place.source}`);
  });

  it('is not run where there is no sh, and the capture only warns', async () => {
    const forced = `${tempDir('forced')}/command`;
    writeFileSync(
      forced,
      `#!/bin/bash
exec unshare --mount bash -c 'mount --bind /dev/null "$(readlink -f /bin/sh)" && exec bash -c "$SSH_ORIGINAL_COMMAND"'
`,
      { mode: 0o755 },
    );
    const place = await remotePlace('capture: 1\n', { forceCommand: forced });
    const ran = await place.go('i1');
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(/v@i1: good .*\n(.*\n)* {2}warning: capture failed: .*exit code 126/);
    place.configure(`rsh: ${place.server.rsh}\npre-client: true\n`);
    const hooked = await place.go('i2');
    expect(hooked.code).toBe(9);
    expect(hooked.err).toContain('hook pre-client: failed 126');
  });
});

describe('a host key', () => {
  it('that has changed stops the run, and both fingerprints are shown', async () => {
    const place = await recordingPlace();
    const before = fingerprint(`${keyOf(place.server).replace(/client$/, 'host_ed25519')}.pub`);
    await place.server.changeHostKeys();
    const after = fingerprint(`${keyOf(place.server).replace(/client$/, 'host_ed25519')}.pub`);
    const ran = await place.go('i1');
    expect(ran.code).toBe(11);
    expect(ran.err).toContain('has changed');
    expect(ran.err).toContain(before);
    expect(ran.err).toContain(after);
    expect(place.records()).toEqual([]);
  });

  it('that is not known stops the run, and its fingerprint is shown', async () => {
    const place = await recordingPlace({ known: [] });
    const ran = await place.go('i1');
    expect(ran.code).toBe(11);
    expect(ran.err).toMatch(/is not known/);
    expect(place.records()).toEqual([]);
  });
});

function fingerprint(file: string): string {
  return mustSync(['ssh-keygen', '-lf', file]).toString().split(' ')[1] ?? '';
}
