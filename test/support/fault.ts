import { existsSync, readFileSync, readdirSync, watch, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { compile } from './compile.ts';
import { isAlive, killOne, ran, stateOf, type Options, type Ran } from './process.ts';
import { tempDir } from './temp.ts';

/** See test/preload/fault.c. */
export type FaultOptions = {
  /** Calls that change something at or under this path count; absolute, without symbolic links. */
  readonly prefix: string;
  /** Keep the name and path of every call, see `calls`. */
  readonly log?: boolean;
} & (
  | { readonly mode: 'count' }
  /** At call number `at` (from 1), before it is made: SIGKILL or SIGSTOP to the program and all its descendants. */
  | { readonly mode: 'kill' | 'stop'; readonly at: number }
  /** Call number `at` fails; with `sticky` all later ones do too. */
  | { readonly mode: 'eio' | 'enospc'; readonly at: number; readonly sticky?: boolean }
);

export interface Fault {
  /** For the environment of the program to be watched. */
  readonly env: Readonly<Record<string, string>>;
  /** Calls so far, of all processes together. */
  readonly count: () => number;
  /** The kind of call (`rename`, `write`, …) at which it happened; undefined when it has not. */
  readonly fired: () => string | undefined;
  /** All calls so far in order, as `NAME PATH`; only with `log`. */
  readonly calls: () => string[];
  /** The processes that are watched and still there. */
  readonly pids: () => number[];
  /** Resolves when it happens; with `stop` when all processes stand still. */
  readonly happened: () => Promise<void>;
  /** SIGKILL to all watched processes; resolves when they are gone. */
  readonly killAll: () => Promise<void>;
}

const MODES = { count: 0, kill: 1, stop: 2, eio: 3, enospc: 3 } as const;
const STICKY = 4;

/** The layout of `struct map`. */
const AT = {
  count: 0,
  at: 8,
  mode: 16,
  error: 20,
  fired: 24,
  pids: 28,
  log: 32,
  call: 40,
  prefix: 72,
  pid: 4168,
};
const CALL_SIZE = 32;
const MAP_SIZE = 4168 + 4 * 8192;

/** Prepares a fault for one program; nothing happens before one is started with `env`. */
export function fault(options: FaultOptions): Fault {
  const library = compile(new URL('../preload/fault.c', import.meta.url), ['-fPIC', '-shared', '-ldl']);
  const map = join(tempDir('fault'), 'map');
  writeFileSync(map, newMap(options), { mode: 0o666 });
  const read = () => readFileSync(map);
  // Also those that have not attached yet: they were started with the name of the map.
  const pids = () => {
    const mapped = attached(read()).filter((pid) => contains(`/proc/${pid}/maps`, map));
    return [...new Set([...mapped, ...startedWith(`VAULT_FAULT_MAP=${map}`)])].filter(isAlive);
  };
  return {
    env: { LD_PRELOAD: library, VAULT_FAULT_MAP: map, UV_USE_IO_URING: '0' },
    count: () => Number(read().readBigUInt64LE(AT.count)),
    fired: () => {
      const bytes = read();
      return bytes.readUInt32LE(AT.fired) === 0
        ? undefined
        : text(bytes.subarray(AT.call, AT.call + CALL_SIZE));
    },
    calls: () =>
      existsSync(`${map}.log`) ? readFileSync(`${map}.log`, 'latin1').split('\0').slice(0, -1) : [],
    pids,
    happened: async () => {
      await appearance(`${map}.fired`);
      if (options.mode === 'stop') await until(() => pids().every((pid) => stateOf(pid) === 'T'));
    },
    killAll: async () => {
      await until(() => {
        const left = pids();
        for (const pid of left) killOne(pid, 'SIGKILL');
        return left.length === 0;
      });
    },
  };
}

export interface Faulted {
  readonly ran: Ran;
  readonly count: number;
  readonly fired: string | undefined;
}

/** Runs a program to its end, whatever that is, under a fault that does not stop it; afterwards none of it is left. */
export async function runWithFault(
  argv: readonly string[],
  options: FaultOptions,
  how: Options = {},
): Promise<Faulted> {
  if (options.mode === 'stop') throw new Error('a stopped program does not end: use fault() and start()');
  const prepared = fault(options);
  const result = await ran(argv, { ...how, env: { ...how.env, ...prepared.env } });
  if (options.mode === 'kill' && prepared.fired() !== undefined) await prepared.killAll();
  return { ran: result, count: prepared.count(), fired: prepared.fired() };
}

function newMap(options: FaultOptions): Buffer {
  const map = Buffer.alloc(MAP_SIZE);
  const sticky = 'sticky' in options && options.sticky === true;
  map.writeBigUInt64LE(BigInt(options.mode === 'count' ? 0 : options.at), AT.at);
  map.writeUInt32LE(sticky ? STICKY : MODES[options.mode], AT.mode);
  map.writeUInt32LE(options.mode === 'enospc' ? constants.errno.ENOSPC : constants.errno.EIO, AT.error);
  map.writeUInt32LE(options.log === true ? 1 : 0, AT.log);
  map.write(options.prefix, AT.prefix);
  return map;
}

function attached(map: Buffer): number[] {
  const number = Math.min(map.readUInt32LE(AT.pids), 8192);
  const all = Array.from({ length: number }, (_, index) => map.readInt32LE(AT.pid + 4 * index));
  return [...new Set(all)].filter((pid) => pid > 0);
}

function startedWith(variable: string): number[] {
  const numbers = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return numbers.map(Number).filter((pid) => contains(`/proc/${pid}/environ`, variable));
}

/** The number of a process that ended can belong to another one by now, so what is its own is looked at. */
function contains(file: string, part: string): boolean {
  try {
    return readFileSync(file, 'latin1').includes(part);
  } catch {
    return false;
  }
}

function text(bytes: Buffer): string {
  return bytes.subarray(0, bytes.indexOf(0)).toString();
}

function appearance(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = watch(dirname(path), (_, name) => {
      if (name === basename(path) || existsSync(path)) done();
    });
    const done = () => {
      watcher.close();
      resolve();
    };
    watcher.on('error', reject);
    if (existsSync(path)) done();
  });
}

/** Signals take effect within moments, and the kernel tells nobody but the parent. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}
