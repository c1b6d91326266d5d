import type { CommandSpec } from './spec.ts';

export const spec: CommandSpec = {
  name: 'config show',
  summary: 'show every option in effect and where it was set',
  description:
    'Shows the value in effect of every option for a vault and branch, and the file and line it came from. Without a vault: what the master file says.',
  arguments: [{ name: 'VAULT[:BRANCH]', summary: 'vault, and one of its branches', required: false }],
  options: [],
  examples: ['vault config show', 'vault config show laptop-root', 'vault config show laptop-root --json'],
  changes: false,
};
