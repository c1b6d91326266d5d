import type { CommandSpec } from './spec.ts';

export const spec: CommandSpec = {
  name: 'accept',
  summary: 'declare a held image good',
  description:
    'An image whose change was too suspicious is held: complete, but no reference for the next one, and nothing of its branch expires. Look at it, and if the change was meant, accept it.',
  arguments: [{ name: 'VAULT[:BRANCH]@WHEN', summary: 'the held image', required: true }],
  options: [{ name: 'lock-wait', value: 'DURATION', summary: 'wait this long for another run; default 0' }],
  examples: ['vault accept laptop-root@20261120-2200'],
  changes: true,
};
