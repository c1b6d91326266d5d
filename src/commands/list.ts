import type { CommandSpec } from './spec.ts';

export const spec: CommandSpec = {
  name: 'list',
  summary: 'list the vaults, or the images of one vault',
  description:
    'Without a vault: all vaults, with the newest good image of each branch. With one: its images, oldest first.',
  arguments: [{ name: 'VAULT[:BRANCH]', summary: 'vault, and one of its branches', required: false }],
  options: [],
  examples: ['vault list', 'vault list laptop-root', 'vault list laptop-root:weekly --json'],
  changes: false,
};
