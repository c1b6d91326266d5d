import { randomUUID } from 'node:crypto';
import { link, mkdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { bankFault, type KnownBank } from './known.ts';
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

/** The banks this server has written to, by path: several at one, where disks take turns. */
interface Registry {
  readonly schema: 1;
  readonly banks: Readonly<Record<string, readonly KnownBank[]>>;
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
 * under an unmounted mount point. A bank whose path was never seen is remembered; `adopt` also takes one whose path
 * was known with another identity, but never what lies under the mount point of a known disk. Gives the bank's id.
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

/** Fails as `recogniseBank` would, and writes nothing. */
export async function requireRecognisable(bank: string, stateDir: string, adopt: boolean): Promise<void> {
  const { banks } = await readRegistry(stateDir);
  const seen = { id: (await readIdentity(bank))?.id, ownDevice: await isOnOwnDevice(bank) };
  throwFault(bank, stateDir, bankFault(seen, banks[bank] ?? [], adopt));
}

async function recogniseLocked(bank: string, stateDir: string, adopt: boolean): Promise<string> {
  const registry = await readRegistry(stateDir);
  const known = registry.banks[bank] ?? [];
  await requireBank(bank);
  const ownDevice = await isOnOwnDevice(bank);
  const identity = await readIdentity(bank);
  throwFault(bank, stateDir, bankFault({ id: identity?.id, ownDevice }, known, adopt));
  const id = identity?.id ?? (await identify(bank));
  if (known.some((each) => each.id === id && each.ownDevice === ownDevice)) return id;
  const banks = { ...registry.banks, [bank]: [...known.filter((each) => each.id !== id), { id, ownDevice }] };
  await writeDurably(
    registryPath(stateDir),
    `${JSON.stringify({ schema: SCHEMA, banks }, null, 2)}\n`,
    0o600,
  );
  return id;
}

/** Whether something is mounted at the bank or above it; else it shares the device of the root directory. */
async function isOnOwnDevice(bank: string): Promise<boolean> {
  return (await stat(bank)).dev !== (await stat('/')).dev;
}

function throwFault(bank: string, stateDir: string, fault: ReturnType<typeof bankFault>): void {
  if (fault === 'other') {
    throw new VaultError(
      'disk',
      `Bank ${bank} is not the file system that was backed up to before: not mounted?`,
      {
        hint: `Mount the disk. If this is a new bank in the old one's place, or one of several that take turns, say so once with --adopt-bank.`,
      },
    );
  }
  if (fault === 'unmounted') {
    throw new VaultError(
      'disk',
      `Bank ${bank} lies on the root file system, but was on a disk of its own: not mounted?`,
      {
        hint: `Mount the disk. If the bank is to be here from now on, take ${bank} out of ${registryPath(stateDir)}.`,
      },
    );
  }
}

/** Gives a bank its id, which stays with the file system wherever it is mounted. */
async function identify(bank: string): Promise<string> {
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
  const banks: Record<string, KnownBank[]> = {};
  const written = parsed?.['banks'];
  if (typeof written === 'object' && written !== null) {
    for (const [path, ids] of Object.entries(written)) {
      if (Array.isArray(ids)) banks[path] = ids.flatMap(readKnown);
    }
  }
  return { schema: SCHEMA, banks };
}

/** An id alone, as they were written at first, or with the device that it was seen on. */
function readKnown(written: unknown): KnownBank[] {
  if (typeof written === 'string') return [{ id: written, ownDevice: undefined }];
  if (typeof written !== 'object' || written === null) return [];
  const { id, ownDevice }: Partial<Record<keyof KnownBank, unknown>> = written;
  if (typeof id !== 'string') return [];
  return [{ id, ownDevice: typeof ownDevice === 'boolean' ? ownDevice : undefined }];
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
