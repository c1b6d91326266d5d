import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { needs } from '../../support/needs.ts';
import { must } from '../../support/process.ts';
import { tempDir } from '../../support/temp.ts';
import { changesSince, snapshotTree } from '../../support/tree.ts';
import { openGround } from './equivalence-ground.ts';

needs('root', 'rsync', 'rsnapshot', 'xattr');

/** A file that everybody may read, and then nobody but its owner. */
function sourceWithFile(source: string): () => void {
  mkdirSync(source, { recursive: true });
  writeFileSync(`${source}/file`, 'the same all the time');
  chmodSync(`${source}/file`, 0o644);
  return () => chmodSync(`${source}/file`, 0o600);
}

/** `cp -al` and then rsync in place, with the options that vault gives rsync too. */
async function withRsnapshot(home: string) {
  const change = sourceWithFile(`${home}/source`);
  const settings = [
    ['config_version', '1.2'],
    ['snapshot_root', `${home}/snapshots/`],
    ['cmd_cp', '/bin/cp'],
    ['cmd_rm', '/bin/rm'],
    ['cmd_rsync', '/usr/bin/rsync'],
    ['retain', 'daily', '3'],
    ['rsync_short_args', '-aHAXS'],
    ['rsync_long_args', '--delete --numeric-ids'],
    ['lockfile', `${home}/rsnapshot.pid`],
    ['backup', `${home}/source/`, 'here/'],
  ];
  const text = settings.map((fields) => `${fields.join('\t')}\n`).join('');
  writeFileSync(`${home}/rsnapshot.conf`, text);
  const argv = ['rsnapshot', '-c', `${home}/rsnapshot.conf`, 'daily'];
  await must(argv);
  const before = snapshotTree(`${home}/snapshots/daily.0/here`);
  change();
  await must(argv);
  return changesSince(before, snapshotTree(`${home}/snapshots/daily.1/here`)).join('\n');
}

async function withVault(home: string) {
  const ground = await openGround(home);
  const change = sourceWithFile(ground.source);
  await ground.make('0', { engine: 'link-dest' });
  const before = snapshotTree(`${ground.vault}/0/tree`);
  change();
  const { tree, plan } = await ground.make('1', { engine: 'delta', reference: '0' });
  await ground.close();
  expect(plan.engine.engine).toBe('delta');
  expect(snapshotTree(tree).get('file')?.mode).toBe(0o600);
  return changesSince(before, snapshotTree(`${ground.vault}/0/tree`)).join('\n');
}

it('a changed mode reaches older snapshots of rsnapshot, and no older image of vault', async () => {
  const theirs = await withRsnapshot(tempDir('rsnapshot'));
  const ours = await withVault(tempDir('vault'));
  expect(theirs).toContain('mode: 0644 != 0600');
  expect(ours).toBe('');
});
