import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { expect, it } from 'vitest';
import { dirvish } from '../../support/dirvish.ts';
import { needs } from '../../support/needs.ts';
import { mustSync } from '../../support/process.ts';
import { fill, makePlace, summaryOf } from '../run/place.ts';

needs('root', 'rsync', 'dirvish', 'faketime');

/** Switches that only we have. */
const OURS = ['acls', 'xattrs', 'hard-links'];
/** What every image has of its own. */
const OWN = ['ACTION', 'Backup-begin', 'Backup-complete', 'vault'];

/** The fields that dirvish writes too; switches without ours, sorted, since dirvish has them in no order. */
function fieldsOf(image: string, names: readonly string[]): Record<string, unknown> {
  const fields = summaryOf(image);
  return Object.fromEntries(
    names.map((name) => {
      const value = fields.get(name);
      if (name !== 'SET' && name !== 'UNSET') return [name, value];
      const words = (value ?? '').split(' ').filter((word) => word !== '' && !OURS.includes(word));
      return [name, words.toSorted()];
    }),
  );
}

const RULES = `expire-default: +15 days
expire-rule:
\t* * * * sun +3 months
\twd { sun } md { 1-7 } +1 year
\t10-30 22 * * mon,tue +2 weeks
\t* * 1 jan *
`;

// As dirvish's name, for the switch that we have on by default.
const CASES: readonly { name: string; at: string; lines: string; args?: readonly string[] }[] = [
  { name: 'nothing said', at: '2026-03-04 05:06:07', lines: '' },
  { name: 'a default', at: '2026-03-04 05:06:07', lines: 'expire-default: +15 days\n' },
  { name: 'no rule matches', at: '2026-03-04 22:00:00', lines: RULES },
  { name: 'a rule matches', at: '2026-03-15 22:00:00', lines: RULES },
  { name: 'a later rule matches', at: '2026-03-01 22:00:00', lines: RULES },
  { name: 'a rule with lists matches', at: '2026-03-03 22:15:00', lines: RULES },
  { name: 'a rule without a date matches', at: '2026-01-01 22:00:00', lines: RULES },
  { name: 'expire', at: '2026-03-01 22:00:00', lines: `${RULES}expire: +3 weeks\n` },
  { name: 'never', at: '2026-03-01 22:00:00', lines: `${RULES}expire: never\n` },
  { name: 'a time in winter, an expiry in summer', at: '2026-01-31 23:30:00', lines: 'expire: +6 months\n' },
  {
    name: 'a time of its own',
    at: '2026-03-02 01:00:00',
    lines: RULES,
    args: ['--image-time', '22:00'],
  },
  {
    name: 'lists and switches',
    at: '2026-03-04 05:06:07',
    lines:
      'exclude:\n\t/tmp/*\n\t*.o\nrsync-option:\n\t--timeout=300\nxdev: 1\nSET checksum whole-file\nUNSET stats\nimage-temp: newest\n',
  },
];

for (const { name, at, lines, args = [] } of CASES) {
  it(`says what dirvish says: ${name}`, async () => {
    const place = makePlace({ client: hostname(), vault: `SET sparse\n${lines}` });
    fill(place.source);
    mkdirSync(`${place.bank}/w/dirvish`, { recursive: true });
    mustSync(['chmod', '-R', 'go-rwx', `${place.bank}/w`]);
    writeFileSync(
      `${place.bank}/w/dirvish/default.conf`,
      readFileSync(`${place.vault}/dirvish/default.conf`),
      { mode: 0o600 },
    );
    const theirs = await dirvish('dirvish', ['--vault', 'w', '--init', ...args], {
      master: `${place.master.replace(/^image-default.*$/m, 'image-default: %Y%m%d')}`,
      at,
    });
    expect(theirs).toMatchObject({ code: 0, err: '' });
    writeFileSync(
      `${place.home}/master.conf`,
      `${place.master.replace(/^image-default.*$/m, 'image-default: %Y%m%d')}lock-wait: 10 minutes\n`,
    );
    const ours = await place.call(['run', 'v', '--init', ...args], { at });
    expect(ours.code, ours.err).toBe(0);

    const [image = ''] = place.images();
    const found = [...summaryOf(`${place.bank}/w/${image}`).keys()].filter((key) => !OWN.includes(key));
    expect(found).toEqual(expect.arrayContaining(['client', 'Expire', 'Image-now', 'SET', 'Status']));
    const expected = fieldsOf(`${place.bank}/w/${image}`, found);
    expect(fieldsOf(`${place.vault}/${image}`, found)).toEqual({
      ...expected,
      // Empty ones are left out by both.
      ...('UNSET' in expected ? {} : { UNSET: [] }),
    });
  });
}
