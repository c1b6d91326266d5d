import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loopDisk } from '../../support/loop.ts';
import { needs } from '../../support/needs.ts';
import { must, mustSync, ran } from '../../support/process.ts';
import { tempDir } from '../../support/temp.ts';
import { fill, makePlace } from '../run/place.ts';
import { HOOKS, hooksOf } from './ground.ts';

describe('btrfs-snapshot', () => {
  needs('root', 'rsync', 'xattr', 'btrfs');

  it('shows the tree as of one moment, and takes it away again', async () => {
    const disk = await loopDisk({ type: 'btrfs' });
    const subvolume = `${disk.directory}/home`;
    await must(['btrfs', 'subvolume', 'create', subvolume]);
    fill(subvolume);
    const mount = `${tempDir('shown')}/tree`;
    mkdirSync(mount);
    const hook = `env BTRFS_SUBVOLUME=${subvolume} ${HOOKS}/btrfs-snapshot`;
    const place = makePlace({
      tree: mount,
      // What is written after the snapshot is not in the image.
      vault: `pre-client: ${hook} create && echo later > ${subvolume}/a\npost-client: exec ${hook} remove\n`,
    });
    await place.image('i1');
    expect(hooksOf(`${place.vault}/i1`)).toEqual({ 'pre-client': 'ok', 'post-client': 'ok' });
    expect(readFileSync(`${place.vault}/i1/tree/a`, 'utf8')).toMatch(/^a a a/);
    expect(readFileSync(`${subvolume}/a`, 'utf8')).toBe('later\n');
    expect(existsSync(`${subvolume}/.vault-snapshot`)).toBe(false);
    expect((await ran(['mountpoint', '-q', mount])).code).not.toBe(0);

    // A snapshot that a power cut left is in nobody's way.
    await must(['btrfs', 'subvolume', 'snapshot', '-r', subvolume, `${subvolume}/.vault-snapshot`]);
    const second = await place.image('i2');
    expect(second.out).toMatch(/\(delta, against i1\)/);
    expect(readFileSync(`${place.vault}/i2/tree/a`, 'utf8')).toBe('later\n');
    expect(readFileSync(`${place.vault}/i2/tree/b`, 'utf8')).toMatch(/^b b b/);
  });

  it('takes it away after a failure, too', async () => {
    const disk = await loopDisk({ type: 'btrfs' });
    const mount = tempDir('shown');
    const hook = `env BTRFS_SUBVOLUME=${disk.directory} ${HOOKS}/btrfs-snapshot`;
    const place = makePlace({
      tree: mount,
      vault: `pre-client: ${hook} create\npost-client: exec ${hook} remove\n`,
    });
    // There is nothing in it: an empty source is refused.
    const run = await place.call(['run', 'v']);
    expect(run.code).toBe(4);
    expect(existsSync(`${disk.directory}/.vault-snapshot`)).toBe(false);
    expect((await ran(['mountpoint', '-q', mount])).code).not.toBe(0);
  });
});

describe('fsfreeze', () => {
  needs('root', 'ext4');

  it('thaws in time, and says so if it had to', async () => {
    const disk = await loopDisk({ type: 'ext4' });
    const at = disk.directory;
    const env = { FSFREEZE_SECONDS: '30' };
    await must([`${HOOKS}/fsfreeze`, 'freeze', at], { env });
    await must([`${HOOKS}/fsfreeze`, 'thaw', at], { env });
    writeFileSync(`${at}/a`, 'a');
    await must([`${HOOKS}/fsfreeze`, 'freeze', at], { env: { FSFREEZE_SECONDS: '1' } });
    // Stands still until it is thawed.
    await must(['sh', '-c', `echo b > ${at}/b`]);
    const late = await ran([`${HOOKS}/fsfreeze`, 'thaw', at]);
    expect(late.code).toBe(1);
    expect(late.err).toContain('raise FSFREEZE_SECONDS');
    for (const wrong of [['freeze', '/'], ['freeze', tempDir('plain')], ['melt', at], []]) {
      expect((await ran([`${HOOKS}/fsfreeze`, ...wrong])).code).not.toBe(0);
    }
  });
});

/**
 * LVM and dattobd need kernels that not every machine has. Their tools are played here by scripts that note how they
 * were called, keep track of what exists, and fail where they are told to: what is tested is what our hooks do then.
 */
function playedTools(names: readonly string[]): {
  readonly env: Record<string, string>;
  readonly calls: () => string[];
} {
  const home = tempDir('tools');
  const script = `#!/bin/sh
name=\${0##*/}
echo "$name $*" >> ${home}/calls
case "$name $*" in $FAIL) exit 5 ;; esac
case "$name $*" in
  lvcreate*|'dbdctl setup'*) touch ${home}/exists ;;
  lvremove*|'dbdctl destroy'*) rm -f ${home}/exists ;;
  'mount '*) touch ${home}/mounted ;;
  'umount '*) rm -f ${home}/mounted ;;
  mountpoint*) [ -e ${home}/mounted ] ;;
  'blkid '*) echo xfs ;;
  'dbdctl info'*) echo '{ "minor": 0, "error": 0 }' ;;
  *segtype*) echo linear ;;
  *data_percent*) echo "$FULL" ;;
  *lv_snapshot_invalid*) echo ;;
  'lvs '*) [ -e ${home}/exists ] ;;
esac
`;
  for (const name of names) writeFileSync(`${home}/${name}`, script, { mode: 0o755 });
  return {
    env: { PATH: `${home}:/usr/bin:/bin`, FAIL: 'nothing', FULL: '12.3' },
    calls: () =>
      existsSync(`${home}/calls`) ? readFileSync(`${home}/calls`, 'utf8').trim().split('\n') : [],
  };
}

describe('lvm-snapshot, with played tools', () => {
  const TOOLS = ['lvs', 'lvcreate', 'lvremove', 'mount', 'umount', 'mountpoint', 'blkid'];
  const settings = () => ({ LVM_VOLUME: 'vg0/root', VAULT_SRC: tempDir('mount') });
  const doing = (calls: readonly string[]) =>
    calls
      .map((call) => call.split(' ')[0])
      .filter((name) => /^(lvcreate|lvremove|mount|umount)$/.test(name ?? ''));

  it('makes, mounts, unmounts and removes', async () => {
    const { env, calls } = playedTools(TOOLS);
    const all = { ...env, ...settings() };
    await must([`${HOOKS}/lvm-snapshot`, 'create'], { env: all });
    expect(doing(calls())).toEqual(['lvcreate', 'mount']);
    expect(calls().find((call) => call.startsWith('lvcreate'))).toBe(
      'lvcreate --quiet --snapshot --extents 10%ORIGIN --name vault-root vg0/root',
    );
    expect(calls().find((call) => call.startsWith('mount '))).toBe(
      `mount -o ro,nouuid,norecovery /dev/vg0/vault-root ${all.VAULT_SRC}`,
    );
    await must([`${HOOKS}/lvm-snapshot`, 'remove'], { env: all });
    expect(doing(calls())).toEqual(['lvcreate', 'mount', 'umount', 'lvremove']);
  });

  it('removes what it made when it can not be mounted', async () => {
    const { env, calls } = playedTools(TOOLS);
    const failed = await ran([`${HOOKS}/lvm-snapshot`, 'create'], {
      env: { ...env, ...settings(), FAIL: 'mount\\ *' },
    });
    expect(failed.code).not.toBe(0);
    expect(doing(calls())).toEqual(['lvcreate', 'mount', 'lvremove']);
  });

  it('fails when the snapshot ran full', async () => {
    const { env, calls } = playedTools(TOOLS);
    const all = { ...env, ...settings() };
    await must([`${HOOKS}/lvm-snapshot`, 'create'], { env: all });
    const full = await ran([`${HOOKS}/lvm-snapshot`, 'remove'], { env: { ...all, FULL: '100.00' } });
    expect(full.code).toBe(1);
    expect(full.err).toContain('ran full');
    expect(doing(calls()).at(-1)).toBe('lvremove');
  });
});

describe('mail-report', () => {
  it('mails failures with the end of the log, and nothing that looks like a header', async () => {
    const home = tempDir('mail');
    mkdirSync(`${home}/tree`);
    writeFileSync(`${home}/log`, 'first\nlast line\n');
    writeFileSync(`${home}/sendmail`, `#!/bin/sh\necho "$@" > ${home}/args\ncat > ${home}/mail\n`, {
      mode: 0o755,
    });
    const env = {
      SENDMAIL: `${home}/sendmail`,
      VAULT_DEST: `${home}/tree`,
      VAULT_IMAGE: 'v:default:i1',
      VAULT_CLIENT: 'box\nBcc: everybody',
      MAIL_TO: 'admin@example.org',
    };
    await must([`${HOOKS}/mail-report`], { env: { ...env, VAULT_STATUS: 'success' } });
    expect(existsSync(`${home}/mail`)).toBe(false);
    await must([`${HOOKS}/mail-report`], { env: { ...env, VAULT_STATUS: 'error', MAIL_LINES: '1' } });
    const [head = '', body = ''] = readFileSync(`${home}/mail`, 'utf8').split(/\n\n(.*)/s);
    expect(head).toContain(
      'To: admin@example.org\nSubject: backup of boxBcc: everybody: error (v:default:i1)\n',
    );
    expect(head).not.toMatch(/^Bcc/m);
    expect(body).toContain('  last line\n');
    expect(body).not.toContain('first');
    expect((await ran([`${HOOKS}/mail-report`], { env: { ...env, MAIL_WHEN: 'never' } })).code).toBe(2);
  });
});

describe('all hooks', () => {
  needs('shellcheck');

  it('are clean for shellcheck, and say how they are used', async () => {
    const names = mustSync(['ls', HOOKS]).toString().trim().split('\n');
    await must(['shellcheck', ...names.map((name) => `${HOOKS}/${name}`)]);
    for (const name of names) {
      const [first, second] = readFileSync(`${HOOKS}/${name}`, 'utf8').split('\n');
      expect(first).toBe('#!/bin/sh');
      expect(second).toMatch(new RegExp(`^# ${name}: `));
    }
  });
});
