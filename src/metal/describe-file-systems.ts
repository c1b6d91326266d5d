import { z } from 'zod';
import type { Machine } from './describe-schema.ts';
import { answer, filledLines, keyValues, type Section } from './describe-sections.ts';

type FileSystem = Machine['fileSystems'][number];
type Device = Machine['devices'][number];

/** Members of something else: no file systems of their own. */
const MEMBERS = new Set([
  'LVM2_member',
  'linux_raid_member',
  'crypto_LUKS',
  'ddf_raid_member',
  'isw_raid_member',
]);

/** What `blkid -o export` tells: a block of KEY=value lines for each device. */
export function describeDevices(text: string | undefined): Machine['devices'] {
  const blocks: string[][] = [];
  for (const line of filledLines(text)) {
    if (line.startsWith('DEVNAME=')) blocks.push([]);
    blocks.at(-1)?.push(line.replace(/\\(.)/g, '$1'));
  }
  return blocks.map((lines) => ({ ...keyValues(lines.join('\n')) }));
}

/** The file systems and swap areas with what they were made with. */
export function describeFileSystems(
  sections: readonly Section[],
  devices: readonly Device[],
): Machine['fileSystems'] {
  const mounts = filledLines(answer(sections, 'mounts')).map((line) => line.split(' '));
  return devices.flatMap((device) => {
    const { DEVNAME: path, TYPE: type } = device;
    if (path === undefined || type === undefined || MEMBERS.has(type)) return [];
    const mountPoints = mounts.flatMap(([source, target = '']) => (source === path ? [target] : []));
    return [{ ...named(device), device: path, type, mountPoints, ...detailsOf(path, type, sections) }];
  });
}

function named(device: Device): Partial<FileSystem> {
  const names = { uuid: 'UUID', label: 'LABEL', partUuid: 'PARTUUID', partLabel: 'PARTLABEL' };
  const found = Object.entries(names).flatMap(([ours, theirs]) => {
    const value = device[theirs];
    return value === undefined ? [] : [[ours, value]];
  });
  return Object.fromEntries(found);
}

function detailsOf(
  device: string,
  type: string,
  sections: readonly Section[],
): Pick<FileSystem, 'settings' | 'subvolumes' | 'defaultSubvolume' | 'profiles'> {
  if (/^ext[234]$/.test(type)) return { settings: colonValues(answer(sections, 'dumpe2fs', device)) };
  if (type === 'xfs') return { settings: xfsValues(answer(sections, 'xfs_info', device)) };
  if (type === 'vfat') return { settings: { ...keyValues(answer(sections, 'vfat', device) ?? '') } };
  if (type !== 'btrfs') return { settings: {} };
  const subvolumes = answer(sections, 'btrfs-subvolumes', device);
  const chosen = /^ID (\d+)/.exec(answer(sections, 'btrfs-default', device) ?? '')?.[1];
  const profiles = profilesOf(answer(sections, 'btrfs-profile', device));
  return {
    settings: tabbedValues(answer(sections, 'btrfs-super', device)),
    ...(subvolumes === undefined ? {} : { subvolumes: subvolumesOf(subvolumes) }),
    ...(chosen === undefined ? {} : { defaultSubvolume: chosen }),
    ...(profiles === undefined ? {} : { profiles }),
  };
}

/** `Key:   value` lines of dumpe2fs, the first of a key. */
export function colonValues(text: string | undefined): Record<string, string> {
  const values = new Map<string, string>();
  for (const line of filledLines(text)) {
    const [, key, value = ''] = /^([A-Z][^:]*):\s*(.*)$/.exec(line) ?? [];
    if (key !== undefined && !values.has(key)) values.set(key, value.trim());
  }
  return Object.fromEntries(values);
}

/** `data     =    bsize=4096   blocks=65536, imaxpct=25` of xfs_info: `data.bsize` and so on. */
export function xfsValues(text: string | undefined): Record<string, string> {
  const values: Record<string, string> = {};
  let part = '';
  for (const line of filledLines(text)) {
    part = /^([a-z-]+)\s*=/.exec(line)?.[1] ?? part;
    for (const [, key = '', value = ''] of line.matchAll(/([a-z][a-z0-9-]*)=\s*([^\s,=]+)/g)) {
      if (key !== part) values[`${part}.${key}`] ??= value;
    }
  }
  return values;
}

/** `key<blanks>value` lines of btrfs inspect-internal dump-super. */
function tabbedValues(text: string | undefined): Record<string, string> {
  const lines = filledLines(text).flatMap((line) => {
    const [, key, value = ''] = /^([a-z_.]+)\s+(\S.*)$/.exec(line) ?? [];
    return key === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(lines);
}

/** `ID 256 gen 7 parent 5 top level 5 parent_uuid - uuid U path home`. */
function subvolumesOf(text: string): NonNullable<FileSystem['subvolumes']> {
  return filledLines(text).flatMap((line) => {
    const [, id, parent = '', uuid, path = ''] =
      /^ID (\d+) gen \d+ (?:cgen \d+ )?parent (\d+) .*?\buuid ([0-9a-f-]{36}) path (.*)$/.exec(line) ?? [];
    if (id === undefined) return [];
    return [{ id, parent, path, ...(uuid === undefined ? {} : { uuid }) }];
  });
}

const dfSchema = z.object({
  'filesystem-df': z.array(z.object({ 'bg-type': z.string(), 'bg-profile': z.string() })),
});

/** How data and metadata are kept: `{ data: 'single', metadata: 'dup' }`. */
function profilesOf(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined;
  try {
    const found = dfSchema.parse(JSON.parse(text))['filesystem-df'];
    return Object.fromEntries(
      found.map((each) => [each['bg-type'].toLowerCase(), each['bg-profile'].toLowerCase()]),
    );
  } catch {
    return plainProfiles(text);
  }
}

/** Versions without JSON: `Data, single: total=8388608, used=0`. */
function plainProfiles(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^(\w+), (\w+):/gm)].map(([, kind = '', profile = '']) => [
      kind.toLowerCase(),
      profile.toLowerCase(),
    ]),
  );
}
