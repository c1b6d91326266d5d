import type { Settings } from '../config/options.ts';
import type { Tree } from '../config/tree.ts';
import { VaultError } from '../errors.ts';
import type { Image } from '../model.ts';
import { atLeast, chooseEngine, type EngineChoice } from './engine.ts';
import { strictRsh, type RsyncSetup, type Source } from './rsync.ts';

/** The client's and the server's side, as far as the plan depends on them. */
export interface Observed {
  readonly hostName: string;
  /** All images of the vault, of every branch and verdict. */
  readonly images: readonly Image[];
  /** Names of all entries of the vault directory. */
  readonly directories: readonly string[];
  readonly serverRsync: readonly number[] | undefined;
  readonly clientRsync: readonly number[] | undefined;
  readonly clientHasNice: boolean;
  /** Whether the bank's inodes keep nanoseconds. */
  readonly nanoseconds: boolean;
  readonly isRoot: boolean;
  /** Patterns of the banks that lie inside the source. */
  readonly banksInside: readonly string[];
}

/** What is asked for, with names and times already worked out. */
export interface Request {
  readonly bank: string;
  readonly vault: string;
  readonly branch: string;
  readonly client: string;
  readonly tree: Tree;
  readonly settings: Settings;
  /** The image's time in seconds since the epoch: now, or what `image-time` says. */
  readonly time: number;
  /** The name that strftime made of `image` or `image-default`. */
  readonly imageName: string;
  readonly expire: string;
  readonly expireRule: string | undefined;
}

/** Everything that making one image depends on, as a value. */
export interface ImagePlan extends Request {
  /** The `Image:` of the summary, made unique in the vault. */
  readonly name: string;
  /** The directory's name: the image's, or that of `image-temp`. */
  readonly directory: string;
  /** Where it is made: `.incomplete-NAME`. */
  readonly workDirectory: string;
  readonly reference: Image | undefined;
  /** What the summary and the history call the reference. */
  readonly referenceName: string;
  readonly engine: EngineChoice;
  readonly setup: RsyncSetup;
  /** Compare all contents this time, because `checksum-every` has come round. */
  readonly fullComparison: boolean;
  /** The reference was made without ACLs and extended attributes (by dirvish). */
  readonly gainsAttributes: boolean;
  readonly notes: readonly string[];
}

/** Where the tree is, seen from this machine. */
export function sourceOf(client: string, tree: Tree, hostName: string): Source {
  const host = client.replace(/^.*@/, '');
  const here = client === hostName || host === 'localhost';
  const path = tree.path === '/' ? '' : tree.path;
  // `backup@localhost` names the daemon's user.
  if (tree.daemon) return { kind: 'daemon', client: client === hostName ? 'localhost' : client, path };
  return { kind: here ? 'local' : 'ssh', client, path };
}

/** Works out everything about the new image. Fails (`usage`) when there is nothing to make it against. */
export function planImage(request: Request, observed: Observed): ImagePlan {
  const { settings } = request;
  const source = sourceOf(request.client, request.tree, observed.hostName);
  const reference = settings.init ? undefined : chooseReference(request, observed.images);
  const name = uniqueName(request.imageName, observed);
  const temp = settings.image === undefined ? settings['image-temp'] : undefined;
  const setup = setupOf(request, observed, source);
  const engine = chooseEngine({
    wanted: settings.engine,
    hasReference: reference !== undefined,
    source,
    userOptions: settings['rsync-option'],
    serverRsync: observed.serverRsync,
    clientRsync: observed.clientRsync,
    permissions: settings.permissions,
    devices: settings.devices,
    dropped: droppedAttributes(setup, reference),
  });
  const notes = engine.reason === undefined ? [] : [`engine link-dest: ${engine.reason}`];
  if (name !== request.imageName)
    notes.push(`there is an image ${request.imageName} already: this one is ${name}`);
  if (observed.banksInside.length > 0) notes.push('the bank lies inside the source and is left out');
  if (!observed.isRoot)
    notes.push('not run by root: owners, devices and unreadable files are kept as far as it goes');
  const fullComparison = comparesAll(request, observed.images);
  return {
    ...request,
    name,
    directory: temp ?? name,
    workDirectory: `.incomplete-${name}`,
    reference,
    referenceName: reference?.name ?? request.branch,
    engine,
    setup: { ...setup, checksum: setup.checksum || fullComparison },
    fullComparison,
    gainsAttributes:
      reference !== undefined && reference.directories === undefined && (setup.acls || setup.xattrs),
    notes,
  };
}

/** A clone's directories would keep what the new image is to be without. */
function droppedAttributes(setup: RsyncSetup, reference: Image | undefined): string[] {
  const lacks = (name: string) => reference?.without?.includes(name) ?? false;
  return [
    ...(setup.acls || lacks('acls') ? [] : ['ACLs']),
    ...(setup.xattrs || lacks('xattrs') ? [] : ['extended attributes']),
  ];
}

/** The newest good image of a branch, by the time it was completed. */
export function newestGood(images: readonly Image[], branch: string): Image | undefined {
  return images
    .filter((image) => image.branch === branch && image.verdict === 'good' && image.hasTree)
    .reduce<Image | undefined>(
      (best, image) => ((best?.completed ?? -1) > (image.completed ?? 0) ? best : image),
      undefined,
    );
}

/** dirvish's rule: a branch's newest good image, else the image of that name; a first image needs `--init` or an empty branch. */
function chooseReference(request: Request, images: readonly Image[]): Image | undefined {
  const named = request.settings.reference;
  if (named === undefined) return newestGood(images, request.branch);
  const found =
    newestGood(images, named) ??
    images.find((image) => image.name === named && image.verdict === 'good' && image.hasTree);
  if (found !== undefined) return found;
  throw new VaultError(
    'usage',
    `There is no good image and no branch ${named} in vault ${request.vault} to refer to.`,
    {
      hint: `See \`vault list ${request.vault}\`; or leave \`reference\` out.`,
    },
  );
}

/** `NAME`, or `NAME-2`, `NAME-3`, … : an image is never overwritten. */
function uniqueName(name: string, observed: Observed): string {
  const taken = new Set([...observed.directories, ...observed.images.map((image) => image.name)]);
  if (!taken.has(name)) return name;
  for (let count = 2; ; count += 1) if (!taken.has(`${name}-${count}`)) return `${name}-${count}`;
}

/** Whether the last full comparison of the branch is longer ago than `checksum-every`. */
function comparesAll(request: Request, images: readonly Image[]): boolean {
  const every = request.settings['checksum-every'];
  if (every === undefined) return false;
  const compared = images.filter((image) => image.branch === request.branch && image.compared);
  const last = Math.max(0, ...compared.map((image) => image.completed ?? 0));
  // Half an hour's grace: nightly runs don't start on the second.
  return request.time - last >= every - 1_800;
}

function setupOf(request: Request, observed: Observed, source: Source): RsyncSetup {
  const { settings } = request;
  const [program = 'rsync', ...programArgs] = settings.rsync;
  return {
    source,
    program,
    programArgs,
    clientProgram: clientProgram(settings, observed),
    rsh: strictRsh(settings.rsh),
    hardLinks: settings['hard-links'],
    permissions: settings.permissions,
    devices: settings.devices,
    sparse: settings.sparse,
    acls: settings.acls && settings.permissions,
    xattrs: settings.xattrs,
    numericIds: settings['numeric-ids'],
    checksum: settings.checksum,
    wholeFile: settings['whole-file'],
    xdev: settings.xdev,
    compress: settings.zxfer,
    speedLimit: settings['speed-limit'],
    timeoutSeconds: settings['rsync-timeout'],
    passwordFile: settings['password-file'],
    userOptions: settings['rsync-option'],
    ownExcludes: observed.banksInside,
    hasExcludes: settings.exclude.length > 0,
    modifyWindow: observed.nanoseconds ? -1 : 0,
    quotesRemoteArgs: atLeast(observed.serverRsync, [3, 2, 4]),
  };
}

/** The client's rsync runs as politely as ours, where the client has nice and ionice and nothing else is asked for. */
function clientProgram(settings: Settings, observed: Observed): string | undefined {
  const named = settings['rsync-client'];
  if (named !== undefined || !settings.nice || !observed.clientHasNice) return named;
  return 'nice -n 10 ionice -c 2 -n 7 rsync';
}
