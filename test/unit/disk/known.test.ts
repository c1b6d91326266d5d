import { expect, it } from 'vitest';
import { bankFault } from '../../../src/disk/known.ts';

const DISK = { id: 'disk', ownDevice: true };
const ROOT = { id: 'root', ownDevice: false };

it.each([
  ['a first bank', { id: undefined, ownDevice: false }, [], undefined],
  ['a known one', DISK, [DISK], undefined],
  ['one of several disks', DISK, [{ ...DISK, id: 'second' }, DISK], undefined],
  ['one without an id where others are known', { id: undefined, ownDevice: true }, [DISK], 'other'],
  ['one with an unknown id where others are known', { ...DISK, id: 'new' }, [DISK], 'other'],
  ['a directory under the mount point', { id: undefined, ownDevice: false }, [DISK], 'unmounted'],
  ['a copy of a disk under its mount point', { ...DISK, ownDevice: false }, [DISK], 'unmounted'],
  ['a known directory under the mount point', ROOT, [ROOT, DISK], 'unmounted'],
  ['the disk, where the directory is known too', DISK, [ROOT, DISK], undefined],
  ['one of which the device is not known', ROOT, [{ id: 'root', ownDevice: undefined }], undefined],
  ['one moved to a disk of its own', { ...ROOT, ownDevice: true }, [ROOT], undefined],
] as const)('%s', (_, seen, known, fault) => {
  expect(bankFault(seen, known, false)).toBe(fault);
  // To adopt is to take another one, but never what a disk would be mounted over.
  expect(bankFault(seen, known, true)).toBe(fault === 'other' ? undefined : fault);
});
