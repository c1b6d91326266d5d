import { describe, expect, it } from 'vitest';
import { defaultSettings } from '../../../src/config/options.ts';
import { remoteLine } from '../../../src/exec/command.ts';
import {
  configuredHook,
  directoryHook,
  farArgv,
  fileOfCommand,
  hookEnvironment,
  hookNames,
  nearArgv,
} from '../../../src/hook/plan.ts';

const FACTS = {
  server: 'srv',
  client: 'box',
  source: '/home dir',
  destination: '/bank/v/i/tree',
  vault: 'v',
  branch: 'daily',
  image: 'i',
};

it('the environment has dirvish names and ours, and nothing that is not known', () => {
  expect(hookEnvironment({ ...FACTS, status: 'fatal error' })).toEqual({
    DIRVISH_SERVER: 'srv',
    VAULT_SERVER: 'srv',
    DIRVISH_CLIENT: 'box',
    VAULT_CLIENT: 'box',
    DIRVISH_SRC: '/home dir',
    VAULT_SRC: '/home dir',
    DIRVISH_DEST: '/bank/v/i/tree',
    VAULT_DEST: '/bank/v/i/tree',
    DIRVISH_IMAGE: 'v:daily:i',
    VAULT_IMAGE: 'v:daily:i',
    DIRVISH_STATUS: 'fatal error',
    VAULT_STATUS: 'fatal error',
  });
});

it('dates in a command are those of the image, in its zone', () => {
  const settings = { ...defaultSettings(), 'pre-server': 'echo %Y-%m-%dT%H:%M %q' };
  expect(configuredHook(settings, 'pre-server', 1_700_000_000, 'Europe/Vienna')?.command).toBe(
    'echo 2023-11-14T23:13 %q',
  );
  expect(configuredHook(settings, 'post-client', 0, 'UTC')).toBeUndefined();
});

describe('the file that a command begins with', () => {
  it.each([
    ['/usr/local/sbin/dump', '/usr/local/sbin/dump'],
    ['  /a/b c d', '/a/b'],
    ['exec /a/b', '/a/b'],
    ['/a/b; /c', '/a/b'],
    ['/a/b&&c', '/a/b'],
    ['dump', undefined],
    ['X=1 /a/b', undefined],
    ['"/a b/c"', undefined],
    ['/a/$x', undefined],
  ])('%s', (command, file) => {
    expect(fileOfCommand(command)).toBe(file);
  });
});

it('hooks of a directory are NN-NAME, in order; nothing else is', () => {
  expect(
    hookNames([
      '90-z',
      '10-b',
      '10-a',
      'README',
      '20-x.bak',
      '20-x~',
      '.10-a',
      '05-ok.sh',
      '1 0-a',
      '10-a;b',
    ]),
  ).toEqual(['05-ok.sh', '10-a', '10-b', '90-z']);
  const settings = { ...defaultSettings(), 'hooks-dir-on': 'server' as const };
  expect(directoryHook(settings, "/etc/it's/", '10-a')).toEqual({
    stage: 'pre-server',
    label: 'pre-server 10-a',
    command: `'/etc/it'\\''s/10-a'`,
  });
});

it('a plain program takes the place of its shell in the tree; anything else stays as it is', () => {
  const last = (command: string) => farArgv(command).at(-1);
  expect(last('/usr/bin/btrfs-snapshot remove')).toBe('exec /usr/bin/btrfs-snapshot remove');
  expect(last('/usr/bin/a; /usr/bin/b')).toBe('/usr/bin/a; /usr/bin/b');
  expect(last('a=b /usr/bin/c')).toBe('a=b /usr/bin/c');
  expect(nearArgv('/x', true).at(-1)).toBe('/x');
  expect(nearArgv('/x', false).at(-1)).toMatch(/cd -- "\$VAULT_SRC" .*\nexec \/x$/s);
});

it('a remote line is the same to every shell', () => {
  expect(remoteLine({ argv: ['/bin/sh', '-c', `a 'b' $c\nd`], env: { A: `it's`, B: '$x' } })).toBe(
    `env 'A=it'\\''s' 'B=$x' /bin/sh -c 'a '\\''b'\\'' $c\nd'`,
  );
  expect(remoteLine({ argv: ['true'] })).toBe('true');
});
