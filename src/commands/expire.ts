import type { CommandSpec } from './spec.ts';

export const spec: CommandSpec = {
  name: 'expire',
  summary: 'delete the images whose time is over',
  description:
    'Deletes images whose date is past and that nothing under keep: keeps. Never: the newest good image of a branch, a pinned one, one that a run uses, and anything of a branch that is frozen. With --dry-run every image is shown with what becomes of it and why.',
  arguments: [
    {
      name: 'VAULT[:BRANCH]',
      summary: 'only this vault, or one of its branches; default all',
      required: false,
    },
  ],
  options: [
    { name: 'time', value: 'TIME', summary: 'judge as of this time instead of now' },
    { name: 'tree', summary: 'delete only the trees, and keep summary, log and index' },
    { name: 'bytes', summary: 'tell how much each deletion frees (reads all of what goes)' },
    { name: 'jobs', value: 'N', summary: 'delete with N workers at once; default 2, 1 on slow disks' },
    { name: 'budget', value: 'DURATION', summary: 'stop after this long; the next expire goes on' },
    { name: 'restamp', summary: 'date the images anew by the rules of today, and delete nothing' },
    { name: 'simulate', value: 'DURATION', summary: 'play the nights to come and show which images stay' },
    { name: 'plot', value: 'FILE', summary: 'with --simulate: draw it as SVG, too' },
    { name: 'lock-wait', value: 'DURATION', summary: 'wait this long for a disk that is in use; default 0' },
  ],
  examples: [
    'vault expire --dry-run',
    'vault expire laptop-root --dry-run --bytes',
    'vault expire --budget 30m',
  ],
  changes: true,
};
