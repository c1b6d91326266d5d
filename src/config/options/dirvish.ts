import { choice, MASTER_ONLY, option, optional } from '../option.ts';
import type { Include, Reserved } from '../option.ts';

const LOCAL_LAYERS = ['master', 'client', 'vault', 'branch'] as const;

const CONFIG: Include = {
  include: 'configuration',
  group: 'where',
  doc: 'Read another configuration file here: looked for in the vault, then beside the master file.',
  layers: LOCAL_LAYERS,
  example: 'common.conf',
};
const FILE_EXCLUDE: Include = {
  include: 'exclude',
  group: 'what',
  doc: 'Read exclude patterns from a file, one a line: looked for in the vault, then beside the master file.',
  layers: LOCAL_LAYERS,
  example: 'exclude.list',
};
const NO_RUN: Reserved = {
  reserved: 'would turn every backup into a rehearsal; use --dry-run on the command line',
  group: 'schedule',
  doc: 'Not in a file: --dry-run on the command line.',
};

/** The options of dirvish.conf(5), but for those of expiry and hooks. */
export const DIRVISH_OPTIONS = {
  bank: option('directories', [], 'where', 'Directories that hold vaults, searched in this order.', {
    layers: MASTER_ONLY,
    placeholder: 'DIR',
    example: '/backup/bank',
  }),
  config: CONFIG,
  client: optional(
    'client',
    'what',
    'The machine to back up, [USER@]HOST; this host or localhost stays off the network.',
    {
      placeholder: '[USER@]HOST',
      example: 'laptop',
    },
  ),
  tree: optional(
    'tree',
    'what',
    'The directory to back up, or :MODULE/PATH of an rsync daemon; a second word is its name in the index.',
    {
      placeholder: 'PATH [ALIAS]',
      example: '/home',
    },
  ),
  exclude: option('list', [], 'what', "Patterns of names to leave out, as rsync's --exclude reads them.", {
    placeholder: 'PATTERN',
    example: '/var/cache/apt/archives/*.deb',
  }),
  'file-exclude': FILE_EXCLUDE,
  xdev: option('boolean', false, 'what', 'Stay on the file system the tree is on.'),

  vault: optional('name', 'names', 'The vault; seldom useful in a file.', {
    layers: ['vault', 'branch', 'command line'],
    placeholder: 'VAULT',
    example: 'laptop-home',
  }),
  branch: optional('name', 'names', 'The branch; branch-default is the better choice in a file.', {
    placeholder: 'BRANCH',
    example: 'daily',
  }),
  'branch-default': option('name', 'default', 'names', 'The branch where none is named.', {
    placeholder: 'BRANCH',
  }),
  reference: optional('name', 'names', 'The branch or image that a new image is made against.', {
    placeholder: 'BRANCH|IMAGE',
    example: 'default',
  }),
  init: option('boolean', false, 'names', 'Make each image whole, sharing nothing with an older one.'),
  image: optional('pattern', 'names', 'The name of the image, expanded by strftime.', {
    placeholder: 'NAME',
    example: '%Y%m%d-%H%M',
  }),
  'image-default': option(
    'pattern',
    '%Y%m%d%H%M%S',
    'names',
    'The name of the image where image is not set, expanded by strftime.',
    {
      placeholder: 'NAME',
    },
  ),
  'image-temp': optional(
    'pattern',
    'names',
    'A fixed directory name for the newest image; it gets its own name at the next run.',
    {
      placeholder: 'NAME',
      example: 'newest',
    },
  ),
  'image-time': optional(
    'time',
    'names',
    'The time to date the image to; a time without a date is taken from the past.',
    {
      placeholder: 'TIME',
      example: '22:00',
    },
  ),
  'image-perm': option('octal', '0700', 'names', 'Permissions of the image directory.', {
    placeholder: 'MODE',
  }),
  'meta-perm': option('octal', '0600', 'names', 'Permissions of summary, log, index and rsync_error.', {
    placeholder: 'MODE',
  }),
  summary: choice(['short', 'long'], 'short', 'names', 'Whether the summary lists every option in effect.'),
  log: option('packing', { format: 'text', argv: [] }, 'names', 'How the log is kept.', {
    placeholder: 'none|text|gzip|bzip2',
  }),
  index: option('packing', { format: 'none', argv: [] }, 'names', 'How the list of all files is kept.', {
    placeholder: 'none|text|gzip|bzip2',
  }),

  checksum: option('boolean', false, 'transfer', 'Compare contents even where size and time are equal.'),
  devices: option('boolean', true, 'transfer', 'Keep device files, sockets and FIFOs.'),
  'numeric-ids': option('boolean', true, 'transfer', 'Keep owners as numbers, whatever their names.'),
  permissions: option('boolean', true, 'transfer', 'Keep modes, owners and groups.'),
  sparse: option('boolean', true, 'transfer', 'Write runs of zeros as holes (dirvish: off).'),
  stats: option('boolean', true, 'transfer', "Put rsync's statistics into the log."),
  'whole-file': option('boolean', false, 'transfer', 'Send changed files whole, not their changed parts.'),
  zxfer: option('boolean', false, 'transfer', 'Compress on the way.'),
  'speed-limit': optional('number', 'transfer', 'The most to transfer, in megabits per second.', {
    min: 0,
    placeholder: 'MBPS',
    example: '80',
  }),
  'password-file': optional('path', 'transfer', 'A file with the password for an rsync daemon.', {
    placeholder: 'FILE',
    example: '/etc/vault/rsync.password',
  }),
  rsh: option('command', ['ssh'], 'transfer', 'The remote shell, with its options.', {
    placeholder: 'COMMAND',
  }),
  rsync: option('command', ['rsync'], 'transfer', 'rsync on this machine.', { placeholder: 'COMMAND' }),
  'rsync-client': optional('string', 'transfer', 'rsync on the client.', {
    placeholder: 'COMMAND',
    example: '/usr/local/bin/rsync',
  }),
  'rsync-option': option('list', [], 'transfer', 'More options for rsync, one an item.', {
    placeholder: 'OPTION',
    example: '--one-file-system',
  }),

  'no-run': NO_RUN,
  Runall: option(
    'schedule',
    [],
    'schedule',
    'What the nightly run makes: VAULT[:BRANCH], and the time to date it to.',
    {
      layers: ['master'],
      placeholder: 'VAULT[:BRANCH] [TIME]',
      example: 'laptop-home 22:00',
    },
  ),
  Dirvish: optional('string', 'schedule', 'Where the dirvish program is; of no use here.', {
    ignored: 'names the dirvish program, which is not used here',
    placeholder: 'FILE',
    example: '/usr/sbin/dirvish',
  }),
};
