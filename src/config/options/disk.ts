import { later } from '../option.ts';

/** The options of removable disks. */
export const DISK_OPTIONS = {
  Disk: later('The labels of the disks that take turns.', 'disks'),
  Mount: later('Mount the disk for the nightly run.', 'disks'),
  'Drive-log': later('The log of which disk was used when.', 'disks'),
  disk: later('The labels of the disks that take turns.', 'disks'),
  'drive-log': later('The log of which disk was used when.', 'disks'),
  'disk-mount': later('Where disks are mounted.', 'disks'),
  'mount-point': later('Where disks are mounted.', 'disks'),
  'disk-mount-options': later('How disks are mounted.', 'disks'),
  'disk-fsck': later('When a disk is checked before it is mounted.', 'disks'),
  'disk-max-uses': later('How often a disk may be used.', 'disks'),
  'protect-mount-point': later('Make the bare mount point immutable.', 'disks'),
  rotate: later('When disks are swapped.', 'disks'),
  'overdue-after': later('When a disk counts as overdue.', 'disks'),
  'bootable-max-age': later('When a bootable partition counts as old.', 'disks'),
};
