import { dirname } from 'node:path';
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { needs } from '../../support/needs.ts';
import { must, ran } from '../../support/process.ts';
import { sshd } from '../../support/sshd.ts';
import { tempDir } from '../../support/temp.ts';
import { fill, makePlace, unlike } from '../run/place.ts';
import { HOOKS, hooksOf } from './ground.ts';

needs('root', 'rsync', 'sshd', 'xattr');

it('trust --install-key leaves a key that can do what the vault needs, and nothing else', async () => {
  const account = tempDir('account');
  const server = await sshd({ config: [`SetEnv HOME=${account}`] });
  symlinkSync(dirname(server.configFile), `${account}/.ssh`);
  const keys = `${account}/.ssh/authorized_keys`;
  const other = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFzyHuPyXjypNBfnnKGP5hR1k6NicUljoHvdpZmJuMXX other\n';
  writeFileSync(keys, `${other}${readFileSync(keys, 'utf8')}`);
  const hook = `${HOOKS}/template pre-client`;
  const place = makePlace({
    client: 'box',
    vault: `rsh: ${server.rsh}\npre-client: ${hook}\ncapture: 1\ncapture-command: /bin/sh -s -- --no-flags\n`,
  });
  fill(place.source);

  const before = readFileSync(keys, 'utf8');
  const shown = await must(place.argv('trust', 'box', '--show-key'));
  expect(shown.out).toMatch(
    new RegExp(
      `^restrict,command="~/.ssh/vault-ssh-filter --tree ${place.source} --hook '${hook}' --capture [0-9a-f]{64}" ssh-ed25519 `,
      'm',
    ),
  );
  const asked = await place.call(['trust', 'box', '--install-key']);
  expect(asked.code).toBe(10);
  expect(readFileSync(keys, 'utf8')).toBe(before);

  await must(place.argv('trust', 'box', '--install-key', '--yes'));
  const lines = readFileSync(keys, 'utf8').trim().split('\n');
  expect(lines[0]).toBe(other.trim());
  expect(lines).toHaveLength(2);
  expect(statSync(`${account}/.ssh/vault-ssh-filter`).mode & 0o777).toBe(0o700);

  const shell = await ran(['sh', '-c', `${server.rsh} box 'touch ${account}/bad'`]);
  expect(shell.code).toBe(126);
  expect(shell.err).toContain('ssh-filter: refused: touch');
  expect(existsSync(`${account}/bad`)).toBe(false);
  await place.image('i1');
  expect(unlike(place, 'i1')).toEqual([]);
  expect(hooksOf(`${place.vault}/i1`)).toEqual({ 'pre-client': 'ok' });
  expect(existsSync(`${place.vault}/i1/machine.json`)).toBe(true);
  const again = await place.call(['trust', 'box', '--install-key', '--yes']);
  expect(again.code).toBe(4);
});
