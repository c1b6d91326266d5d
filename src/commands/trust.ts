import type { CommandSpec } from './spec.ts';

export const spec: CommandSpec = {
  name: 'trust',
  summary: "learn a client's SSH host key, after you confirmed it",
  description:
    'Asks the client for its host keys, shows their fingerprints, and adds them to known_hosts once you confirmed them. Compare with what the client itself says: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. A changed key is refused unless --replace is given.',
  arguments: [
    { name: 'CLIENT', summary: 'client as in the configuration: HOST or USER@HOST', required: true },
  ],
  options: [
    {
      name: 'fingerprint',
      value: 'SHA256:...',
      summary: 'trust the key with this fingerprint, without asking',
      many: true,
    },
    { name: 'replace', summary: 'replace a key that has changed' },
    {
      name: 'show-key',
      summary:
        'print the line for authorized_keys that lets vault do there what its vaults need, and no more',
    },
    { name: 'install-key', summary: 'put that line, and the filter it names, on the client' },
    { name: 'yes', summary: 'install without asking' },
  ],
  examples: ['vault trust laptop', 'vault trust laptop --fingerprint SHA256:uNiVztksCsDhcc0u9e8BrqXVcUuK...'],
  changes: true,
};
