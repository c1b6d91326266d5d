import type { Machine } from '../metal/describe-schema.ts';
import { pad, printable } from './text.ts';
import { showBytes, showCounted } from './units.ts';

/** A machine descriptor in short: what there is, and what is lacking. */
export function machineText(machine: Machine): string {
  const { captured, os, boot } = machine;
  const rows: (readonly [string, string | undefined])[] = [
    ['machine', machine.hostName ?? machine.client],
    ['system', [os.name, os.architecture, os.kernel].filter((each) => each !== undefined).join(', ')],
    ['boot', [boot.firmware, ...boot.loaders.map(({ kind }) => kind)].join(', ')],
    ...machine.disks.map((disk) => ['disk', diskText(disk)] as const),
    ...machine.fileSystems.map((each) => ['files', fileSystemText(each)] as const),
    ...(machine.lvm?.groups ?? []).map(
      (group) => ['lvm', `volume group ${group['vg_name'] ?? '?'}`] as const,
    ),
    ...machine.raid.map(({ array, settings }) => ['raid', `${array} ${settings['MD_LEVEL'] ?? ''}`] as const),
    ...machine.luks.map(({ device, header }) => {
      return ['luks', `${device}${header === undefined ? '' : ', with its header: a secret'}`] as const;
    }),
    ...machine.packages.map(({ manager, list }) => {
      return ['packages', `${showCounted(list.split('\n').length - 1, 'package')} (${manager})`] as const;
    }),
  ];
  const lines = rows.flatMap(([key, value]) => (value ? [`${pad(key, 9)} ${printable(value)}`] : []));
  if (captured.complete) return [...lines, 'Complete: a rebuild has all it needs.'].join('\n');
  return [...lines, 'Lacking for a rebuild:', ...captured.lacking.map((each) => `  ${printable(each)}`)].join(
    '\n',
  );
}

function diskText(disk: Machine['disks'][number]): string {
  const table =
    disk.table === undefined
      ? 'no partition table'
      : `${disk.table.label}, ${showCounted(disk.table.partitions.length, 'partition')}`;
  const name = [disk.vendor, disk.model].filter((each) => each !== undefined).join(' ');
  const serial = disk.serial === undefined ? '' : `serial ${disk.serial}`;
  return [`${disk.path} ${showBytes(disk.size)}`, table, name, serial]
    .filter((each) => each !== '')
    .join(', ');
}

function fileSystemText(each: Machine['fileSystems'][number]): string {
  const at = each.mountPoints.length === 0 ? '' : ` on ${each.mountPoints[0]}`;
  return `${each.device} ${each.type}${at}${each.label === undefined ? '' : `, label ${each.label}`}`;
}
