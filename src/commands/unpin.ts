import type { CommandSpec } from './spec.ts';

export const spec: CommandSpec = {
  name: 'unpin',
  summary: 'let a pinned image expire again',
  description: 'Puts back the date of expiry that the image had before it was pinned.',
  arguments: [{ name: 'VAULT[:BRANCH]@WHEN', summary: 'the pinned image', required: true }],
  options: [],
  examples: ['vault unpin laptop-root@20261120-2200'],
  changes: true,
};
