import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeMachine } from '../../../src/metal/describe.ts';
import { machineSchema, parseMachine } from '../../../src/metal/describe-schema.ts';
import { parseSections, type Sections } from '../../../src/metal/describe-sections.ts';

const AT = '2026-11-25T12:00:00+00:00';
const WRITTEN = readFileSync(
  join(import.meta.dirname, '../../../fixtures/metal/describe/written-lvm-luks-raid.txt'),
  'utf8',
);

function sectionsOf(text: string): Sections {
  const sections = parseSections(text);
  if (sections === undefined) throw new Error('no capture');
  return sections;
}

/** A capture of these sections. */
function captureOf(...sections: readonly string[]): string {
  return `vault-capture 1 begin\n${sections.join('')}vault-capture 1 end\n`;
}

describe('the output of the capture', () => {
  it('is found between what shells say', () => {
    const { sections, whole } = sectionsOf(
      `motd\r\nvault-capture 1 begin\r\n@ a\r\n|x\r\n|= ok\r\nvault-capture 1 end\r\nbye`,
    );
    expect(whole).toBe(true);
    expect(sections).toEqual([{ name: 'a', of: undefined, status: 'ok', reason: undefined, text: 'x' }]);
  });

  it('keeps the last newline, or that there is none', () => {
    const { sections } = sectionsOf(captureOf('@ a b c\n|x\n|\n|= ok\n', '@ a\n|y\n|= ok\n', '@ a\n|= ok\n'));
    expect(sections.map(({ of, text }) => [of, text])).toEqual([
      ['b c', 'x\n'],
      [undefined, 'y'],
      [undefined, ''],
    ]);
  });

  it('is not deceived by output that looks like its own', () => {
    const { sections } = sectionsOf(
      captureOf('@ a\n|= ok\n|@ b\n|vault-capture 1 end\n|\n|= failed 3 it broke\n'),
    );
    expect(sections).toEqual([
      {
        name: 'a',
        of: undefined,
        status: 'failed',
        reason: '3 it broke',
        text: '= ok\n@ b\nvault-capture 1 end\n',
      },
    ]);
  });

  it('that was cut off says so', () => {
    const { sections, whole } = sectionsOf('vault-capture 1 begin\n@ a\n|x\n|= ok\n@ b\n|half');
    expect(whole).toBe(false);
    expect(sections.map(({ status }) => status)).toEqual(['ok', 'cut']);
    expect(parseSections('sh: not found\n')).toBeUndefined();
  });
});

describe('a machine with LVM on LUKS, and RAID', () => {
  const machine = describeMachine('box', AT, sectionsOf(WRITTEN));

  it('is complete, and a machine.json that can be read again', () => {
    expect(machine.captured).toMatchObject({ at: AT, asRoot: true, complete: true, lacking: [] });
    expect(parseMachine(JSON.stringify(machine))).toEqual(machineSchema.parse(machine));
  });

  it('has its volumes', () => {
    expect(machine.lvm).toMatchObject({
      physicalVolumes: [{ pv_name: '/dev/mapper/luks-1111', vg_name: 'vg0', pe_start: '1048576' }],
      groups: [{ vg_name: 'vg0', vg_extent_size: '4194304' }],
      volumes: [{ lv_name: 'root' }, { lv_name: 'swap' }],
      backups: [{ group: 'vg0' }],
    });
    expect(machine.lvm?.backups[0]?.text).toMatch(/^contents = "Text Format Volume Group"\n/);
    expect(machine.raid).toMatchObject([
      { array: '/dev/md0', settings: { MD_LEVEL: 'raid1', MD_DEVICES: '2' } },
    ]);
    expect(machine.luks).toMatchObject([
      { device: '/dev/sda3', uuid: '11111111-1111-1111-1111-111111111111', version: '2' },
    ]);
    expect(machine.luks[0]).not.toHaveProperty('header');
  });

  it('has its disks, file systems and how it boots', () => {
    expect(machine.disks[0]).toMatchObject({
      path: '/dev/sda',
      size: 1_000_204_886_016,
      physicalSector: 4096,
      rotational: true,
      model: 'EXAMPLE 1TB',
      wwid: 'naa.5000c500a0b1c2d3',
      ids: ['ata-EXAMPLE_1TB_S123', 'wwn-0x5000c500a0b1c2d3'],
      table: { label: 'gpt', firstLba: 34, lastLba: 1_953_525_134 },
    });
    expect(machine.disks[1]).not.toHaveProperty('table');
    expect(machine.fileSystems.map(({ device, type, label }) => [device, type, label])).toEqual([
      ['/dev/sda1', 'vfat', undefined],
      ['/dev/md0', 'xfs', undefined],
      ['/dev/mapper/vg0-root', 'xfs', 'with a blank'],
    ]);
    expect(machine.fileSystems[2]).toMatchObject({
      mountPoints: ['/'],
      settings: {
        'meta-data.isize': '512',
        'meta-data.crc': '1',
        'data.blocks': '2621440',
        'naming.ftype': '1',
        'log.blocks': '2560',
      },
    });
    expect(machine.mounts[2]).toEqual({
      source: '/dev/mapper/vg0-with blank',
      target: '/srv/a b',
      type: 'ext4',
      options: 'rw',
    });
    expect(machine.swaps).toEqual([{ path: '/dev/dm-2', kind: 'partition', size: 4_194_300 * 1024 }]);
    expect(machine.boot).toMatchObject({ firmware: 'uefi', secureBoot: true, initramfs: 'dracut' });
    expect(machine.boot.efiEntries).toContain('\\EFI\\rocky\\shimx64.efi');
    expect(machine.flags).toEqual([
      { path: '/etc/resolv.conf', flags: 'ie' },
      { path: '/srv/a b/vm.img', flags: 'C' },
    ]);
    expect(machine.packages).toMatchObject([{ manager: 'rpm' }]);
  });

  it.each([
    ['not run by root', /uid=0/, 'uid=1000', ['it was not run by root']],
    ['cut off', /vault-capture 1 end\n/, '', ['the output ended in the middle']],
    ['without LVM tools', /@ pvs\n[^@]*/, '@ pvs\n|= missing pvs\n', ['pvs: there is no pvs']],
    [
      'without a group backup',
      /@ vgcfgbackup vg0\n[^@]*/,
      '@ vgcfgbackup vg0\n|= failed 5 no space\n',
      ['vgcfgbackup vg0: 5 no space'],
    ],
    ['without mdadm', /@ mdadm-export[^@]*/, '', ['mdadm-export: was not asked for']],
    [
      'without its partition table',
      /@ sfdisk-dump \/dev\/sda\n[^@]*/,
      '@ sfdisk-dump /dev/sda\n|= failed 1 cannot open\n',
      ['sfdisk-dump /dev/sda: 1 cannot open'],
    ],
  ])('%s lacks something', (_, from, to, lacking) => {
    const text = WRITTEN.replace(from, () => to);
    expect(text).not.toBe(WRITTEN);
    expect(describeMachine('box', AT, sectionsOf(text)).captured).toMatchObject({ complete: false, lacking });
  });
});

describe('a machine.json', () => {
  it.each([
    ['not json', 'is no JSON'],
    ['{"schema": 2}', 'has schema 2, of a newer vault'],
    ['{}', 'schema: '],
    ['{"schema": 1, "client": 3}', 'client: '],
    ['[]', 'it: '],
  ])('that is not: %s', (text, message) => {
    const result = parseMachine(text);
    expect('message' in result && result.message.startsWith(message)).toBe(true);
  });
});

it('foreign JSON that is not as expected is left out, and nothing breaks', () => {
  const text = captureOf(
    '@ disk /dev/sda\n|sectors=8\n|= ok\n',
    '@ sfdisk-json /dev/sda\n|{"partitiontable": 7}\n|= ok\n',
    '@ lsblk\n|not json\n|= ok\n',
    '@ vgs\n|{"report": [{"vg": "x"}]}\n|= ok\n',
  );
  const machine = describeMachine('box', AT, sectionsOf(text));
  expect(machine.disks[0]).not.toHaveProperty('table');
  expect(machine.lsblk).toEqual([]);
  expect(machine).not.toHaveProperty('lvm');
});
