import { describe, expect, it } from 'vitest';
import { leftOutBy, parseMountinfo, parseProbe, probeScript } from '../../../src/image/probe.ts';

const MOUNTINFO = [
  '22 28 0:21 / /proc rw,nosuid - proc proc rw',
  '28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
  '30 28 8:2 / /home rw,relatime shared:2 master:1 - xfs /dev/sda2 rw',
  '31 30 8:3 / /home/with\\040blank rw - btrfs /dev/sda3 rw',
  '32 28 0:30 / /run rw - tmpfs tmpfs rw',
  '33 30 0:31 / /home/net rw - nfs4 server:/x rw',
  'nonsense',
].join('\n');

describe('mounts', () => {
  it('are read with their escapes undone', () => {
    expect(parseMountinfo(MOUNTINFO).map(({ path, type }) => `${type} ${path}`)).toEqual([
      ...['proc /proc', 'ext4 /', 'xfs /home', 'btrfs /home/with blank', 'tmpfs /run', 'nfs4 /home/net'],
    ]);
  });

  it.each([
    ['/', ['/home', '/home/net', '/home/with blank']],
    ['/home', ['/home/net', '/home/with blank']],
    ['/hom', []],
    ['/srv', []],
  ])('below %s that xdev leaves out', (tree, expected) => {
    expect(leftOutBy(tree, parseMountinfo(MOUNTINFO))).toEqual(expected);
  });
});

describe('what a client answers', () => {
  const answer = (version: string, nice: string) =>
    `${version}\n--vault-probe--\n${nice}--vault-probe--\n${MOUNTINFO}`;

  it('tells its rsync, its niceness and its mounts', () => {
    const facts = parseProbe(answer('rsync  version 3.2.7  protocol version 31', 'nice\n'));
    expect(facts).toMatchObject({ rsync: [3, 2, 7], rsyncMissing: false, hasNice: true });
    expect(facts?.mounts.length).toBe(6);
  });

  it('tells that it has no rsync', () => {
    expect(parseProbe(answer('no rsync', ''))).toMatchObject({
      rsync: undefined,
      rsyncMissing: true,
      hasNice: false,
    });
  });

  it.each(['', 'This account is not available.\n', 'rsync  version 3.2.7\n--vault-probe--\n'])(
    '%j is none',
    (text) => {
      expect(parseProbe(text)).toBeUndefined();
    },
  );

  it('is asked for with the rsync that is to be used', () => {
    expect(probeScript('/opt/rsync')).toMatch(/^\/opt\/rsync --version /);
  });
});
