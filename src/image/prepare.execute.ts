import { realpath, stat } from 'node:fs/promises';
import type { VaultContents } from '../catalog/images.execute.ts';
import type { Where } from '../commands/spec.ts';
import type { LoadedBranch } from '../config/load.ts';
import { expireFor } from '../config/rules.ts';
import { parseTree } from '../config/tree.ts';
import { VaultError } from '../errors.ts';
import { strftime } from '../time/strftime.ts';
import { imageTime } from '../time/when.ts';
import type { Means } from './means.ts';
import { planImage, sourceOf, type ImagePlan, type Request } from './plan.ts';
import type { ClientFacts } from './probe.ts';
import { probeClient, probeServer } from './probe.execute.ts';
import type { Source } from './rsync.ts';

/** What is known before an image is made: the plan, and what was seen of the client. */
export interface Prepared {
  readonly plan: ImagePlan;
  readonly facts: ClientFacts;
  /** The zone of names and dates. */
  readonly zone: string;
}

/** The configured source. */
export function sourceOfLoaded(loaded: LoadedBranch, hostName: string): Source {
  const tree = parseTree(loaded.settings.tree ?? '');
  const client = loaded.settings.client;
  if (tree === undefined || client === undefined) throw new Error('configuration without client or tree');
  return sourceOf(client, tree, hostName);
}

/** The zone of `time-zone`, or the machine's own. */
export function zoneOf(systemZone: string, loaded: LoadedBranch): string {
  const zone = loaded.settings['time-zone'];
  return zone === 'system' ? systemZone : zone;
}

/** Looks at both machines and works out the plan. */
export async function prepare(
  means: Means,
  loaded: LoadedBranch,
  contents: VaultContents,
  world: { readonly where: Where; readonly systemZone: string },
): Promise<Prepared> {
  const { settings } = loaded;
  for (const { directory, message } of contents.unreadable)
    means.log.warn(`${loaded.vault}: ${directory} is unreadable and left alone: ${message}`);
  const zone = zoneOf(world.systemZone, loaded);
  const source = sourceOfLoaded(loaded, world.where.hostName);
  const tree = parseTree(settings.tree ?? '');
  if (tree === undefined) throw new Error('configuration without tree');
  const now = Math.floor(Date.now() / 1000);
  const time = settings['image-time'] === undefined ? now : imageTime(settings['image-time'], now, zone);
  const expiry = expireFor(settings, time, zone);
  const request: Request = {
    bank: loaded.bank,
    vault: loaded.vault,
    branch: loaded.branch,
    client: source.kind === 'daemon' ? (settings.client ?? source.client) : source.client,
    tree,
    settings,
    time,
    imageName: imageNameOf(strftime(settings.image ?? settings['image-default'], time, zone)),
    expire: expiry.expire,
    expireRule: expiry.rule,
  };
  const rsyncOfClient = settings['rsync-client'] ?? 'rsync';
  const facts = await probeClient(means.run, source, settings.rsh, rsyncOfClient, means.signal);
  const plan = planImage(request, {
    hostName: world.where.hostName,
    images: contents.images,
    directories: contents.names,
    serverRsync: await probeServer(means.run, settings.rsync, means.signal),
    clientRsync: facts.rsync,
    clientHasNice: facts.hasNice,
    nanoseconds: await keepsNanoseconds(means),
    isRoot: world.where.uid === 0,
    banksInside: await banksInside(source, settings.bank),
  });
  return { plan, facts, zone };
}

/** An `@` would take an address apart at the wrong place. */
function imageNameOf(name: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9._+:,=%-]*$/.test(name) && name !== 'dirvish') return name;
  throw new VaultError('usage', `"${name}" can't be the name of an image.`, {
    hint: 'Letters, digits and . _ + : , = - ; see the options image and image-default.',
  });
}

/** ext4 with 128-byte inodes keeps whole seconds: comparing nanoseconds would find everything changed. */
async function keepsNanoseconds(means: Means): Promise<boolean> {
  const found = await Promise.all(
    ['.', 'dirvish'].map((name) => stat(means.vault.at(name), { bigint: true })),
  );
  return found.some((each) => each.mtimeNs % 1_000_000_000n !== 0n || each.ctimeNs % 1_000_000_000n !== 0n);
}

/** Banks inside the source would back themselves up; a source inside the bank is a mistake. */
async function banksInside(source: Source, banks: readonly string[]): Promise<string[]> {
  if (source.kind !== 'local') return [];
  const tree = await realpath(source.path === '' ? '/' : source.path).catch(() => undefined);
  if (tree === undefined) return [];
  const base = tree === '/' ? '/' : `${tree}/`;
  const patterns: string[] = [];
  for (const bank of banks) {
    const real = await realpath(bank).catch(() => undefined);
    if (real === undefined) continue;
    if (tree === real || tree.startsWith(`${real}/`)) {
      throw new VaultError('refused', `The tree ${tree} lies inside the bank ${bank}.`, {
        hint: 'A bank cannot keep itself; give another tree or another bank.',
      });
    }
    if (real.startsWith(base)) patterns.push(`/${real.slice(base.length).replace(/[*?[\\]/g, '\\$&')}`);
  }
  return patterns;
}
