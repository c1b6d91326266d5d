import type { CommandSpec } from './spec.ts';

export const spec: CommandSpec = {
  name: 'capture',
  summary: "collect what a rebuild of a client's disks needs",
  description:
    'Asks the client for its partition tables, file systems, LVM, RAID, LUKS, boot loader and packages, by a script that only reads and leaves nothing behind. Images of a whole machine get the same as machine.json; this shows whether it works, and what is lacking.',
  arguments: [
    { name: 'CLIENT', summary: 'client as in the configuration: HOST or USER@HOST', required: true },
  ],
  options: [
    { name: 'output', value: 'FILE', summary: 'write machine.json to this file' },
    { name: 'disk', value: 'DISK', summary: 'only this disk, such as /dev/sda', many: true },
    { name: 'skip-flags', summary: 'leave out the inode flags, for which every file is looked at' },
  ],
  examples: ['vault capture laptop', 'vault capture laptop --output laptop.json'],
  changes: false,
};
