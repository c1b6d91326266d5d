import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { must } from './measure.mjs';

const INSIDE = 'VAULT_BENCH_GROUND';

/**
 * Runs the bench again below a mount namespace of its own, with an empty directory to work in: a new ext4 on a loop
 * device, or one in `dir`. Nothing stays, however it ends. Gives the directory inside, and undefined outside, when
 * all is done.
 */
export function onGround({ dir, bytes, inodes }) {
  const inside = process.env[INSIDE];
  if (inside !== undefined) return prepared(inside, dir, inodes);
  const home = mkdtempSync(`${dir ?? tmpdir()}/vault-bench-`);
  try {
    if (dir === undefined) {
      writeFileSync(`${home}/image`, '');
      truncateSync(`${home}/image`, bytes);
    }
    const again = [process.execPath, ...process.argv.slice(1)];
    const spaces = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
    // Ctrl-C reaches both; the outer one waits for the inner.
    process.on('SIGINT', () => {});
    const done = spawnSync('unshare', [...spaces, ...again], {
      stdio: 'inherit',
      env: { ...process.env, [INSIDE]: home },
    });
    if (done.error) throw done.error;
    process.exitCode = done.status ?? 1;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  return undefined;
}

function prepared(home, dir, inodes) {
  const ground = `${home}/ground`;
  mkdirSync(ground);
  // Locks of its own: whatever else backs up this machine goes on beside it.
  mkdirSync('/run/vault', { recursive: true, mode: 0o700 });
  must(['mount', '-t', 'tmpfs', '-o', 'mode=0700', 'tmpfs', '/run/vault']);
  if (dir !== undefined) return ground;
  const image = `${home}/image`;
  must([
    'mkfs.ext4',
    '-q',
    '-F',
    '-m',
    '0',
    '-N',
    String(inodes),
    '-E',
    'lazy_itable_init=0,lazy_journal_init=0',
    image,
  ]);
  const device = must(['losetup', '--find', '--show', image]).trim();
  try {
    must(['mount', device, ground]);
  } finally {
    // It goes with the mount, its last user.
    must(['losetup', '-d', device]);
  }
  return ground;
}

/** Fails early where a bench would fill the file system that it works on. */
export function assertRoom(dir, bytes) {
  const { bavail, bsize } = statfsSync(dir);
  if (bavail * bsize > bytes) return;
  throw new Error(
    `${dir} has no room for ${Math.ceil(bytes / 1024 ** 3)} GiB; try fewer --files, or another --dir`,
  );
}

/** What the bench ran on, for the reader of its figures. */
export function machine(ground) {
  const os = /PRETTY_NAME="(.*)"/.exec(must(['cat', '/etc/os-release']))?.[1] ?? 'unknown system';
  const model = /model name\s*:\s*(.*)/.exec(must(['cat', '/proc/cpuinfo']))?.[1] ?? 'unknown processor';
  const memory = Number(/MemTotal:\s+(\d+)/.exec(must(['cat', '/proc/meminfo']))?.[1] ?? 0) / 1024 ** 2;
  return {
    processors: Number(must(['nproc'])),
    model,
    memoryGiB: Math.round(memory),
    system: os,
    kernel: must(['uname', '-r']).trim(),
    fileSystem: must(['df', '--output=fstype', ground]).trim().split('\n').at(-1),
    node: process.version,
  };
}
