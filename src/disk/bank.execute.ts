import { randomUUID } from 'node:crypto';
import { link, mkdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, VaultError } from '../errors.ts';
import type { Run } from '../exec/command.ts';
import { takeLock } from '../exec/lock.ts';
import { readIfThere, syncDirectory, writeDurably, writeSynced } from '../exec/files.ts';
import type { Space } from '../image/judge.ts';

/** What a bank says of itself in `.vault/bank.json`. */
interface BankIdentity {
  readonly schema: 1;
  readonly id: string;
}

/** The banks this server has written to: path → the ids seen there (several, where disks take turns). */
interface Registry {
  readonly schema: 1;
  readonly banks: Readonly<Record<string, readonly string[]>>;
}

const SCHEMA = 1;
/** The list is held for milliseconds. */
const SHORT_WAIT = 60;

/** Fails (`disk`) when there is no directory at the bank's path. */
export async function requireBank(bank: string): Promise<void> {
  const found = await stat(bank).catch((error: unknown) => {
    throw new VaultError('disk', `Bank ${bank} is not there (${codeOf(error)}).`, {
      hint: 'Is the disk mounted? vault never makes a bank.',
    });
  });
  if (!found.isDirectory()) throw new VaultError('disk', `Bank ${bank} is not a directory.`);
}

/**
 * Makes sure that a bank is the file system that this server wrote to before, so that nothing is ever written
 * under an unmounted mount point. A bank that was never seen is remembered; `adopt` also takes one whose path was
 * known with another identity. Gives the bank's id.
 */
export async function recogniseBank(
  run: Run,
  bank: string,
  stateDir: string,
  adopt: boolean,
  signal: AbortSignal,
): Promise<string> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const request = {
    path: join(stateDir, 'banks.lock'),
    mode: 'exclusive',
    create: true,
    wait: SHORT_WAIT,
  } as const;
  const lock = await takeLock(run, { ...request, what: 'the list of known banks' }, signal);
  try {
    return await recogniseLocked(bank, stateDir, adopt);
  } finally {
    await lock.release();
  }
}

async function recogniseLocked(bank: string, stateDir: string, adopt: boolean): Promise<string> {
  const registry = await readRegistry(stateDir);
  const known = registry.banks[bank] ?? [];
  const identity = await readIdentity(bank);
  if (identity === undefined && known.length > 0 && !adopt) throw goneError(bank);
  const id = identity?.id ?? (await identify(bank));
  if (known.includes(id)) return id;
  const banks = { ...registry.banks, [bank]: [...known, id] };
  await writeDurably(
    registryPath(stateDir),
    `${JSON.stringify({ schema: SCHEMA, banks }, null, 2)}\n`,
    0o600,
  );
  return id;
}

function goneError(bank: string): VaultError {
  return new VaultError(
    'disk',
    `Bank ${bank} is not the file system that was backed up to before: not mounted?`,
    {
      hint: `Mount the disk. If this is a new bank in the old one's place, say so once with --adopt-bank.`,
    },
  );
}

/** Gives a bank its id, which stays with the file system wherever it is mounted. */
export async function identify(bank: string): Promise<string> {
  const known = await readIdentity(bank);
  if (known !== undefined) return known.id;
  const identity: BankIdentity = { schema: SCHEMA, id: randomUUID() };
  await mkdir(join(bank, '.vault'), { recursive: true, mode: 0o700 });
  const fresh = `${identityPath(bank)}.${identity.id}`;
  await writeSynced(fresh, `${JSON.stringify(identity, null, 2)}\n`, 0o600);
  try {
    // Whoever links first has named the bank.
    await link(fresh, identityPath(bank));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(fresh, { force: true });
  }
  await syncDirectory(join(bank, '.vault'));
  return (await readIdentity(bank))?.id ?? identity.id;
}

function identityPath(bank: string): string {
  return join(bank, '.vault', 'bank.json');
}

function registryPath(stateDir: string): string {
  return join(stateDir, 'banks.json');
}

async function readIdentity(bank: string): Promise<BankIdentity | undefined> {
  const parsed = await readJson(identityPath(bank));
  return parsed !== undefined && typeof parsed['id'] === 'string'
    ? { schema: SCHEMA, id: parsed['id'] }
    : undefined;
}

async function readRegistry(stateDir: string): Promise<Registry> {
  const parsed = await readJson(registryPath(stateDir));
  const banks: Record<string, string[]> = {};
  const written = parsed?.['banks'];
  if (typeof written === 'object' && written !== null) {
    for (const [path, ids] of Object.entries(written)) {
      if (Array.isArray(ids)) banks[path] = ids.filter((id): id is string => typeof id === 'string');
    }
  }
  return { schema: SCHEMA, banks };
}

/** A JSON file of ours. One of a newer schema is not understood, and must not be written over. */
async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new VaultError('failed', `${path} is damaged: ${String(error)}`, {
      hint: 'Move the file away; vault makes it again.',
      cause: error,
    });
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const record: Record<string, unknown> = { ...parsed };
  if (typeof record['schema'] === 'number' && record['schema'] > SCHEMA) {
    throw new VaultError('failed', `${path} was written by a newer vault.`, {
      hint: 'Use that version here.',
    });
  }
  return record;
}

/** What is free for us on the file system of a path. */
export async function spaceOf(path: string, isRoot: boolean): Promise<Space> {
  const figures = await statfs(path);
  return {
    freeBytes: (isRoot ? figures.bfree : figures.bavail) * figures.bsize,
    // btrfs counts no inodes: it makes them as it goes.
    freeInodes: figures.files === 0 ? undefined : figures.ffree,
    blockSize: figures.bsize,
  };
}
