import { z } from 'zod';

/**
 * `machine.json`: all that is needed to rebuild the disks of a client, as hooks/capture found it. Sizes are bytes.
 * A newer schema is never read as an older one; docs/machine.md tells it in words.
 */
const settings = z.record(z.string(), z.string());
const text = z.string();

const partition = z.object({
  /** The device, as it was called then. */
  node: text,
  /** In sectors of the table. */
  start: z.number(),
  size: z.number(),
  type: text,
  uuid: text.optional(),
  name: text.optional(),
  attrs: text.optional(),
  bootable: z.boolean().optional(),
});

const table = z.object({
  label: text,
  id: text.optional(),
  firstLba: z.number().optional(),
  lastLba: z.number().optional(),
  sectorSize: z.number(),
  partitions: z.array(partition),
});

const disk = z.object({
  path: text,
  size: z.number(),
  logicalSector: z.number(),
  physicalSector: z.number().optional(),
  rotational: z.boolean().optional(),
  removable: z.boolean().optional(),
  vendor: text.optional(),
  model: text.optional(),
  serial: text.optional(),
  /** The World Wide Name or what stands for it. */
  wwid: text.optional(),
  /** Names below /dev/disk/by-id. */
  ids: z.array(text),
  /** Undefined where the disk has none, or it can't be read: `captured.lacking` tells. */
  table: table.optional(),
  /** For `sfdisk DISK < dump`. */
  dump: text.optional(),
});

const fileSystem = z.object({
  device: text,
  /** As blkid calls it: `ext4`, `xfs`, `btrfs`, `vfat`, `swap`. */
  type: text,
  uuid: text.optional(),
  label: text.optional(),
  partUuid: text.optional(),
  partLabel: text.optional(),
  mountPoints: z.array(text),
  /** dumpe2fs -h, xfs_info, blkid: whatever names the parameters that it was made with. */
  settings,
  /** btrfs: all subvolumes, which is the default, and how data and metadata are kept. */
  subvolumes: z.array(z.object({ id: text, parent: text, path: text, uuid: text.optional() })).optional(),
  defaultSubvolume: text.optional(),
  profiles: settings.optional(),
});

const item = z.object({
  name: text,
  of: text.optional(),
  status: z.enum(['ok', 'none', 'missing', 'root', 'failed', 'cut']),
  reason: text.optional(),
});

export const machineSchema = z.object({
  schema: z.literal(1),
  client: text,
  captured: z.object({
    /** RFC 3339, by the server's clock. */
    at: text,
    asRoot: z.boolean(),
    /** Whether a rebuild has all it needs; what is lacking, in words. */
    complete: z.boolean(),
    lacking: z.array(text),
    items: z.array(item),
  }),
  hostName: text.optional(),
  machineId: text.optional(),
  os: z.object({
    id: text.optional(),
    version: text.optional(),
    name: text.optional(),
    architecture: text.optional(),
    kernel: text.optional(),
  }),
  boot: z.object({
    firmware: z.enum(['bios', 'uefi', 'unknown']),
    secureBoot: z.boolean().optional(),
    commandLine: text.optional(),
    loaders: z.array(z.object({ kind: text, path: text })),
    initramfs: text.optional(),
    efiEntries: text.optional(),
    files: text.optional(),
  }),
  disks: z.array(disk),
  /** Everything that blkid knows, of all devices. */
  devices: z.array(settings),
  fileSystems: z.array(fileSystem),
  swaps: z.array(z.object({ path: text, kind: text, size: z.number() })),
  mounts: z.array(z.object({ source: text, target: text, type: text, options: text })),
  fstab: text.optional(),
  crypttab: text.optional(),
  df: text.optional(),
  lvm: z
    .object({
      physicalVolumes: z.array(settings),
      groups: z.array(settings),
      volumes: z.array(settings),
      /** For vgcfgrestore. */
      backups: z.array(z.object({ group: text, text })),
    })
    .optional(),
  raid: z.array(z.object({ array: text, settings, detail: text.optional() })),
  mdadmConf: text.optional(),
  luks: z.array(
    z.object({
      device: text,
      uuid: text.optional(),
      version: text.optional(),
      dump: text,
      /** A secret: base64 of the header's backup. */
      header: text.optional(),
    }),
  ),
  network: z.object({
    links: z.array(z.object({ name: text, mac: text })),
    addresses: z.array(z.unknown()),
    routes: text.optional(),
  }),
  modules: z.array(text),
  packages: z.array(
    z.object({
      manager: z.enum(['dpkg', 'rpm', 'pacman', 'apk']),
      /** As the package manager printed it. */
      list: text,
      manual: z.array(text).optional(),
      architecture: text.optional(),
    }),
  ),
  /** Inode flags that rsync does not carry: for chattr, last of all. */
  flags: z.array(z.object({ path: text, flags: text })),
  lsblk: z.array(z.unknown()),
});

/** The machine descriptor. */
export type Machine = z.infer<typeof machineSchema>;

/** Reads a machine.json. Gives what is wrong with it otherwise. */
export function parseMachine(json: string): Machine | { readonly message: string } {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { message: 'is no JSON' };
  }
  const schema = z.object({ schema: z.number() }).safeParse(value).data?.schema;
  if (schema !== undefined && schema > 1) return { message: `has schema ${schema}, of a newer vault` };
  const result = machineSchema.safeParse(value);
  if (result.success) return result.data;
  const [first] = result.error.issues;
  return { message: `${first?.path.join('.') || 'it'}: ${first?.message ?? 'is not as it should be'}` };
}
