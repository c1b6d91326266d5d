import { describe, expect, it } from 'vitest';
import { loadBranch } from '../../../src/config/load.ts';
import { checkNewVault, newMasterConfig, newVaultConfig } from '../../../src/config/new-vault.ts';
import { runtimeDirectory, stateDirectory } from '../../../src/config/state.ts';
import { site } from './site.ts';

const VAULT = { name: 'v', client: 'root@box', tree: '/srv/my\\ files', excludes: ['/tmp/*', '*#x'] };

describe('the configuration of a new vault', () => {
  it('is read back as it was meant', async () => {
    const { where } = site(newMasterConfig('BANK', 'v'), newVaultConfig(VAULT));
    expect(checkNewVault(VAULT)).toEqual([]);
    const { settings } = await loadBranch(where, { vault: 'v', branch: undefined });
    expect(settings).toMatchObject({
      client: 'root@box',
      tree: VAULT.tree,
      exclude: VAULT.excludes,
      xdev: true,
    });
    expect(settings.Runall).toEqual([{ vault: 'v', branch: undefined, time: undefined }]);
  });

  it.each([
    [{ client: '-x' }, '--client: '],
    [{ tree: 'srv' }, '--tree: '],
    [{ excludes: ['a\nxdev: 0'] }, "can't be written"],
    [{ excludes: ['a # b'] }, "can't be written"],
    [{ excludes: [' a'] }, "can't be written"],
    [{ excludes: [''] }, "can't be written"],
  ])('with %j is refused', (part, message) => {
    expect(checkNewVault({ ...VAULT, ...part }).map((problem) => problem.message)).toEqual([
      expect.stringContaining(message),
    ]);
  });
});

describe('state', () => {
  const where = {
    config: undefined,
    stateDir: undefined,
    env: {},
    home: '/home/u',
    cwd: '/',
    hostName: 'box',
  };

  it('is where the command line says, then the environment, then the usual place', () => {
    expect(stateDirectory({ ...where, uid: 0, stateDir: '/s', env: { VAULT_STATE_DIR: '/e' } })).toBe('/s');
    expect(stateDirectory({ ...where, uid: 0, env: { VAULT_STATE_DIR: '/e' } })).toBe('/e');
    expect(stateDirectory({ ...where, uid: 0 })).toBe('/var/lib/vault');
    expect(stateDirectory({ ...where, uid: 1000 })).toBe('/home/u/.local/state/vault');
    expect(stateDirectory({ ...where, uid: 1000, env: { XDG_STATE_HOME: '/x' } })).toBe('/x/vault');
  });

  it('that must not outlive a reboot is elsewhere', () => {
    expect(runtimeDirectory({ ...where, uid: 0 })).toBe('/run/vault');
    expect(runtimeDirectory({ ...where, uid: 1000, env: { XDG_RUNTIME_DIR: '/run/user/1000' } })).toBe(
      '/run/user/1000/vault',
    );
    expect(runtimeDirectory({ ...where, uid: 1000 })).toBe('/home/u/.local/state/vault/locks');
  });
});
