import type { CommandSpec } from './spec.ts';

export const spec: CommandSpec = {
  name: 'show',
  summary: 'show all that is known of one image',
  description:
    'Shows the verdict of an image, when and from what it was made, what was transferred, when it expires, and what is wrong with it. WHEN is the name of an image, latest, or a date: the newest good image at or before it.',
  arguments: [{ name: 'VAULT[:BRANCH]@WHEN', summary: 'the image', required: true }],
  options: [],
  examples: [
    'vault show laptop-root@latest',
    'vault show laptop-root@20261120-2200',
    'vault show etc@2026-11-20',
  ],
  changes: false,
};
