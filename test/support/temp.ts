import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUp, guarded } from './cleanup.ts';

/** A new directory (mode 0755, absolute, no symbolic links in its path), removed at the end of the test. */
export function tempDir(name = 'dir'): string {
  const { path, remove } = create(name);
  cleanUp(remove);
  return path;
}

/** For the cases of a property: a new directory that is removed when the function ends, however it ends. */
export async function withTempDir<T>(use: (directory: string) => T | Promise<T>): Promise<T> {
  const { path, remove } = create('case');
  try {
    return await use(path);
  } finally {
    remove();
  }
}

function create(name: string): { path: string; remove: () => void } {
  const path = mkdtempSync(join(realpathSync(tmpdir()), `vault-test-${name}-`));
  chmodSync(path, 0o755);
  const release = guarded('rm', path);
  return {
    path,
    remove: () => {
      removeTree(path);
      release();
    },
  };
}

/** Removes a tree whatever its names and modes, but nothing that is mounted in it. */
export function removeTree(path: string): void {
  if (process.getuid?.() !== 0) {
    // A user can't empty a directory without the right to write; errors show in the removal.
    execFileSync('find', [path, '-type', 'd', '!', '-perm', '-700', '-exec', 'chmod', 'u+rwx', '{}', ';'], {
      stdio: 'ignore',
    });
  }
  execFileSync('rm', ['-rf', '--one-file-system', '--', path]);
}
