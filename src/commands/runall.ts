import type { CommandSpec } from './spec.ts';

export const spec: CommandSpec = {
  name: 'runall',
  summary: 'make an image of every vault under Runall: the night',
  description:
    'The nightly run: one image of each entry under Runall in the master configuration, in parallel where clients and disks allow. A vault that fails does not stop the others; a table at the end shows all results.',
  arguments: [],
  options: [
    { name: 'jobs', value: 'N', summary: 'run at most N vaults at once' },
    { name: 'expire-first', summary: 'first delete what has expired in the banks of these vaults' },
    { name: 'next', summary: 'show what would be run, in which order, and run nothing' },
    { name: 'ignore-space', summary: 'run even if a disk seems too small' },
    { name: 'lock-wait', value: 'DURATION', summary: 'wait this long for other runs to end; default 0' },
  ],
  examples: [
    'vault runall',
    'vault runall --next',
    'vault runall --expire-first',
    'vault runall --jobs 2 --quiet',
  ],
  changes: true,
};
