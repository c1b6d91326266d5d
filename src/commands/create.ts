import type { CommandSpec } from './spec.ts';

export const spec: CommandSpec = {
  name: 'create',
  summary: 'make a vault with its configuration',
  description:
    'Makes a vault in an existing bank: its directory and dirvish/default.conf, which says what to back up and can be edited afterwards. A bank is never made.',
  arguments: [{ name: 'VAULT', summary: 'name of the new vault', required: true }],
  options: [
    {
      name: 'client',
      value: 'CLIENT',
      summary: 'machine to back up; localhost for this one',
      required: true,
    },
    { name: 'tree', value: 'DIR', summary: 'directory on it to back up', required: true },
    { name: 'bank', value: 'BANK', summary: 'bank to put it in; needed where several are configured' },
    {
      name: 'adopt-bank',
      summary: "take this bank although its path was another file system's before",
    },
    { name: 'exclude', value: 'PATTERN', summary: 'leave out what matches this rsync pattern', many: true },
  ],
  examples: [
    'vault create etc --client localhost --tree /etc',
    "vault create laptop-home --client laptop --tree /home --exclude '.cache/'",
  ],
  changes: true,
};
