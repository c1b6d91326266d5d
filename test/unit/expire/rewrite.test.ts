import { describe, expect, it } from 'vitest';
import { withoutImages } from '../../../src/catalog/history.ts';
import { imageOf, parseSummary } from '../../../src/catalog/summary.ts';
import { freedCounter, parseInode } from '../../../src/expire/bytes.ts';
import { readExpiry } from '../../../src/expire/image.ts';
import { planRestamp } from '../../../src/expire/restamp.ts';
import { pinnedSummary, restampedSummary, unpinnedSummary } from '../../../src/expire/rewrite.ts';
import { imageAt, NOW } from './images.ts';

const SUMMARY = `client: host
vault: v
branch: default
Image: 20261120
Expire: +15 days == 2026-12-05 22:00:00
exclude:
\tExpire: me/
\t*.o

Backup-complete: 2026-11-20 22:00:00
Status: success
`;

function imageFrom(text: string) {
  const place = { bank: '/b', vault: 'v', directory: '20261120', hasTree: true };
  return imageOf(parseSummary(text), place, () => NOW);
}

describe('a pin', () => {
  it('makes the image one that never expires, with the old date beside', () => {
    const pinned = pinnedSummary(SUMMARY);
    expect(pinned).toContain('\nExpire: Never\nVault-expire: +15 days == 2026-12-05 22:00:00\nexclude:');
    expect(imageFrom(pinned)).toMatchObject({ pinned: true, expire: 'Never' });
    expect(imageFrom(SUMMARY).pinned).toBe(false);
  });

  it('comes off without a trace', () => {
    expect(unpinnedSummary(pinnedSummary(SUMMARY))).toBe(SUMMARY);
  });

  it('is a pin on an image that never expired anyway, too, and on one without a date', () => {
    const never = SUMMARY.replace(/^Expire: .*$/m, 'Expire: Never');
    expect(imageFrom(pinnedSummary(never)).pinned).toBe(true);
    expect(unpinnedSummary(pinnedSummary(never))).toBe(never);
    expect(imageFrom(pinnedSummary(SUMMARY.replace(/^Expire: .*\n/m, ''))).pinned).toBe(true);
  });
});

describe('another date', () => {
  const expiry = { expire: '+3 months == 2027-02-20 22:00:00', rule: '* * * * sun +3 months' };

  it('replaces the old one, with the rule it comes from', () => {
    const text = restampedSummary(SUMMARY, expiry, 'rule');
    const shown = /^Expire[\s\S]*?(?=exclude)/m.exec(text)?.[0];
    expect(shown?.split('\n').toSorted()).toEqual([
      '',
      'Expire-rule: * * * * sun +3 months',
      'Expire: +3 months == 2027-02-20 22:00:00',
      'Vault-expire-from: rule',
    ]);
    expect(restampedSummary(text, expiry, 'rule')).toBe(text);
  });

  it('takes the name of a rule away that does not decide any more', () => {
    const text = restampedSummary(SUMMARY, expiry, 'rule');
    expect(restampedSummary(text, { expire: 'Never', rule: undefined }, 'none')).not.toContain('Expire-rule');
  });

  it('goes beside a pin', () => {
    const text = restampedSummary(pinnedSummary(SUMMARY), expiry, 'rule');
    expect(text).toContain('\nExpire: Never\n');
    expect(text).toContain(`\nVault-expire: ${expiry.expire}\n`);
  });

  it('is worked out for the time of the image, and not for now', () => {
    const sunday = Date.UTC(2026, 10, 15, 22) / 1000;
    const settings = {
      expire: undefined,
      'expire-rule': ['* * * * sun +3 months'],
      'expire-default': '+5 days',
    };
    const images = [
      imageAt(sunday, 'UTC', { expire: '+9 days == 2026-11-24 22:00:00', from: 'default' }),
      imageAt(sunday + 86_400, 'UTC', { expire: '+5 days == 2026-11-21 22:00:00', from: 'default' }),
      imageAt(sunday + 2 * 86_400, 'UTC', { expire: '+9 days == 2026-11-26 22:00:00', from: 'expire' }),
      imageAt(sunday + 3 * 86_400, 'UTC', {
        expire: 'Never',
        pinned: true,
        setAside: 'Never',
        from: undefined,
      }),
    ];
    const found = planRestamp(images, () => ({ settings, zone: 'UTC' }));
    expect(found.map(({ image, after, from }) => [images.indexOf(image), after, from])).toEqual([
      [0, '+3 months == 2027-02-15 22:00:00', 'rule'],
      [3, '+5 days == 2026-11-23 22:00:00', 'default'],
    ]);
  });
});

describe('an Expire:', () => {
  it.each([
    ['+3 months == 2027-01-01 22:00:00', Date.UTC(2027, 0, 1, 22) / 1000],
    ['2027-01-01', Date.UTC(2027, 0, 1) / 1000],
    ['1 Jan 2027 22:00', Date.UTC(2027, 0, 1, 22) / 1000],
  ])('%s is a date', (text, time) => {
    expect(readExpiry(text, 'UTC')).toMatchObject({ kind: 'at', time });
  });

  it.each(['Never', 'never', 'never == never', ''])('"%s" is never', (text) => {
    expect(readExpiry(text, 'UTC')).toEqual({ kind: 'never' });
  });

  it.each(['+3 months', '+3 mons == 2027-13-45', 'tomorrow'])('"%s" is no date', (text) => {
    expect(readExpiry(text, 'UTC').kind).toBe('unreadable');
  });
});

describe('a history', () => {
  const text =
    '#IMAGE\tCREATED\tREFERECE\tEXPIRES\na\t1\tdefault\tNever\n# mine\nb\t2\ta\tNever\nc\t3\tb\tNever\n';

  it('loses the lines of images that are gone, and nothing else', () => {
    expect(withoutImages(text, (image) => image === 'b')).toBe(
      '#IMAGE\tCREATED\tREFERECE\tEXPIRES\n# mine\nb\t2\ta\tNever\n',
    );
    expect(withoutImages(text, () => true)).toBe(text);
  });
});

describe('freed bytes', () => {
  it('are those of inodes whose last link goes, with the image that takes it', () => {
    const counter = freedCounter();
    const file = (inode: number, links: number) => ({ inode, links, bytes: 10 ** inode, isDirectory: false });
    counter.next();
    for (const each of [file(1, 1), file(2, 2), file(3, 3)]) counter.meet(each);
    counter.meet({ inode: 4, links: 7, bytes: 10_000, isDirectory: true });
    counter.next();
    for (const each of [file(2, 2), file(3, 3), file(5, 2), file(5, 2)]) counter.meet(each);
    expect(counter.freed()).toEqual([10_010, 100_100]);
  });

  it('are read off a line of find, and off nothing else', () => {
    expect(parseInode('12 3 8 f')).toEqual({ inode: 12, links: 3, bytes: 4096, isDirectory: false });
    for (const line of ['', '12 3 8', '12 3 8 f x', 'x 3 8 f']) expect(parseInode(line)).toBeUndefined();
  });
});
