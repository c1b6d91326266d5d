import { describe, expect, it } from 'vitest';
import { keysWith, knownHostsLines, planTrust, withoutHost } from '../../../src/care/trust.ts';
import {
  fingerprint,
  parseFound,
  parseKeys,
  type HostKey,
  type KnownKey,
} from '../../../src/exec/host-keys.ts';
import { parseSshSettings } from '../../../src/exec/ssh-settings.ts';

const ED: HostKey = {
  type: 'ssh-ed25519',
  key: 'AAAAC3NzaC1lZDI1NTE5AAAAIFzyHuPyXjypNBfnnKGP5hR1k6NicUljoHvdpZmJuMXX',
};
const OTHER_ED: HostKey = { ...ED, key: `${ED.key.slice(0, -4)}AAAA` };
const RSA: HostKey = { type: 'ssh-rsa', key: 'AAAAB3NzaC1yc2EAAAADAQABAAAAgQDIrtIX' };

function known(key: HostKey, marker?: KnownKey['marker']): KnownKey {
  return { ...key, file: '/root/.ssh/known_hosts', line: 3, marker };
}

describe('planTrust', () => {
  it.each([
    ['nothing known', [ED, RSA], [], 'add'],
    ['all known', [ED, RSA], [known(ED), known(RSA)], 'known'],
    ['one of them known', [ED, RSA], [known(ED)], 'known'],
    ['a known one not offered any more', [ED], [known(ED), known(RSA)], 'known'],
    ['another key of a known type', [OTHER_ED], [known(ED)], 'replace'],
    ['one right, one changed', [OTHER_ED, RSA], [known(ED), known(RSA)], 'replace'],
    ['only types that were never seen', [RSA], [known(ED)], 'replace'],
    ['two known of a type, one of them right', [ED], [known(ED), known(OTHER_ED)], 'known'],
    ['a certificate authority only', [ED], [known(RSA, 'authority')], 'add'],
    ['another key revoked', [ED], [known(OTHER_ED, 'revoked')], 'add'],
  ])('%s', (_, offered, keys, kind) => expect(planTrust(offered, keys).kind).toBe(kind));
  it('trusts only what is known when one of several is', () => {
    expect(planTrust([ED, RSA], [known(ED)])).toEqual({ kind: 'known', keys: [ED] });
  });
  it('refuses a revoked key, whatever else is known', () => {
    expect(() => planTrust([ED], [known(ED), known(ED, 'revoked')])).toThrow('revoked key: SHA256:S13ysNMT');
  });
});

describe('fingerprints', () => {
  it('are those of ssh-keygen -lf', () => {
    expect(fingerprint(ED)).toBe('SHA256:S13ysNMTqz0ieGhUhhH1knxvNzjXgxWZNhsLXsfcVHc');
  });
  it('choose keys, and all must be there', () => {
    expect(keysWith([ED, RSA], [fingerprint(RSA)])).toEqual([RSA]);
    expect(keysWith([ED, RSA], [`${fingerprint(RSA)}=`, fingerprint(ED)])).toEqual([ED, RSA]);
    expect(() => keysWith([ED], [fingerprint(ED), fingerprint(RSA)])).toThrow(fingerprint(RSA));
    expect(() => keysWith([ED], ['SHA256:'])).toThrow('No key of the host');
  });
});

describe('what OpenSSH prints', () => {
  it('parses ssh-keyscan', () => {
    const text = `# host:22 SSH-2.0-OpenSSH_9.2p1\n[h]:2299 ${ED.type} ${ED.key}\n[h]:2299 ${ED.type} ${ED.key}\n\nbad\n`;
    expect(parseKeys(text)).toEqual([ED]);
  });
  it('parses ssh-keygen -F', () => {
    const text = [
      '# Host [h]:2299 found: line 4 ',
      `[h]:2299 ${ED.type} ${ED.key} a comment`,
      '# Host [h]:2299 found: line 17 REVOKED',
      `@revoked * ${RSA.type} ${RSA.key}`,
      '# Host [h]:2299 found: line 18 CA',
      `@cert-authority * ${RSA.type} ${RSA.key}`,
      '',
    ].join('\n');
    expect(parseFound(text, 'f')).toEqual([
      { ...ED, file: 'f', line: 4, marker: undefined },
      { ...RSA, file: 'f', line: 17, marker: 'revoked' },
      { ...RSA, file: 'f', line: 18, marker: 'authority' },
    ]);
  });
  it('parses ssh -G', () => {
    const text = [
      'host Laptop',
      'user root',
      'hostname 192.168.1.5',
      'port 2222',
      'hashknownhosts yes',
      'proxyusefdpass no',
      'globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2',
      'userknownhostsfile /root/.ssh/known_hosts none',
      'proxyjump none',
    ].join('\n');
    expect(parseSshSettings(text)).toEqual({
      host: '192.168.1.5',
      port: 2222,
      user: 'root',
      knownAs: '[192.168.1.5]:2222',
      userKnownHosts: ['/root/.ssh/known_hosts'],
      globalKnownHosts: ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'],
      hashed: true,
      proxied: false,
    });
    expect(parseSshSettings(`${text}\nhostkeyalias lap`)?.knownAs).toBe('lap');
    expect(parseSshSettings(text.replace('2222', '22'))?.knownAs).toBe('192.168.1.5');
    expect(parseSshSettings(text.replace('proxyjump none', 'proxycommand nc h 22'))?.proxied).toBe(true);
    expect(parseSshSettings('rsh: usage')).toBeUndefined();
  });
});

describe('known_hosts', () => {
  it('gets plain or hashed lines', () => {
    expect(knownHostsLines('h', [ED, RSA], undefined)).toBe(
      `h ${ED.type} ${ED.key}\nh ${RSA.type} ${RSA.key}\n`,
    );
    const salt = Buffer.from('UZ+QooWJCV8/9+lNJ3koJwQ4bvI=', 'base64');
    // As ssh-keygen -H hashed the same name with the same salt.
    expect(knownHostsLines('[127.0.0.1]:2299', [ED], salt)).toBe(
      `|1|UZ+QooWJCV8/9+lNJ3koJwQ4bvI=|b0dfZivmHfaW19bXqnuzBtVmjAc= ${ED.type} ${ED.key}\n`,
    );
  });
  const text =
    '# mine\nother ssh-rsa A\nh ssh-rsa B\nh,h.example ssh-rsa C\n|1|x|y ssh-rsa D\n*.example ssh-rsa E\n';
  it('loses the host from the given lines and nothing else', () => {
    expect(withoutHost(text, 'f', 'h', [3, 4, 5])).toBe(
      '# mine\nother ssh-rsa A\nh.example ssh-rsa C\n*.example ssh-rsa E\n',
    );
    expect(withoutHost(text, 'f', 'h', [])).toBe(text);
  });
  it('keeps a pattern, which others may need', () => {
    expect(() => withoutHost(text, 'f', 'a.example', [6])).toThrow('f:6 knows the host by a pattern');
  });
});
