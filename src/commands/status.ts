import type { CommandSpec } from './spec.ts';

export const spec: CommandSpec = {
  name: 'status',
  summary: 'tell whether everything is as it should be',
  description:
    'Tells of each vault how old its newest good image is, what is held, partial, failed, incomplete or frozen, and which file systems of a client are in none of its vaults.',
  arguments: [{ name: 'VAULT', summary: 'only this vault', required: false }],
  options: [{ name: 'alarm', summary: 'exit with 12 if anything needs attention' }],
  examples: ['vault status', 'vault status --alarm --quiet'],
  changes: false,
};
