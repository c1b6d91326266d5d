import { lstat, readFile, realpath } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { VaultError } from '../errors.ts';

/** The accounts of this machine, as far as the local files tell. */
interface Accounts {
  /** Members of each group by number, primary members included, as user numbers; unknown groups are missing. */
  readonly members: ReadonlyMap<number, ReadonlySet<number>>;
}

/**
 * Makes sure that nobody but root and the running user can change a file or put another in its place: it and every
 * directory above it must be theirs and not writable by others. A group with no other members counts as nobody;
 * directories with the sticky bit (`/tmp`) are fine, since what they hold is checked too. Throws `refused`.
 */
export async function requireTrusted(file: string, uid: number): Promise<void> {
  const accounts = await readAccounts();
  const checked = new Set<string>();
  for (const start of [resolve(file), await realpath(file)]) {
    for (let path = start; !checked.has(path); path = dirname(path)) {
      checked.add(path);
      const fault = faultOf(path, await lstat(path), uid, accounts);
      if (fault === undefined) continue;
      throw new VaultError('refused', `${file} can't be trusted: ${fault}.`, {
        hint: `To make it safe: chown root ${path} && chmod go-w ${path}`,
      });
    }
  }
}

function faultOf(path: string, stats: Stats, uid: number, accounts: Accounts): string | undefined {
  const what = stats.isDirectory() ? `the directory ${path}` : path;
  if (stats.uid !== 0 && stats.uid !== uid) return `${what} belongs to user ${stats.uid}`;
  // A link's own mode says nothing; who may replace it is a matter of its directory.
  if (stats.isSymbolicLink()) return undefined;
  if (stats.isDirectory() && (stats.mode & 0o1000) !== 0) return undefined;
  if ((stats.mode & 0o002) !== 0) return `${what} is writable by everyone`;
  if ((stats.mode & 0o020) === 0) return undefined;
  const members = accounts.members.get(stats.gid);
  if (members !== undefined && [...members].every((member) => member === 0 || member === uid))
    return undefined;
  return `${what} is writable by group ${stats.gid}`;
}

async function readAccounts(): Promise<Accounts> {
  const users = await readTable('/etc/passwd');
  const uidOf = new Map(users.map((fields) => [fields[0] ?? '', Number(fields[2])]));
  const members = new Map<number, Set<number>>();
  for (const [, , gid = '', names = ''] of await readTable('/etc/group')) {
    const list = names.split(',').filter((name) => name !== '');
    // A member that is in no local table is somebody all the same.
    members.set(Number(gid), new Set(list.map((name) => uidOf.get(name) ?? Number.NaN)));
  }
  for (const [, , uid = '', gid = ''] of users) members.get(Number(gid))?.add(Number(uid));
  return { members };
}

async function readTable(path: string): Promise<readonly (readonly string[])[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'));
}
