import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../../support/needs.ts';
import { must, ran } from '../../support/process.ts';
import { sshd } from '../../support/sshd.ts';
import { tempDir } from '../../support/temp.ts';
import { fill, makePlace, unlike } from '../run/place.ts';
import { HOOKS, hooksOf } from './ground.ts';

const ready = needs('root', 'rsync', 'sshd', 'xattr');

const FILTER = `${HOOKS}/ssh-filter`;
const SHA = createHash('sha256')
  .update(readFileSync(`${HOOKS}/capture`))
  .digest('hex');

/** What a forced command would say to a command line. */
function ask(options: readonly string[], command: string, input = '') {
  const env = { SSH_ORIGINAL_COMMAND: command };
  return ran(['sh', FILTER, ...options], { env, input, timeoutMs: 10_000 });
}

describe('by a forced command', () => {
  it('vault works as without: delta, hooks, capture', async () => {
    const source = tempDir('filtered');
    const hook = `${HOOKS}/template pre-client`;
    const forced = `${tempDir('forced')}/command`;
    writeFileSync(
      forced,
      `#!/bin/sh\nexec sh ${FILTER} --tree ${source} --hook '${hook}' --capture ${SHA}\n`,
      { mode: 0o755 },
    );
    const server = await sshd({ forceCommand: forced });
    const place = makePlace({
      client: 'box',
      tree: source,
      vault: `rsh: ${server.rsh}\npre-client: ${hook}\npost-client: touch ${source}/bad\ncapture: 1\ncapture-command: /bin/sh -s -- --no-flags\n`,
    });
    fill(source);
    mkdirSync(`${source}/it's`);
    for (const [name, engine] of [
      ['i1', 'link-dest'],
      ['i2', 'delta'],
    ] as const) {
      writeFileSync(`${source}/it's/a "new" $file`, name);
      const made = await place.call(['run', 'v', '--image', name]);
      expect(made.err).not.toMatch(/refused: (rsync|the path)|error:/);
      expect(made.out).toMatch(new RegExp(`v@${name}: good .*\\(${engine}`));
      // The other hook is none of the named ones.
      expect(made.code).toBe(9);
      expect(hooksOf(`${place.vault}/${name}`)).toEqual({ 'pre-client': 'ok', 'post-client': 'failed 126' });
      expect(existsSync(`${place.vault}/${name}/machine.json`)).toBe(true);
      expect(unlike({ ...place, source }, name)).toEqual([]);
    }
    expect(readFileSync(`${place.vault}/i2/log`, 'utf8')).toContain(`pre-client| directory ${source}\n`);
    expect(existsSync(`${source}/bad`)).toBe(false);
  });
});

describe('what is refused', () => {
  let tree: string;
  let victim: string;

  beforeAll(() => {
    if (!ready) return;
    const home = tempDir('attack');
    tree = `${home}/tree`;
    victim = `${home}/victim`;
    mkdirSync(tree);
    mkdirSync(victim);
    writeFileSync(`${tree}/a`, 'a');
    writeFileSync(`${victim}/secret`, 'secret');
    symlinkSync(victim, `${tree}/out`);
  });

  const SEND = 'rsync --server --sender -logDtpre.iLsfxCIvu';
  const SHELL = "/bin/sh -c 'exit' vault-hook";
  /** TREE is allowed, VICTIM is beside it; touching OWNED is what an attacker wants. */
  const ATTACKS: readonly (readonly [string, string])[] = [
    ['no command: a shell', ''],
    ['a shell by name', 'sh'],
    ['a login shell', 'bash -i'],
    ['another program', 'touch OWNED'],
    ['a program by path', '/usr/bin/touch OWNED'],
    ['scp', 'scp -t TREE'],
    ['sftp', '/usr/lib/openssh/sftp-server'],
    ['a push', 'rsync --server -logDtpre.iLsfxCIvu . TREE'],
    ['a push that says it sends, later', 'rsync --server -logDtpre.iLsfxCIvu . TREE --sender'],
    ['no server at all', 'rsync -a VICTIM/ TREE/'],
    ['a path beside the tree', `${SEND} . VICTIM/`],
    ['a path that begins like the tree', `${SEND} . TREE2/`],
    ['..', `${SEND} . TREE/../victim/`],
    ['.. at the end', `${SEND} . TREE/..`],
    ['a path through a link', `${SEND} . TREE/out/`],
    ['the root', `${SEND} . /`],
    ['a relative path', `${SEND} . victim`],
    ['a home', `${SEND} . ~`],
    ['two paths, one of them outside', `${SEND} . TREE/ VICTIM/`],
    ['no path', `${SEND} .`],
    ['a path in place of the dot', `${SEND} VICTIM/ TREE/`],
    ['copying what links lead to', `rsync --server --sender -LlogDtpre.iLsfxCIvu . TREE/`],
    ['the same, in long', `${SEND} --copy-links . TREE/`],
    ['copying what links lead to, when unsafe', `${SEND} --copy-unsafe-links . TREE/`],
    ['following links to directories', `rsync --server --sender -klogDtpre.iLsfxCIvu . TREE/`],
    ['paths that come later', `rsync --server --sender -slogDtpre.iLsfxCIvu . TREE/`],
    ['the same, in long', `${SEND} --protect-args . TREE/`],
    ['removing what was sent', `${SEND} --remove-source-files . TREE/`],
    ['the same, by its old name', `${SEND} --remove-sent-files . TREE/`],
    ['a log file', `${SEND} --log-file=OWNED . TREE/`],
    ['a list of files of the client', `${SEND} --files-from=VICTIM/secret . TREE/`],
    ['excludes out of a file', `${SEND} --exclude-from=VICTIM/secret . TREE/`],
    ['a batch', `${SEND} --write-batch=OWNED . TREE/`],
    ['a daemon', 'rsync --server --daemon .'],
    ['a daemon, disguised', `rsync --server --sender --daemon --config=VICTIM/secret . TREE/`],
    ['a remote shell of its own', `rsync --server --sender -e 'touch OWNED' . TREE/`],
    ['the same, glued', `rsync --server --sender '-rse touch OWNED' . TREE/`],
    ['a temporary directory', `${SEND} --temp-dir=VICTIM . TREE/`],
    ['copying devices as files', `${SEND} --copy-devices . TREE/`],
    ['another rsync', 'TREE/rsync --server --sender -re.iLsfxCIvu . TREE/'],
    ['two commands', `${SEND} . TREE/; touch OWNED`],
    ['two commands, in the background', `${SEND} . TREE/ & touch OWNED`],
    ['a second line', `${SEND} . TREE/\ntouch OWNED`],
    ['a pipe', `${SEND} . TREE/ | touch OWNED`],
    ['a redirection', `${SEND} . TREE/ > OWNED`],
    ['a substitution', `${SEND} . TREE/$(touch OWNED)`],
    ['a substitution in double quotes', `${SEND} . "TREE/$(touch OWNED)"`],
    ['the same with backquotes', `${SEND} . TREE/\`touch OWNED\``],
    ['a variable', `${SEND} . $HOME`],
    ['a pattern', `${SEND} . TREE/*`],
    ['an open quote', `${SEND} . 'TREE/`],
    ['a backslash at the end', `${SEND} . TREE/\\`],
    ['a control character', `${SEND} . TREE/\u0001`],
    ['a newline in a quoted path', `${SEND} . 'TREE/\n/etc'`],
    ['a hook that is not named', `env ${SHELL} 'touch OWNED'`],
    ['more than a named hook', `env ${SHELL} 'true; touch OWNED'`],
    ['a named hook with more words', `env ${SHELL} 'true' x`],
    ['a hook with another shell', `env /bin/bash -c exit vault-hook true`],
    ['a variable that loads code', `env LD_PRELOAD=VICTIM/secret ${SHELL} true`],
    ['a variable that looks right', `env 'VAULT_X;touch OWNED=1' ${SHELL} true`],
    ['env with options', `env -i ${SHELL} true`],
    ['env alone', 'env touch OWNED'],
    ['a script that is not the known one', '/bin/sh -s'],
    ['a script by name', '/bin/sh OWNED'],
    ['a script with -c', "/bin/sh -c 'touch OWNED'"],
    ['a probe that does more', "sh -c 'touch OWNED' --vault-probe--"],
  ];

  it.each(ATTACKS)('%s', async (_, attack) => {
    const owned = `${victim}/owned`;
    const command = attack.replaceAll('TREE', tree).replaceAll('VICTIM', victim).replaceAll('OWNED', owned);
    const options = ['--tree', tree, '--hook', 'true', '--capture', SHA];
    const answer = await ask(options, command, 'touch VICTIM/owned\n'.replace('VICTIM', victim));
    expect(answer.err).toMatch(/^ssh-filter: refused: /);
    expect(answer.code).toBe(126);
    expect(answer.out).toBe('');
    expect(existsSync(owned)).toBe(false);
  });

  it('even with a probe that would do more: the answer is its own', async () => {
    const owned = `${victim}/owned`;
    const answer = await ask(['--tree', tree], `sh -c 'touch ${owned}; echo --vault-probe--'`);
    expect(answer.out).toMatch(/^rsync +version/);
    expect(existsSync(owned)).toBe(false);
  });

  it('a capture without leave, and with a script that was changed', async () => {
    const script = readFileSync(`${HOOKS}/capture`, 'utf8');
    expect((await ask(['--tree', tree], '/bin/sh -s', script)).code).toBe(126);
    expect((await ask(['--capture', SHA], '/bin/sh -s', `${script}touch ${victim}/owned\n`)).code).toBe(126);
    const flags = '/bin/sh -s -- --no-flags';
    expect((await ask(['--capture', SHA], flags, script)).out).toContain('vault-capture 1 end\n');
    expect((await ask(['--capture', SHA], '/bin/sh -s -- --no-flags x', script)).code).toBe(126);
  });

  it('with options of its own that are wrong: everything', async () => {
    for (const options of [['--tree'], ['--all'], ['/home']]) {
      expect((await ask(options, `${SEND} . ${tree}/`)).code).toBe(126);
    }
  });
});

it('is plain POSIX shell, as all hooks are', async () => {
  await must(['sh', '-n', FILTER]);
});
