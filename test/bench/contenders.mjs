import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { must } from './measure.mjs';

/** What all are asked to keep: what `vault` keeps by default. */
const KEEP = ['-aHAXS', '--numeric-ids', '--modify-window=-1'];

/** dirvish looks for its master file in /etc only, so it gets a /etc/dirvish of its own. */
const OWN_ETC =
  'mkdir -p /etc/dirvish && mount -t tmpfs tmpfs /etc/dirvish && cp "$1" /etc/dirvish/master.conf && shift && exec "$@"';

/**
 * The programs that are compared, each with a place of its own below `ground`. `image(round)` is the command line of
 * one image, round 0 being the first; `newest(round)` is the tree that it made. All trees lie equally deep, as they do
 * in a bank of dirvish's: newer rsyncs open every directory of a path one by one, so that depth costs time.
 */
export function contendersOn(ground, source, program) {
  return [
    rsyncLinkDest(`${ground}/rsync`, source),
    dirvish(`${ground}/dirvish`, source),
    rsnapshot(`${ground}/rsnapshot`, source),
    vault(`${ground}/vault`, source, program),
  ];
}

function rsyncLinkDest(place, source) {
  const tree = (round) => `${place}/bank/bench/image-${round}/tree`;
  return {
    name: 'rsync --link-dest',
    version: versionOf(['rsync', '--version']),
    image: (round) => {
      mkdirSync(`${place}/bank/bench/image-${round}`, { recursive: true });
      const reference = round === 0 ? [] : [`--link-dest=${tree(round - 1)}`];
      return ['rsync', ...KEEP, ...reference, `${source}/`, `${tree(round)}/`];
    },
    newest: tree,
  };
}

function dirvish(place, source) {
  mkdirSync(`${place}/bank/bench/dirvish`, { recursive: true });
  writeFileSync(`${place}/master.conf`, `bank:\n\t${place}/bank\n`);
  writeFileSync(
    `${place}/bank/bench/dirvish/default.conf`,
    `client: ${must(['hostname']).trim()}
tree: ${source}
sparse: 1
index: none
rsync-option:
\t-AX
\t--modify-window=-1
`,
  );
  return {
    name: 'dirvish',
    version: must(['dpkg-query', '-W', '-f', '${Version}', 'dirvish']),
    image: (round) => {
      const inOwnEtc = ['unshare', '--mount', 'sh', '-c', OWN_ETC, 'sh', `${place}/master.conf`];
      const first = round === 0 ? ['--init'] : [];
      return [...inOwnEtc, 'dirvish', '--vault', 'bench', '--image', `image-${round}`, ...first];
    },
    newest: (round) => `${place}/bank/bench/image-${round}/tree`,
  };
}

/** In its quickest way: `cp -al`, then rsync in place. */
function rsnapshot(place, source) {
  mkdirSync(`${place}/bank`, { recursive: true });
  const lines = [
    ['config_version', '1.2'],
    ['snapshot_root', `${place}/bank/root/`],
    ['cmd_cp', '/bin/cp'],
    ['cmd_rm', '/bin/rm'],
    ['cmd_rsync', '/usr/bin/rsync'],
    ['lockfile', `${place}/lock`],
    ['retain', 'bench', '1000'],
    ['rsync_short_args', KEEP[0]],
    ['rsync_long_args', `${KEEP.slice(1).join(' ')} --delete --delete-excluded`],
    ['backup', `${source}/./`, 'here/'],
  ];
  // Else it looks through whatever is mounted to find out what /./ is relative to.
  writeFileSync(`${place}/rsnapshot.conf`, lines.map((fields) => `${fields.join('\t')}\n`).join(''));
  return {
    name: 'rsnapshot',
    version: must(['dpkg-query', '-W', '-f', '${Version}', 'rsnapshot']),
    image: () => ['rsnapshot', '-c', `${place}/rsnapshot.conf`, 'bench'],
    newest: () => `${place}/bank/root/bench.0/here`,
  };
}

function vault(place, source, program) {
  mkdirSync(`${place}/bank/bench/dirvish`, { recursive: true });
  writeFileSync(`${place}/master.conf`, `bank:\n\t${place}/bank\n`);
  writeFileSync(
    `${place}/bank/bench/dirvish/default.conf`,
    // The others run at normal priority, so it does too: other work on the machine hits all alike.
    `client: localhost\ntree: ${source}\nnice: 0\nimage-default: image\n`,
  );
  const command = [
    process.execPath,
    program,
    '--config',
    `${place}/master.conf`,
    '--state-dir',
    `${place}/state`,
  ];
  return {
    name: 'vault run',
    version: must([process.execPath, program, '--version']).trim(),
    ownSync: true,
    image: (round) => [...command, 'run', 'bench', '--quiet', '--image', `image-${round}`],
    newest: (round) => `${place}/bank/bench/image-${round}/tree`,
  };
}

function versionOf(argv) {
  return /version\s+v?(\S+)/.exec(must(argv))?.[1] ?? 'unknown';
}

/** Fails unless a tree is the source, in contents and all that rsync can compare. */
export function assertSame(source, tree) {
  if (readdirSync(tree).length === 0) throw new Error(`${tree} is empty`);
  const found = must(['rsync', ...KEEP, '-nic', '--delete', `${source}/`, `${tree}/`]).trim();
  if (found !== '') throw new Error(`${tree} is not the source:\n${found.slice(0, 2000)}`);
}
