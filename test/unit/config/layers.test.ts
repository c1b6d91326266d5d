import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findMaster } from '../../../src/config/find.ts';
import { isName } from '../../../src/config/names.ts';
import { loadBranch, loadMaster } from '../../../src/config/load.ts';
import { failure, site } from './site.ts';

const V = { vault: 'v', branch: undefined };
const PLAIN = 'client: localhost\ntree: /etc\n';

describe('the master file', () => {
  it('is the one of --config, then of $VAULT_CONFIG, then one of the usual three', async () => {
    const { where, directory, write } = site();
    const named = { ...where, env: { VAULT_CONFIG: join(directory, 'by-env.conf') } };
    write('by-env.conf', '');
    write('by-option.conf', '');
    expect(await findMaster({ ...named, config: 'by-option.conf', cwd: directory })).toBe(
      join(directory, 'by-option.conf'),
    );
    expect(await findMaster(named)).toBe(join(directory, 'by-env.conf'));
    expect(await findMaster(where)).toBe(join(directory, 'etc/vault/master.conf'));
  });

  it.each(['dirvish.conf', 'dirvish/master.conf'])('can be /etc/%s', async (name) => {
    const { where, directory, write } = site();
    write(`other/${name}`, '');
    expect(await findMaster({ ...where, etc: join(directory, 'other') })).toBe(
      join(directory, 'other', name),
    );
  });

  it('must not be there twice', async () => {
    const { where, write } = site();
    write('etc/dirvish/master.conf', '');
    const error = await failure(loadMaster(where));
    expect(error.kind).toBe('config');
    expect(error.message).toMatch(
      /^There are two master files: .*vault\/master.conf and .*dirvish\/master.conf\.$/,
    );
  });

  it('must be there', async () => {
    const { where, directory } = site();
    const none = await failure(loadMaster({ ...where, etc: join(directory, 'nowhere') }));
    expect(none.kind).toBe('config');
    expect(none.message).toContain('nowhere/dirvish.conf');
    const named = await failure(loadMaster({ ...where, config: join(directory, 'none.conf') }));
    expect(named.message).toBe(`There is no configuration file ${directory}/none.conf.`);
  });
});

describe('layers', () => {
  it('win in their order, lists add up, and each value knows its place', async () => {
    const { where, directory, write } = site(
      'bank:\n\tBANK\nxdev: 1\nretries: 1\nspeed-limit: 1\njobs: 4\nexclude:\n\tmaster\n',
      'client: root@box\ntree: /home\nspeed-limit: 3\nexclude:\n\tvault\nrsh: ssh\n',
    );
    write(
      'etc/vault/box.conf',
      'retries: 2\nspeed-limit: 2\nrsh: ssh -4\nexclude:\n\tclient\nclient: elsewhere\n',
    );
    const loaded = await loadBranch(where, V, { 'speed-limit': '4', exclude: ['line'], xdev: false });
    const { settings } = loaded;
    expect(settings).toMatchObject({
      jobs: 4,
      retries: 2,
      'speed-limit': 4,
      xdev: false,
      client: 'root@box',
    });
    expect(settings.exclude).toEqual(['master', 'client', 'vault', 'line']);
    expect(settings.rsh).toEqual(['ssh']);
    const vault = join(directory, 'bank/v/dirvish/default.conf');
    expect(loaded.origins.get('retries')).toEqual({
      layer: 'client',
      file: join(directory, 'etc/vault/box.conf'),
      line: 1,
    });
    expect(loaded.origins.get('client')).toEqual({ layer: 'vault', file: vault, line: 1 });
    expect(loaded.origins.get('speed-limit')).toEqual({ layer: 'command line' });
    expect(loaded.origins.has('whole-file')).toBe(false);
    expect(loaded.itemOrigins.get('exclude')?.map(({ layer }) => layer)).toEqual([
      'master',
      'client',
      'vault',
      'command line',
    ]);
    expect(loaded.files).toHaveLength(3);
  });

  it('must be right on the command line before anything is read', async () => {
    const { where } = site('bank:\n\tBANK\nnonsense: 1\n');
    const error = await failure(loadBranch(where, V, { expire: 'someday', engine: 'warp' }));
    expect(error.kind).toBe('usage');
    expect(error.message).toBe(
      '--expire: "someday" is not a date or time such as "+3 months", "2027-01-31" or "never"; --engine: "warp" is none of auto, delta, link-dest.',
    );
  });

  it('reads the file of a client beside the master file or in /etc/dirvish, but not in /etc', async () => {
    const { where, directory, write } = site(undefined, 'client: hosts\ntree: /\n');
    write('old/dirvish.conf', `bank:\n\tBANK\n`);
    write('old/hosts', 'this is not for us\n');
    const old = { ...where, etc: join(directory, 'old') };
    expect((await loadBranch(old, V)).settings.retries).toBe(2);
    write('old/dirvish/hosts.conf', 'retries: 7\n');
    expect((await loadBranch(old, V)).settings.retries).toBe(7);
  });

  it('RESET empties a list at its place, UNSET puts a value back', async () => {
    const { where } = site(
      'bank:\n\tBANK\nexclude:\n\tmaster\nspeed-limit: 5\nSET checksum\n',
      `${PLAIN}RESET exclude\n\tvault\nUNSET speed-limit checksum\nRESET rsh exclude\nexclude: last\n`,
    );
    const { settings, itemOrigins } = await loadBranch(where, V);
    expect(settings).toMatchObject({ exclude: ['last'], checksum: false, rsh: ['ssh'] });
    expect(settings['speed-limit']).toBeUndefined();
    expect(itemOrigins.get('exclude')).toHaveLength(1);
  });

  it('includes files of the vault first, then of the master file, each only once', async () => {
    const { where, write } = site(
      undefined,
      `${PLAIN}config: common\nconfig: only-here.conf\nfile-exclude: list\n`,
    );
    write('etc/vault/common.conf', 'retries: 8\n');
    write('bank/v/dirvish/common.conf', 'retries: 9\n');
    write('etc/vault/only-here.conf', 'xdev: 1\n');
    write('etc/vault/list', '/a\n\n/b \n');
    const { settings } = await loadBranch(where, V);
    expect(settings).toMatchObject({ retries: 9, xdev: true, exclude: ['/a', '/b '] });
    write('etc/vault/only-here.conf', 'config: common\n');
    const error = await failure(loadBranch(where, V));
    expect(error.problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^config: .*common.conf has been read already: a loop$/),
    ]);
  });
});

describe('vaults and branches', () => {
  it('are in the first bank that has them', async () => {
    const { where, directory, write } = site('bank:\n\tBANK/../absent\n\tBANK/../one\n\tBANK\n');
    mkdirSync(join(directory, 'one/v'), { recursive: true });
    expect((await loadBranch(where, V)).bank).toBe(join(directory, 'bank'));
    write('one/v/dirvish/default.conf', PLAIN);
    expect(await loadBranch(where, V)).toMatchObject({
      bank: `${directory}/bank/../one`,
      vault: 'v',
      branch: 'default',
    });
  });

  it('read BRANCH.conf in place of default.conf', async () => {
    const { where, write } = site(undefined, `${PLAIN}retries: 5\n`);
    write('bank/v/dirvish/weekly.conf', `${PLAIN}xdev: 1\n`);
    const { settings, branch } = await loadBranch(where, { vault: 'v', branch: 'weekly' });
    expect([branch, settings.branch, settings.retries, settings.xdev]).toEqual(['weekly', 'weekly', 2, true]);
    const none = await failure(loadBranch(where, { vault: 'v', branch: 'monthly' }));
    expect(none.kind).toBe('config');
  });

  it('have their branch from branch-default, which can be named too', async () => {
    const { where } = site(undefined, `${PLAIN}branch-default: daily\n`);
    expect((await loadBranch(where, V)).branch).toBe('daily');
    expect((await loadBranch(where, { vault: 'v', branch: 'daily' })).branch).toBe('daily');
    expect((await failure(loadBranch(where, { vault: 'v', branch: 'other' }))).kind).toBe('config');
  });

  it('without default.conf mean the only branch there is', async () => {
    const { where, write } = site();
    write('bank/w/dirvish/daily.conf', PLAIN);
    expect((await loadBranch(where, { vault: 'w', branch: undefined })).branch).toBe('daily');
    write('bank/w/dirvish/weekly.conf', PLAIN);
    const error = await failure(loadBranch(where, { vault: 'w', branch: undefined }));
    expect([error.kind, error.hint]).toEqual(['usage', 'There is w:daily, w:weekly.']);
    write('etc/vault/default.conf', PLAIN);
    expect((await loadBranch(where, { vault: 'w', branch: undefined })).branch).toBe('default');
  });

  it('may have names that new ones may not', async () => {
    const { where, write } = site();
    write('bank/büro=1/dirvish/täglich.conf', PLAIN);
    const loaded = await loadBranch(where, { vault: 'büro=1', branch: 'täglich' });
    expect([loaded.vault, loaded.branch]).toEqual(['büro=1', 'täglich']);
    expect([isName('büro=1'), isName('laptop-root_2.old+new')]).toEqual([false, true]);
  });

  it.each(['../v', 'v/w', '-v', '', '.', '..', 'a b', 'v\n', 'a..b', 'a:b', 'a@b', 'a\u001B[m'])(
    'can not be called %j',
    async (name) => {
      const { where } = site('bank:\n\tBANK\nnonsense: 1\n');
      expect((await failure(loadBranch(where, { vault: name, branch: undefined }))).kind).toBe('usage');
      expect((await failure(loadBranch(where, { vault: 'v', branch: name }))).kind).toBe('usage');
    },
  );

  it('that are unknown are told from banks that are not there', async () => {
    const { where, directory } = site();
    const unknown = await failure(loadBranch(where, { vault: 'w', branch: undefined }));
    expect([unknown.kind, unknown.message]).toEqual(['config', `There is no vault w in ${directory}/bank.`]);
    const away = site('bank:\n\tBANK/../disk\n');
    const absent = await failure(loadBranch(away.where, V));
    expect([absent.kind, absent.hint]).toEqual(['disk', 'Is the disk mounted?']);
    const none = site('exclude:\n\t/x\n');
    expect((await failure(loadBranch(none.where, V))).message).toBe('No bank is configured.');
  });
});
