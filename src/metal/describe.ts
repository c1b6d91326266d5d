import { z } from 'zod';
import { describeDisks } from './describe-disks.ts';
import { describeFileSystems, describeDevices } from './describe-file-systems.ts';
import type { Machine } from './describe-schema.ts';
import { allOf, answer, filledLines, keyValues, type Section, type Sections } from './describe-sections.ts';
import { describeLuks, describeLvm, describeRaid } from './describe-volumes.ts';

const anything = z.array(z.unknown());
const lsblk = z.object({ blockdevices: anything });

/** Makes the machine descriptor out of what hooks/capture printed. `at` is RFC 3339. */
export function describeMachine(client: string, at: string, captured: Sections): Machine {
  const { sections } = captured;
  const about = keyValues(answer(sections, 'about') ?? '');
  const asRoot = about['uid'] === '0';
  const text = (name: string) => answer(sections, name);
  const line = (name: string) => text(name)?.trim() || undefined;
  const devices = describeDevices(text('blkid'));
  const lvm = describeLvm(sections);
  const machine = {
    schema: 1 as const,
    client,
    hostName: line('host-name'),
    machineId: line('machine-id'),
    os: describeOs(sections),
    boot: describeBoot(sections),
    disks: describeDisks(sections),
    devices,
    fileSystems: describeFileSystems(sections, devices),
    swaps: describeSwaps(text('swaps')),
    mounts: describeMounts(text('mounts')),
    fstab: text('fstab'),
    crypttab: text('crypttab'),
    df: text('df'),
    ...(lvm === undefined ? {} : { lvm }),
    raid: describeRaid(sections),
    mdadmConf: text('mdadm-conf'),
    luks: describeLuks(sections),
    network: {
      links: filledLines(text('links')).map((each) => {
        const [name = '', mac = ''] = each.split(' ');
        return { name, mac };
      }),
      addresses: [...(parseJson(anything, text('addresses')) ?? [])],
      routes: text('routes'),
    },
    modules: filledLines(text('modules')).map((each) => each.split(' ')[0] ?? ''),
    packages: describePackages(sections),
    flags: filledLines(text('flags')).map((each) => {
      const [, flags = '', path = ''] = /^(\S+)\s(.*)$/.exec(each) ?? [];
      return { path, flags: flags.replaceAll('-', '') };
    }),
    lsblk: [...(parseJson(lsblk, text('lsblk'))?.blockdevices ?? [])],
  };
  const items = sections.map(({ name, of, status, reason }) => ({
    name,
    ...(of === undefined ? {} : { of }),
    status,
    ...(reason === undefined ? {} : { reason }),
  }));
  const lacking = lackingOf(captured, asRoot, machine);
  return { ...machine, captured: { at, asRoot, complete: lacking.length === 0, lacking, items } };
}

/** JSON of a foreign tool, if it is what we expect; it decides nothing alone. */
export function parseJson<T>(schema: z.ZodType<T>, text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function describeOs(sections: readonly Section[]): Machine['os'] {
  const release = keyValues(answer(sections, 'os-release') ?? '');
  return {
    id: release['ID'],
    version: release['VERSION_ID'],
    name: release['PRETTY_NAME'],
    architecture: answer(sections, 'architecture')?.trim(),
    kernel: answer(sections, 'release')?.trim(),
  };
}

function describeBoot(sections: readonly Section[]): Machine['boot'] {
  const firmware = answer(sections, 'firmware')?.trim();
  const secure = filledLines(answer(sections, 'secure-boot')).at(-1)?.trim().split(/\s+/).at(-1);
  return {
    firmware: firmware === 'bios' || firmware === 'uefi' ? firmware : 'unknown',
    ...(secure === undefined ? {} : { secureBoot: secure === '1' }),
    commandLine: answer(sections, 'command-line')?.trim(),
    loaders: filledLines(answer(sections, 'boot-loaders')).map((line) => {
      const [kind = '', path = ''] = line.split(/ (.*)/);
      return { kind, path };
    }),
    initramfs: answer(sections, 'initramfs')?.trim(),
    efiEntries: answer(sections, 'efibootmgr'),
    files: answer(sections, 'boot-files'),
  };
}

function describeSwaps(text: string | undefined): Machine['swaps'] {
  const [, ...lines] = filledLines(text);
  return lines.map((line) => {
    const [path = '', kind = '', size = '0'] = line.split(/\s+/);
    return { path: unescapeMount(path), kind, size: Number(size) * 1024 };
  });
}

function describeMounts(text: string | undefined): Machine['mounts'] {
  return filledLines(text).map((line) => {
    const [source = '', target = '', type = '', options = ''] = line.split(' ').map(unescapeMount);
    return { source, target, type, options };
  });
}

/** /proc writes blanks in names as octal. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function describePackages(sections: readonly Section[]): Machine['packages'] {
  const managers = [
    ['dpkg', 'dpkg-selections'],
    ['rpm', 'rpm'],
    ['pacman', 'pacman'],
    ['apk', 'apk'],
  ] as const;
  return managers.flatMap(([manager, section]) => {
    const list = answer(sections, section);
    if (list === undefined) return [];
    const manual = manager === 'dpkg' ? answer(sections, 'apt-manual') : undefined;
    const architecture = manager === 'dpkg' ? answer(sections, 'dpkg-architecture')?.trim() : undefined;
    return [
      {
        manager,
        list,
        ...(manual === undefined ? {} : { manual: [...filledLines(manual)] }),
        ...(architecture === undefined ? {} : { architecture }),
      },
    ];
  });
}

/** What a rebuild would miss, in words. */
function lackingOf(
  { sections, whole }: Sections,
  asRoot: boolean,
  machine: Pick<Machine, 'disks' | 'devices'>,
): string[] {
  const lacking: string[] = [];
  if (!whole) lacking.push('the output ended in the middle');
  if (!asRoot) lacking.push('it was not run by root');
  if (machine.disks.length === 0) lacking.push('no disk was seen');
  for (const name of ['blkid', 'mounts', 'fstab', 'firmware']) {
    if (answer(sections, name) === undefined) lacking.push(`${name}: ${whyNot(sections, name)}`);
  }
  for (const name of ['sfdisk-dump', 'sfdisk-json', 'dumpe2fs', 'xfs_info', 'btrfs-show', 'luksDump']) {
    for (const each of allOf(sections, name)) {
      if (each.status === 'ok' || isBlank(each)) continue;
      lacking.push(`${name} ${each.of ?? ''}: ${reasonOf(each)}`);
    }
  }
  const has = (type: string) => machine.devices.some((device) => device['TYPE'] === type);
  const required = [
    ...(has('LVM2_member') ? ['pvs', 'vgs', 'lvs', 'vgcfgbackup'] : []),
    ...(has('linux_raid_member') ? ['mdadm-export'] : []),
  ];
  for (const name of required) {
    const found = allOf(sections, name);
    if (found.length === 0) lacking.push(`${name}: was not asked for`);
    for (const each of found) {
      if (each.status !== 'ok') lacking.push(`${[name, each.of].join(' ').trim()}: ${reasonOf(each)}`);
    }
  }
  return lacking;
}

/** A disk without a partition table, or a whole disk that is a file system, lacks nothing. */
function isBlank(section: Section): boolean {
  return /does not contain a recognized partition table/.test(section.reason ?? '');
}

function whyNot(sections: readonly Section[], name: string): string {
  const found = sections.find((each) => each.name === name);
  return found === undefined ? 'was not asked for' : reasonOf(found);
}

function reasonOf(section: Section): string {
  if (section.status === 'missing') return `there is no ${section.reason ?? 'tool'}`;
  if (section.status === 'cut') return 'the output ended in the middle';
  return section.reason ?? section.status;
}
