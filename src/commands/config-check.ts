import type { CommandSpec } from './spec.ts';

export const spec: CommandSpec = {
  name: 'config check',
  summary: 'check the whole configuration for mistakes',
  description:
    'Reads the master file, the files of all vaults and branches, and all that they include, and reports everything that is wrong with them, each with file and line.',
  arguments: [],
  options: [],
  examples: ['vault config check', 'vault config check --config ./master.conf'],
  changes: false,
};
