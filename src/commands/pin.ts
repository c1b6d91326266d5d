import type { CommandSpec } from './spec.ts';

export const spec: CommandSpec = {
  name: 'pin',
  summary: 'keep an image for ever',
  description:
    'A pinned image never expires, whatever the rules say, until it is unpinned. Its date of expiry is set aside in its summary; dirvish-expire leaves it alone too.',
  arguments: [{ name: 'VAULT[:BRANCH]@WHEN', summary: 'the image', required: true }],
  options: [],
  examples: ['vault pin laptop-root@latest', 'vault pin laptop-root@2026-11-20'],
  changes: true,
};
