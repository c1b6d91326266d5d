import { describe, expect, it } from 'vitest';
import { algorithmsFor, checkKey } from '../../../src/exec/host-check.ts';
import { fingerprint, type KnownKey } from '../../../src/exec/host-keys.ts';
import { expandTokens, jumpArgv, parseSshLogin } from '../../../src/exec/ssh-settings.ts';

describe('what ssh -G tells of logging in', () => {
  it('is read', () => {
    const text = `identityfile ~/.ssh/id_rsa
identityfile /keys/%r@%h
identitiesonly yes
identityagent none
proxyjump a,b
connecttimeout 7
`;
    expect(parseSshLogin(text)).toEqual({
      identityFiles: ['~/.ssh/id_rsa', '/keys/%r@%h'],
      identitiesOnly: true,
      identityAgent: 'none',
      proxyJump: 'a,b',
      proxyCommand: undefined,
      connectTimeout: 7,
    });
  });

  it('where nothing is set', () => {
    expect(parseSshLogin('identityfile none\nproxycommand none\nconnecttimeout none\n')).toEqual({
      identityFiles: [],
      identitiesOnly: false,
      identityAgent: undefined,
      proxyJump: undefined,
      proxyCommand: undefined,
      connectTimeout: undefined,
    });
  });
});

it('tokens are replaced, unknown ones stay', () => {
  const tokens = { h: 'host', r: 'me' };
  expect(expandTokens('~/k/%r@%h 100%% %X', '/home/me', tokens)).toBe('/home/me/k/me@host 100% %X');
  expect(expandTokens('~other/k', '/home/me', tokens)).toBe('~other/k');
});

describe('the way through jump hosts', () => {
  const base = ['ssh', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes'];
  it.each([
    ['gate', [...base, '-W', '[box]:22', '--', 'gate']],
    ['me@gate:2222', [...base, '-l', 'me', '-p', '2222', '-W', '[box]:22', '--', 'gate']],
    ['a,ssh://me@[::1]:5', [...base, '-J', 'a', '-l', 'me', '-p', '5', '-W', '[box]:22', '--', '::1']],
  ])('%s', (jumps, argv) => {
    expect(jumpArgv(['ssh'], jumps, 'box', 22)).toEqual(argv);
  });

  it('takes the configuration along, and nothing that is meant for the client', () => {
    const argv = jumpArgv(['/opt/ssh', '-p', '99', '-F', '/cfg', '-i', 'key'], 'gate', 'box', 22);
    expect(argv.slice(0, 7)).toEqual(['/opt/ssh', ...base.slice(1), '-F', '/cfg']);
    expect(argv).not.toContain('99');
    expect(argv).not.toContain('key');
  });
});

describe('a host key', () => {
  const blob = Buffer.from('the key');
  const key = blob.toString('base64');
  const known = (more: Partial<KnownKey>): KnownKey => {
    return { type: 'ssh-ed25519', key, file: '/known_hosts', line: 3, marker: undefined, ...more };
  };

  it('that is known is fine', () => {
    expect(checkKey('box', blob, [known({ key: 'AAAA' }), known({})])).toBeUndefined();
  });

  it('that is another names both, and where the old one is', () => {
    const error = checkKey('box', blob, [known({ key: 'AAAA' })]);
    expect(error?.kind).toBe('unreachable');
    expect(error?.message).toContain(fingerprint({ type: '', key }));
    expect(error?.message).toContain(`${fingerprint({ type: '', key: 'AAAA' })} (/known_hosts:3)`);
  });

  it('that is not known, revoked, or signed by an authority is none', () => {
    expect(checkKey('box', blob, [])?.message).toMatch(/is not known: SHA256:/);
    expect(checkKey('box', blob, [known({}), known({ marker: 'revoked' })])?.message).toMatch(/is revoked/);
    expect(checkKey('box', blob, [known({ marker: 'authority', key: 'AAAA' })])?.message).toMatch(
      /certificates/,
    );
  });

  it('of a known type is asked for first', () => {
    expect(algorithmsFor([known({ type: 'ssh-rsa' })]).slice(0, 3)).toEqual([
      'rsa-sha2-512',
      'rsa-sha2-256',
      'ssh-ed25519',
    ]);
    expect(algorithmsFor([])[0]).toBe('ssh-ed25519');
  });
});
