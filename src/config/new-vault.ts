import type { Problem } from '../errors.ts';
import { OPTIONS } from './options.ts';
import { readValue } from './values.ts';

export interface NewVault {
  readonly name: string;
  readonly client: string;
  readonly tree: string;
  readonly excludes: readonly string[];
}

/** What is wrong with the values of a new vault's configuration; empty for nothing. */
export function checkNewVault(vault: NewVault): Problem[] {
  const problems: Problem[] = [];
  const check = (name: string, reading: object) => {
    if ('message' in reading) problems.push({ message: `--${name}: ${String(reading.message)}` });
  };
  check('client', readValue(OPTIONS.client, vault.client));
  check('tree', readValue(OPTIONS.tree, vault.tree));
  for (const text of [vault.tree, ...vault.excludes]) {
    // The file's language has no way to write these.
    if (/[\n\r\0]|(^|\s)#|^\s|\s$|^$/.test(text)) {
      problems.push({ message: `"${text}" can't be written in a configuration file` });
    }
  }
  return problems;
}

/** The text of a new vault's `dirvish/default.conf`. */
export function newVaultConfig(vault: NewVault): string {
  const excludes =
    vault.excludes.length === 0 ? '' : `exclude:\n${vault.excludes.map((each) => `\t${each}\n`).join('')}`;
  return [
    `# What vault ${vault.name} keeps. All options: vault.conf(5); what is in effect: vault config show ${vault.name}`,
    `client: ${vault.client}`,
    `tree: ${vault.tree}`,
    '# Stay on the file system the tree is on: one vault for each file system.',
    'xdev: 1',
    excludes,
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

/** The text of a first master file. */
export function newMasterConfig(bank: string, vault: string): string {
  return [
    '# The configuration of vault. All options: vault.conf(5).',
    'bank:',
    `\t${bank}`,
    '',
    '# How images are named and when they expire; see EXPIRE RULES in vault.conf(5).',
    'image-default: %Y%m%d-%H%M',
    'expire-default: +30 days',
    '',
    '# What `vault runall` makes, one VAULT[:BRANCH] a line.',
    'Runall:',
    `\t${vault}`,
    '',
  ].join('\n');
}
