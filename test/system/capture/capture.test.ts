import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseMachine, type Machine } from '../../../src/metal/describe-schema.ts';
import { partitionedDisk, type TestDisk } from '../../support/disk.ts';
import { needs } from '../../support/needs.ts';
import { must, mustSync, ran } from '../../support/process.ts';
import { sshd } from '../../support/sshd.ts';
import { tempDir } from '../../support/temp.ts';
import { objectsOf } from '../cli/program.ts';
import { fill, makePlace, summaryOf, tooWide } from '../run/place.ts';

const ready = needs('root', 'rsync', 'sshd', 'xattr', 'loop', 'ext4', 'xfs', 'btrfs', 'sfdisk', 'mkfs.vfat');

const CAPTURE = join(import.meta.dirname, '../../../hooks/capture');
const GPT = `label: gpt
label-id: 11111111-2222-3333-4444-555555555555
start=2048, size=64M, type=U, name="EFI system", uuid=AAAAAAAA-0000-0000-0000-000000000001
size=128M, type=L, name=root
size=320M, type=L
size=256M, type=L
size=32M, type=S
`;
const MBR = `label: dos
label-id: 0xdeadbeef
size=64M, type=83, bootable
size=32M, type=82
`;

let gpt: TestDisk;
let mbr: TestDisk;
let mounted: string;

beforeAll(async () => {
  if (!ready) return;
  gpt = await partitionedDisk(900, GPT);
  mbr = await partitionedDisk(128, MBR);
  await must(['mkfs.vfat', '-n', 'EFI', '-i', '12345678', gpt.partition(1)]);
  await must(['mkfs.ext4', '-q', '-L', 'root', '-m', '3', '-O', '^metadata_csum', gpt.partition(2)]);
  await must(['mkfs.xfs', '-q', '-L', 'data', gpt.partition(3)]);
  await must(['mkfs.btrfs', '-q', '-L', 'more', gpt.partition(4)]);
  await must(['mkswap', '-q', '-L', 'swap', gpt.partition(5)]);
  await must(['mkfs.ext4', '-q', mbr.partition(1)]);
  mounted = `${tempDir('mounted')}/at`;
  mkdirSync(mounted);
});

function machineOf(file: string): Machine {
  const machine = parseMachine(readFileSync(file, 'utf8'));
  if ('message' in machine) throw new Error(machine.message);
  return machine;
}

/** `vault capture localhost` of the two disks. */
async function captureDisks(): Promise<{ readonly machine: Machine; readonly out: string }> {
  const place = makePlace();
  const file = `${place.home}/machine.json`;
  const disks = ['--disk', gpt.device, '--disk', mbr.device];
  const captured = await must(place.argv('capture', 'localhost', '--skip-flags', ...disks, '--output', file));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  return { machine: machineOf(file), out: captured.out };
}

/** A partition table as sfdisk sees it, without the names of devices. */
function tableOf(disk: string): unknown {
  return JSON.parse(mustSync(['sfdisk', '--json', disk]).toString().replaceAll(disk, 'DISK'));
}

describe('disks', () => {
  it('with GPT and MBR: their tables come back by sfdisk, to the letter', async () => {
    const { machine, out } = await captureDisks();
    expect(machine.captured).toMatchObject({ asRoot: true, complete: true, lacking: [] });
    expect(machine.disks.map((disk) => [disk.path, disk.size, disk.table?.label])).toEqual([
      [gpt.device, 900 * 1024 ** 2, 'gpt'],
      [mbr.device, 128 * 1024 ** 2, 'dos'],
    ]);
    for (const [index, disk] of [gpt, mbr].entries()) {
      const fresh = `${tempDir('fresh')}/disk`;
      writeFileSync(fresh, '');
      truncateSync(fresh, statSync(disk.image).size);
      await must(['sfdisk', '-q', fresh], { input: machine.disks[index]?.dump ?? '' });
      expect(JSON.stringify(tableOf(fresh)).replaceAll(/DISK(p?)/g, 'DISK')).toBe(
        JSON.stringify(tableOf(disk.image)).replaceAll(/DISK(p?)/g, 'DISK'),
      );
    }
    expect(machine.disks[0]?.table?.partitions[0]).toMatchObject({
      start: 2048,
      size: 131_072,
      name: 'EFI system',
      uuid: 'AAAAAAAA-0000-0000-0000-000000000001',
    });
    expect(machine.disks[1]?.table?.partitions[0]).toMatchObject({ type: '83', bootable: true });
    expect(out).toContain('Complete: a rebuild has all it needs.');
    expect(tooWide(out)).toEqual([]);
  });

  it('and their file systems, with what those were made with', async () => {
    await must(['mount', gpt.partition(4), mounted]);
    await must(['btrfs', 'subvolume', 'create', `${mounted}/home`]);
    await must(['btrfs', 'subvolume', 'create', `${mounted}/home/a b`]);
    const { machine } = await captureDisks().finally(() => must(['umount', mounted]));
    const on = (device: string) => machine.fileSystems.find((each) => each.device === device);
    expect(on(gpt.partition(1))).toMatchObject({ type: 'vfat', label: 'EFI', uuid: '1234-5678' });
    const ext = on(gpt.partition(2));
    expect(ext).toMatchObject({ type: 'ext4', label: 'root' });
    expect(ext?.settings['Filesystem features']).toMatch(/extent/);
    expect(ext?.settings['Filesystem features']).not.toMatch(/metadata_csum/);
    expect(ext?.settings['Filesystem UUID']).toBe(ext?.uuid);
    expect(on(gpt.partition(3))).toMatchObject({ type: 'xfs', label: 'data' });
    expect(on(gpt.partition(3))?.settings).toMatchObject({ 'meta-data.crc': '1', 'data.bsize': '4096' });
    const btrfs = on(gpt.partition(4));
    expect(btrfs).toMatchObject({
      type: 'btrfs',
      label: 'more',
      mountPoints: [mounted],
      defaultSubvolume: '5',
    });
    expect(btrfs?.subvolumes?.map(({ path }) => path)).toEqual(['home', 'home/a b']);
    expect(btrfs?.profiles).toMatchObject({ data: 'single' });
    expect(btrfs?.settings['nodesize']).toBe('16384');
    expect(on(gpt.partition(5))).toMatchObject({ type: 'swap', label: 'swap' });
    expect(on(mbr.partition(1))?.partUuid).toBe('deadbeef-01');
  });
});

describe('this machine', () => {
  it('is told as its own tools tell it', async () => {
    const output = mustSync(['sh', CAPTURE, '--no-flags']).toString();
    const place = makePlace();
    const file = `${place.home}/machine.json`;
    const captured = await place.call(['capture', 'localhost', '--skip-flags', '--output', file, '--json']);
    const machine = machineOf(file);
    // Some machines don't let even root look at their disk.
    expect(captured.code).toBe(machine.captured.complete ? 0 : 3);
    expect(objectsOf(captured.out).at(-1)).toMatchObject({ complete: machine.captured.complete });
    expect(machine.hostName).toBe(mustSync(['hostname']).toString().trim());
    expect(machine.os.kernel).toBe(mustSync(['uname', '-r']).toString().trim());
    expect(machine.mounts.length).toBe(readFileSync('/proc/self/mounts', 'utf8').split('\n').length - 1);
    const dpkg = machine.packages.find((each) => each.manager === 'dpkg');
    expect(dpkg?.list).toBe(mustSync(['dpkg', '--get-selections']).toString());
    expect(machine.boot.firmware).toBe(existsSync('/sys/firmware/efi') ? 'uefi' : 'bios');
    expect(output.endsWith('vault-capture 1 end\n')).toBe(true);
  });

  it('is told by a user, too, as far as it goes', async () => {
    const home = tempDir('user');
    const script = readFileSync(CAPTURE);
    const { out } = await must(['sh', '-s', '--', '--no-flags', gpt.device], {
      input: script,
      uid: 65_534,
      cwd: home,
    });
    expect(out).toMatch(new RegExp(`@ sfdisk-dump ${gpt.device}\\n(\\|.*\\n)*\\|= root `));
    expect(out).toMatch(/@ os-release\n(\|.*\n)*\|= ok/);
  });

  it('with BusyBox and nothing else', async () => {
    const bin = tempDir('busybox');
    for (const name of mustSync(['busybox', '--list']).toString().trim().split('\n')) {
      mustSync(['ln', '-s', '/bin/busybox', `${bin}/${name}`]);
    }
    // The script adds the usual directories to its path: it gets a root without them.
    const root = tempDir('root');
    for (const directory of ['bin', 'proc', 'etc', 'tmp', 'dev', 'sys']) mkdirSync(`${root}/${directory}`);
    mustSync(['cp', '/bin/busybox', `${root}/bin/busybox`]);
    mustSync(['chroot', root, '/bin/busybox', '--install', '-s', '/bin']);
    mustSync(['rm', '-f', `${root}/bin/lsblk`, `${root}/bin/hostname`]);
    const captured = await ran(['/usr/sbin/chroot', root, '/bin/sh', '-s', '--', '--no-flags'], {
      input: readFileSync(CAPTURE),
      env: { PATH: '/bin' },
    });
    expect(captured.err).toBe('');
    expect(captured.out).toContain('\n@ lsblk\n|= missing lsblk\n');
    expect(captured.out).toMatch(/@ architecture\n\|x86_64|aarch64/);
    expect(captured.out.endsWith('vault-capture 1 end\n')).toBe(true);
  });
});

describe('an image', () => {
  it('of a client gets the descriptor, and the files that sfdisk and people read', async () => {
    const server = await sshd({ config: ['Banner /etc/hostname'] });
    const place = makePlace({
      client: 'box',
      vault: `rsh: ${server.rsh}\ncapture: 1\ncapture-command: /bin/sh -s -- --no-flags ${gpt.device}\n`,
    });
    fill(place.source);
    await place.image('i1');
    const machine = machineOf(`${place.vault}/i1/machine.json`);
    expect(machine).toMatchObject({ client: 'box', captured: { complete: true } });
    expect(readFileSync(`${place.vault}/i1/df.box`, 'utf8')).toMatch(/^Filesystem .*Mounted on\n/);
    const name = gpt.device.replace('/dev/', '');
    const dump = readFileSync(`${place.bank}/sfdisk.box.${name}`, 'utf8');
    expect(dump).toBe(mustSync(['sfdisk', '--dump', gpt.device]).toString());
    expect(summaryOf(`${place.vault}/i1`).get('Vault-capture')).toBe('complete');
    const status = await place.call(['status']);
    expect(status.out).toContain('All is well.');
    expect((await place.call(['show', 'v@i1'])).out).toMatch(/^machine +captured, complete$/m);
  });

  it('is good without it: there is a warning, and status asks for it', async () => {
    const place = makePlace({ vault: 'capture: 1\ncapture-command: /bin/false\n' });
    fill(place.source);
    const run = await place.image('i1');
    expect(run.out).toMatch(/v@i1: good/);
    expect(run.out).toMatch(/warning: capture failed: Capturing localhost: exit code 1/);
    expect(existsSync(`${place.vault}/i1/machine.json`)).toBe(false);
    expect((await place.call(['status'])).out).toMatch(/needs is not captured: failed/);
  });

  it('of a part of a machine gets none', async () => {
    const place = makePlace();
    fill(place.source);
    await place.image('i1');
    expect(existsSync(`${place.vault}/i1/machine.json`)).toBe(false);
    expect(summaryOf(`${place.vault}/i1`).has('Vault-capture')).toBe(false);
  });
});
