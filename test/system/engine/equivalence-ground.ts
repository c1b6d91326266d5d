import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { defaultSettings, type Settings } from '../../../src/config/options.ts';
import { parseTree } from '../../../src/config/tree.ts';
import type { Run } from '../../../src/exec/command.ts';
import { openForReading } from '../../../src/exec/lock.ts';
import { openedBy } from '../../../src/exec/opened.ts';
import { run as realRun } from '../../../src/exec/run.ts';
import { attempt } from '../../../src/image/attempt.execute.ts';
import type { Made } from '../../../src/image/result.ts';
import type { Engine } from '../../../src/image/engine.ts';
import type { Means } from '../../../src/image/means.ts';
import { planImage, type ImagePlan } from '../../../src/image/plan.ts';
import type { Image } from '../../../src/model.ts';
import type { Tree } from '../../support/tree.ts';

/** A source and a vault, and the product's own functions to make images of one in the other. */
export interface Ground {
  readonly source: string;
  readonly vault: string;
  readonly make: (name: string, how: How) => Promise<Attempt>;
  /** What would be made, and how. */
  readonly plan: (name: string, how: How) => ImagePlan;
  readonly close: () => Promise<void>;
}

export interface How {
  readonly engine: Engine;
  readonly reference?: string;
  readonly settings?: Partial<Settings>;
  /** Stands in for the runner of commands, which it calls. */
  readonly run?: Run;
}

/** An image as the engine made it, named as after a commit. */
export interface Attempt {
  readonly made: Made;
  readonly plan: ImagePlan;
  readonly tree: string;
}

interface Place {
  readonly source: string;
  readonly vault: string;
  /** By image, what its summary would name under UNSET. */
  readonly without: ReadonlyMap<string, readonly string[]>;
}

const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const progress = { phase: () => undefined, update: () => undefined, end: () => undefined };

/** An empty source and an empty vault below a directory. */
export async function openGround(directory: string): Promise<Ground> {
  const source = `${directory}/source`;
  const vault = `${directory}/bank/v`;
  mkdirSync(`${vault}/dirvish`, { recursive: true });
  mkdirSync(source, { recursive: true });
  const held = await openForReading(vault);
  const opened = await openedBy(held);
  const without = new Map<string, readonly string[]>();
  const meansFor = (run: Run): Means => ({
    run,
    signal: new AbortController().signal,
    vault: opened,
    lockFds: [held.fd],
    nice: false,
    progress,
    log: quiet,
  });
  return {
    source,
    vault,
    make: async (name, how) => {
      const made = await make(meansFor(how.run ?? realRun), { source, vault, without }, name, how);
      without.set(
        name,
        (['acls', 'xattrs'] as const).filter((each) => !made.plan.setup[each]),
      );
      return made;
    },
    plan: (name, how) => planOf({ source, vault, without }, name, how),
    close: () => held.release(),
  };
}

async function make(means: Means, place: Place, name: string, how: How): Promise<Attempt> {
  const plan = planOf(place, name, how);
  const made = await attempt(means, plan, undefined);
  if (made.kind === 'broken') throw new Error(made.reason);
  renameSync(`${place.vault}/${plan.workDirectory}`, `${place.vault}/${name}`);
  writeFileSync(`${place.vault}/${name}/summary`, 'Status: success\n');
  return { made, plan, tree: `${place.vault}/${name}/tree` };
}

function planOf(place: Place, name: string, how: How): ImagePlan {
  const tree = parseTree(place.source);
  if (tree === undefined) throw new Error(`${place.source} is no tree`);
  const settings: Settings = {
    ...defaultSettings(),
    tree: place.source,
    engine: how.engine,
    ...(how.reference === undefined ? {} : { reference: how.reference }),
    ...how.settings,
  };
  const request = { bank: place.vault, vault: 'v', branch: 'default', client: 'localhost', tree, settings };
  const named = { time: 1_800_000_000, imageName: name, expire: 'Never', expireRule: undefined };
  return planImage(
    { ...request, ...named },
    {
      hostName: 'here',
      images:
        how.reference === undefined
          ? []
          : [imageNamed(how.reference, place.without.get(how.reference) ?? [])],
      directories: [],
      serverRsync: [3, 2, 7],
      clientRsync: undefined,
      clientHasNice: false,
      nanoseconds: true,
      isRoot: true,
      banksInside: [],
    },
  );
}

/** What a catalogue would say of an image, as far as the engine looks at it. */
function imageNamed(name: string, without: readonly string[]): Image {
  const place = { bank: '', vault: 'v', branch: 'default', name, directory: name, hasTree: true };
  return {
    ...place,
    verdict: 'good',
    status: 'success',
    client: 'localhost',
    tree: '',
    reference: undefined,
    begun: 1,
    completed: 2,
    expire: 'Never',
    pinned: false,
    frozenUntil: undefined,
    warnings: 0,
    compared: false,
    files: 1,
    directories: 1,
    bytes: undefined,
    without,
  };
}

/** Which paths of a tree are inodes of an older one, and of which of its paths. */
export function sharing(older: Tree, tree: Tree): ReadonlyMap<string, string> {
  const known = new Map([...older.values()].map((entry) => [entry.inode, entry.group]));
  const shared = new Map<string, string>();
  for (const [path, entry] of tree) {
    const from = known.get(entry.inode);
    if (from !== undefined) shared.set(path, from);
  }
  return shared;
}

/** Differences in what two images share with their reference, in words. */
export function compareSharing(reference: Tree, a: Tree, b: Tree): string[] {
  const first = sharing(reference, a);
  const second = sharing(reference, b);
  const paths = [...new Set([...first.keys(), ...second.keys()])].toSorted();
  return paths.flatMap((path) =>
    first.get(path) === second.get(path)
      ? []
      : [
          `${JSON.stringify(path)} is ${JSON.stringify(first.get(path))} of the reference in one, ` +
            `${JSON.stringify(second.get(path))} in the other`,
        ],
  );
}
