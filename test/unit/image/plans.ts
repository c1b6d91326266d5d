import { defaultSettings, type Settings } from '../../../src/config/options.ts';
import { parseTree } from '../../../src/config/tree.ts';
import { planImage, type ImagePlan, type Observed, type Request } from '../../../src/image/plan.ts';
import type { Image } from '../../../src/model.ts';

export const NOW = Date.UTC(2026, 10, 20, 22) / 1000;

export interface Given {
  readonly settings?: Partial<Settings>;
  readonly request?: Partial<Request>;
  readonly observed?: Partial<Observed>;
}

/** The plan for an image of /home of this machine, in an empty vault, unless said otherwise. */
export function planFor({ settings = {}, request = {}, observed = {} }: Given = {}): ImagePlan {
  const all: Settings = { ...defaultSettings(), tree: '/home', ...settings };
  const tree = parseTree(all.tree ?? '');
  if (tree === undefined) throw new Error(`${all.tree} is no tree`);
  const names = { bank: '/bank', vault: 'v', branch: 'default', client: 'localhost', imageName: '20261120' };
  return planImage(
    { ...names, tree, settings: all, time: NOW, expire: 'Never', expireRule: undefined, ...request },
    {
      hostName: 'here',
      images: [],
      directories: [],
      serverRsync: [3, 2, 7],
      clientRsync: [3, 2, 7],
      clientHasNice: true,
      nanoseconds: true,
      isRoot: true,
      banksInside: [],
      ...observed,
    },
  );
}

/** A good image, completed a day before the plan's time. */
export function imageOf(name: string, more: Partial<Image> = {}): Image {
  return {
    bank: '/bank',
    vault: 'v',
    branch: 'default',
    name,
    directory: name,
    verdict: 'good',
    hasTree: true,
    status: 'success',
    client: 'localhost',
    tree: '/home',
    reference: undefined,
    begun: NOW - 86_500,
    completed: NOW - 86_400,
    expire: 'Never',
    pinned: false,
    frozenUntil: undefined,
    warnings: 0,
    compared: false,
    files: 10,
    directories: 2,
    bytes: 1000,
    without: [],
    ...more,
  };
}
