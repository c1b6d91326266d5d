import { chmodSync, chownSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadBranch, loadMaster } from '../../../src/config/load.ts';
import { needs } from '../../support/needs.ts';
import { failure, site } from './site.ts';

const V = { vault: 'v', branch: undefined };

describe('ownership', () => {
  it.each([
    ['the file', 'etc/vault/master.conf', 0o646, 'is writable by everyone'],
    ['a directory above', 'etc', 0o757, 'is writable by everyone'],
    ["the vault's own directory", 'bank/v/dirvish', 0o777, 'is writable by everyone'],
  ])('is refused where others can write %s', async (_, path, mode, message) => {
    const { where, directory } = site();
    chmodSync(join(directory, path), mode);
    const error = await failure(loadBranch(where, V));
    expect(error.kind).toBe('refused');
    expect(error.message).toContain(message);
    expect(error.hint).toContain(join(directory, path));
  });

  it('looks at where a link leads, and at where it is', async () => {
    const { where, directory, write } = site();
    write('real/master.conf', 'bank:\n\tBANK\n');
    mkdirSync(join(directory, 'links'));
    symlinkSync('../real/master.conf', join(directory, 'links/master.conf'));
    const linked = { ...where, config: join(directory, 'links/master.conf') };
    expect((await loadMaster(linked)).settings.bank).toHaveLength(1);
    chmodSync(join(directory, 'real'), 0o777);
    expect((await failure(loadMaster(linked))).kind).toBe('refused');
    chmodSync(join(directory, 'real'), 0o755);
    chmodSync(join(directory, 'links'), 0o777);
    expect((await failure(loadMaster(linked))).kind).toBe('refused');
  });
});

describe('ownership, seen by root', () => {
  needs('root');

  it('is refused where the file or a directory is of another user', async () => {
    const { where, directory } = site();
    chownSync(join(directory, 'etc/vault/master.conf'), 65_534, 0);
    expect((await failure(loadMaster(where))).message).toContain('belongs to user 65534');
    expect((await loadMaster({ ...where, uid: 65_534 })).settings.bank).toHaveLength(1);
    chownSync(join(directory, 'etc/vault/master.conf'), 0, 0);
    chownSync(join(directory, 'etc'), 1, 0);
    expect((await failure(loadMaster(where))).message).toContain('etc belongs to user 1');
  });

  it('lets a group write that has no other members', async () => {
    const { where, directory } = site();
    const master = join(directory, 'etc/vault/master.conf');
    chmodSync(master, 0o664);
    expect((await loadMaster(where)).settings.bank).toHaveLength(1);
    // Debian: the group "bin" is the primary one of the user "bin"; nobody knows group 54321.
    for (const group of [2, 54_321]) {
      chownSync(master, 0, group);
      expect((await failure(loadMaster(where))).message).toContain(`is writable by group ${group}`);
    }
  });
});
