import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { objectsOf } from '../cli/program.ts';
import { needs } from '../../support/needs.ts';
import { mustSync, ran, type Ran } from '../../support/process.ts';
import { tempDir } from '../../support/temp.ts';
import { compareTrees, sharedInodes, snapshotTree } from '../../support/tree.ts';
import { historyOf, summaryOf } from './place.ts';

needs('root', 'rsync', 'namespace', 'xattr');

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const NOBODY = '65534';

/** Program and node where any user can reach them, whatever the modes of the directories they are in. */
const AS_NOBODY = `
  set -e
  mkdir -p "$1/program"
  : > "$1/node"
  mount --bind "$2" "$1/program"
  mount --bind "$3" "$1/node"
  node=$1/node program=$1/program/dist/main.js
  shift 3
  exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups "$node" "$program" "$@"
`;

/** A user with a home, a source in it and a bank; nothing is configured. */
function makeUser() {
  const outside = tempDir('user');
  const home = `${outside}/home`;
  mkdirSync(`${home}/documents/letters`, { recursive: true });
  mkdirSync(`${home}/bank`);
  for (const name of ['a', 'b', 'letters/c', 'letters/secret'])
    writeFileSync(`${home}/documents/${name}`, `${name}\n`.repeat(50));
  symlinkSync('a', `${home}/documents/link`);
  mustSync(['chown', '-R', `${NOBODY}:${NOBODY}`, home]);
  const call = (...args: readonly string[]): Promise<Ran> =>
    ran(['unshare', '--mount', 'sh', '-c', AS_NOBODY, 'sh', outside, ROOT, process.execPath, ...args], {
      env: {
        HOME: home,
        VAULT_CONFIG: `${home}/vault.conf`,
        XDG_STATE_HOME: undefined,
        XDG_RUNTIME_DIR: undefined,
        XDG_CONFIG_HOME: undefined,
      },
      cwd: '/',
    });
  return { home, documents: `${home}/documents`, bank: `${home}/bank`, vault: `${home}/bank/docs`, call };
}

describe('an ordinary user', () => {
  it('makes a vault, images, and lists them, with state in the own home', async () => {
    const user = makeUser();
    const made = await user.call(
      'create',
      'docs',
      '--client',
      'localhost',
      '--tree',
      user.documents,
      '--bank',
      user.bank,
    );
    expect(made.code, made.err).toBe(0);
    const first = await user.call('run', 'docs', '--image', 'i1');
    expect(first.code, first.err).toBe(0);
    expect(first.err).toContain(
      'not run by root: owners, devices and unreadable files are kept as far as it goes',
    );
    mustSync(['chmod', '500', `${user.documents}/letters`]);
    writeFileSync(`${user.documents}/letters/c`, 'changed');
    const second = await user.call('run', 'docs', '--image', 'i2');
    expect(second.code, second.err).toBe(0);
    expect(second.out).toMatch(/^docs@i2: good in .* \(delta, against i1\)$/m);
    const [source, image] = [snapshotTree(user.documents), snapshotTree(`${user.vault}/i2/tree`)];
    expect(compareTrees(source, image)).toEqual([]);
    expect(sharedInodes(snapshotTree(`${user.vault}/i1/tree`), image)).toEqual([
      'a',
      'b',
      'letters/secret',
      'link',
    ]);

    const state = `${user.home}/.local/state/vault`;
    expect(statSync(state).mode & 0o777).toBe(0o700);
    expect(statSync(`${state}/banks.json`).uid).toBe(Number(NOBODY));
    expect((await user.call('list', 'docs')).out).toMatch(/^i1 .* good .*\ni2 .* good /m);
    expect((await user.call('status')).code).toBe(0);
    // A read-only directory is no obstacle to cleaning up.
    mkdirSync(`${user.vault}/.incomplete-x/tree/locked`, { recursive: true });
    writeFileSync(`${user.vault}/.incomplete-x/tree/locked/file`, '');
    mustSync(['chown', '-R', `${NOBODY}:${NOBODY}`, `${user.vault}/.incomplete-x`]);
    mustSync(['chmod', '500', `${user.vault}/.incomplete-x/tree/locked`]);
    expect((await user.call('run', 'docs', '--image', 'i3')).code).toBe(0);
    expect(existsSync(`${user.vault}/.incomplete-x`)).toBe(false);
  });

  it('gets a partial image of what cannot be read, with the names of all that is missing', async () => {
    const user = makeUser();
    await user.call('create', 'docs', '--client', 'localhost', '--tree', user.documents, '--bank', user.bank);
    expect((await user.call('run', 'docs', '--image', 'i1')).code).toBe(0);
    mkdirSync(`${user.documents}/closed`);
    writeFileSync(`${user.documents}/closed/inside`, 'x');
    writeFileSync(`${user.documents}/new`, 'new');
    writeFileSync(`${user.documents}/letters/secret`, 'changed');
    writeFileSync(`${user.documents}/a "name"`, 'x');
    mustSync([
      'chmod',
      '0',
      `${user.documents}/closed`,
      `${user.documents}/letters/secret`,
      `${user.documents}/a "name"`,
    ]);
    const result = await user.call('run', 'docs', '--image', 'i2');
    expect(result.code, result.err).toBe(3);
    const missing = ['a "name"', 'closed', 'letters/secret'].map((name) => `${user.documents}/${name}`);
    for (const path of missing) expect(result.out).toContain(`  missing: ${path}\n`);
    expect(result.out).toMatch(/^docs@i2: partial in /m);
    const summary = summaryOf(`${user.vault}/i2`);
    expect(summary.get('Status')).toMatch(/^error \(23\) -- partial: 3 files are missing$/);
    expect(summary.get('Vault-missing-count')).toBe('3');
    const errors = readFileSync(`${user.vault}/i2/rsync_error`, 'utf8');
    for (const path of missing) {
      expect(summary.get('Vault-missing')).toContain(path);
      expect(errors).toContain(path);
    }
    expect(snapshotTree(`${user.vault}/i2/tree`).has('new')).toBe(true);
    expect(historyOf(user.vault).map(([image]) => image)).toEqual(['i1']);
    // No reference, and what is unreadable has not been taken for deleted in the good one.
    const again = await user.call('run', 'docs', '--image', 'i3', '--json');
    expect(again.code).toBe(3);
    expect(objectsOf(again.out).find((object) => object['type'] === 'image')).toMatchObject({
      image: 'i3',
      reference: 'i1',
      verdict: 'partial',
      missing: expect.arrayContaining(missing),
    });
    expect(objectsOf(again.out).at(-1)).toMatchObject({ type: 'result', exitCode: 3 });
  });

  it('may say that what cannot be read does not matter', async () => {
    const user = makeUser();
    await user.call('create', 'docs', '--client', 'localhost', '--tree', user.documents, '--bank', user.bank);
    mustSync(['chmod', '0', `${user.documents}/letters/secret`]);
    const conf = `${user.vault}/dirvish/default.conf`;
    writeFileSync(
      conf,
      `${readFileSync(conf, 'utf8')}tolerate:\n\t/home/*/nothing\n\t${user.documents}/letters/*\n`,
    );
    const result = await user.call('run', 'docs', '--image', 'i1');
    expect(result.code, result.err).toBe(0);
    expect(result.out).toMatch(/^docs@i1: good/m);
    expect(result.out).toContain('1 tolerated path');
    expect(summaryOf(`${user.vault}/i1`).get('Vault-warnings')).toBe('1');
  });
});
