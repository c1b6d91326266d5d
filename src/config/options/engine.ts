import { choice, later, MASTER_ONLY, option, optional } from '../option.ts';

/** The options of the engine and of the nightly run that dirvish does not have. */
export const ENGINE_OPTIONS = {
  engine: choice(
    ['auto', 'delta', 'link-dest'],
    'auto',
    'transfer',
    'How images are made: delta asks first what changed, link-dest is one plain rsync.',
  ),
  acls: option('boolean', true, 'transfer', 'Keep access control lists.'),
  xattrs: option('boolean', true, 'transfer', 'Keep extended attributes and capabilities.'),
  'hard-links': option('boolean', true, 'transfer', 'Keep hard links between files of the tree.'),
  'rsync-timeout': option('duration', 600, 'transfer', 'Give up when nothing moves for this long.', {
    placeholder: 'DURATION',
  }),
  'run-deadline': option('duration', 24 * 3600, 'transfer', 'The most that making one image may take.', {
    placeholder: 'DURATION',
  }),
  retries: option('integer', 2, 'transfer', 'How often a broken connection is tried again.', {
    min: 0,
    placeholder: 'N',
  }),
  nice: option('boolean', true, 'transfer', 'Run under nice and ionice, on both ends.'),

  'max-delete-percent': option('percent', 50, 'safety', 'Hold an image when this much was deleted.', {
    placeholder: 'N',
  }),
  'max-change-percent': option('percent', 60, 'safety', 'Hold an image when this much was rewritten.', {
    placeholder: 'N',
  }),
  tolerate: option('list', [], 'safety', 'Paths whose errors are only warnings.', {
    placeholder: 'PATTERN',
    example: '/home/*/.gvfs',
  }),
  'checksum-every': optional('duration', 'safety', 'Compare all contents this often.', {
    placeholder: 'DURATION',
    example: '30 days',
  }),
  'ignore-space': option('boolean', false, 'safety', 'Go on though the bank seems too small.'),

  presence: choice(
    ['required', 'optional'],
    'required',
    'schedule',
    'Whether the client may be absent without that being a failure.',
  ),
  'max-age': option(
    'duration',
    36 * 3600,
    'schedule',
    'The oldest that a newest good image under Runall may be.',
    {
      placeholder: 'DURATION',
    },
  ),
  jobs: option('integer', 1, 'schedule', 'How many vaults are backed up at once.', {
    min: 1,
    layers: MASTER_ONLY,
    placeholder: 'N',
  }),
  'bank-jobs': option('integer', 2, 'schedule', 'How many images are made at once on one bank.', {
    min: 1,
    layers: MASTER_ONLY,
    placeholder: 'N',
  }),
  'lock-wait': option('duration', 0, 'schedule', 'How long to wait for another run to end.', {
    placeholder: 'DURATION',
  }),
  'time-zone': option('zone', 'system', 'schedule', 'The time zone of names, rules and dates.', {
    placeholder: 'ZONE',
  }),

  scan: later('Where the list of changes comes from.'),
  clone: later('How the reference is cloned.'),
  recycle: later('Make new images out of expired ones.'),
  'recycle-spare': later('How many images recycling leaves alone.'),
  'full-scan': later('How often rsync scans everything.'),
  'audit-files': later('How many files are audited a night.'),
  manifest: later('Keep content hashes.'),
  'verify-nightly': later('How long to look for bit rot after the nightly run.'),

  'pre-server': optional('string', 'hooks', 'A shell command before the run, on this machine.', {
    placeholder: 'COMMAND',
    example: '/usr/local/sbin/backup-begins',
  }),
  'pre-client': optional('string', 'hooks', 'A shell command before the transfer, on the client.', {
    placeholder: 'COMMAND',
    example: '/usr/local/sbin/pg-dump',
  }),
  'post-client': optional(
    'string',
    'hooks',
    'A shell command after the transfer, on the client; also after one that failed.',
    { placeholder: 'COMMAND', example: '/usr/local/sbin/lvm-snapshot remove' },
  ),
  'post-server': optional('string', 'hooks', 'A shell command after the run, on this machine.', {
    placeholder: 'COMMAND',
    example: '/usr/local/sbin/dirvish-post',
  }),
  'hook-timeout': option('duration', 6 * 3600, 'hooks', 'How long one hook may take.', {
    placeholder: 'DURATION',
  }),
  'hooks-dir': optional(
    'path',
    'hooks',
    'A directory of executables NN-NAME that are run in the order of their names before the transfer.',
    { placeholder: 'DIR', example: '/etc/vault/backup.d' },
  ),
  'hooks-dir-on': choice(
    ['client', 'server'],
    'client',
    'hooks',
    'Which machine the hooks of hooks-dir are on: they run before its pre-client or pre-server.',
  ),
  capture: optional(
    'boolean',
    'hooks',
    "Keep what a rebuild of the client's disks needs. Where it is not set: if the tree is /.",
    { example: '1' },
  ),
  'capture-command': option(
    'command',
    ['/bin/sh', '-s'],
    'hooks',
    'What the capture is started by on the client; it gets the script as its input.',
    { placeholder: 'COMMAND', example: 'sudo -n /usr/local/sbin/vault-capture' },
  ),
  'capture-luks-headers': option(
    'boolean',
    false,
    'hooks',
    'Capture the headers of LUKS volumes too, which are secrets.',
  ),
};
