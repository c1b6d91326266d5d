import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  acceptedSummary,
  field,
  formatSummary,
  imageOf,
  listField,
  parseSummary,
  summaryValue,
  verdictOf,
} from '../../../src/catalog/summary.ts';

/** As dirvish 1.2.1 writes it. */
const DIRVISH = `client: laptop
tree: /home
rsh: ssh
Server: backup
Bank: /backup
vault: laptop-home
branch: default
Image: 20261120
Reference: 20261119
Image-now: 2026-11-20 22:00:00
Expire: +3 months == 2027-02-20 22:00:00
exclude:
\tlost+found/
\t*~
SET permissions devices numeric-ids stats xdev
UNSET checksum init sparse whole-file zxfer


ACTION: rsync -vrltH --delete -pgo --stats -D --numeric-ids -x laptop:/home/ /backup/laptop-home/20261120/tree
Backup-begin: 2026-11-20 22:00:05
Backup-complete: 2026-11-20 22:03:00
Status: success
`;
const place = { bank: '/backup', vault: 'laptop-home', directory: '20261120', hasTree: true };
const localTime = (text: string) => Date.parse(`${text.replace(' ', 'T')}Z`) / 1000;
const read = (text: string) => imageOf(parseSummary(text), place, localTime);

describe('reading', () => {
  it("dirvish's own", () => {
    expect(read(DIRVISH)).toMatchObject({
      ...place,
      ...{
        branch: 'default',
        name: '20261120',
        verdict: 'good',
        status: 'success',
        client: 'laptop',
        tree: '/home',
      },
      ...{ reference: '20261119', expire: '+3 months == 2027-02-20 22:00:00', pinned: false },
      begun: Date.UTC(2026, 10, 20, 22, 0, 5) / 1000,
      completed: Date.UTC(2026, 10, 20, 22, 3) / 1000,
      ...{ files: undefined, directories: undefined, bytes: undefined, warnings: 0, compared: false },
      without: ['checksum', 'init', 'sparse', 'whole-file', 'zxfer'],
    });
  });

  it('lists, single values as lists, and comments', () => {
    const fields = parseSummary(`${DIRVISH}# comment\nclient: other # really\nempty:\n`);
    expect(listField(fields, 'exclude')).toEqual(['lost+found/', '*~']);
    expect(listField(fields, 'client')).toEqual(['other']);
    expect([field(fields, 'exclude'), field(fields, 'none'), listField(fields, 'none')]).toEqual([
      'lost+found/ *~',
      undefined,
      [],
    ]);
    expect(listField(fields, 'empty')).toEqual([]);
  });

  it('what is not there is guessed as little as possible', () => {
    expect(read('')).toMatchObject({
      ...{
        branch: 'default',
        name: '20261120',
        verdict: 'incomplete',
        expire: 'Never',
        completed: undefined,
      },
    });
  });

  it('exact times rule over local ones, if they are times', () => {
    expect(read(`${DIRVISH}Vault-time: 2026-11-20T22:03:00+01:00\n`).completed).toBe(
      Date.UTC(2026, 10, 20, 21, 3) / 1000,
    );
    expect(read(`${DIRVISH}Vault-time: soon\n`).completed).toBe(Date.UTC(2026, 10, 20, 22, 3) / 1000);
  });

  it('counts and marks of ours', () => {
    const text = `${DIRVISH}Vault-files: 12\nVault-directories: 3\nVault-bytes: x\nVault-warnings: 2\nVault-compared: 1\n`;
    expect(read(text)).toMatchObject({
      files: 12,
      directories: 3,
      bytes: undefined,
      warnings: 2,
      compared: true,
    });
  });

  it('a pin', () => {
    const pinned = DIRVISH.replace(/^Expire: (.*)$/m, 'Expire: Never\nVault-expire: $1');
    expect(read(pinned).pinned).toBe(true);
    expect(read(DIRVISH.replace(/^Expire: .*$/m, 'Expire: Never')).pinned).toBe(false);
  });

  it('what freezes a branch', () => {
    expect(read(`${DIRVISH}Vault-frozen-until: 2026-11-27T22:00:00Z\n`).frozenUntil).toBe(
      Date.UTC(2026, 10, 27, 22) / 1000,
    );
  });
});

describe('the verdict', () => {
  it.each([
    ['Status: success', 'good'],
    ['Status: warning (24) -- some files vanished', 'good'],
    ['Status: error (23) -- partial transfer', 'partial'],
    ['Status: fatal error (12)', 'failed'],
    ['Status: error (held) -- 60% deleted\nVault-verdict: held', 'held'],
    ['Status: error (23)\nVault-verdict: partial', 'partial'],
    ['Status: success\nVault-verdict: good', 'good'],
    ['Status: something else', 'partial'],
    ['Vault-verdict: good', 'incomplete'],
    ['', 'incomplete'],
  ])('%j is %s', (text, expected) => {
    expect(verdictOf(parseSummary(text))).toBe(expected);
  });

  it('of a held image becomes good when it is accepted, and nothing else changes', () => {
    const held = DIRVISH.replace(
      'Status: success',
      'Vault-verdict: held\nStatus: error (held) -- 60% deleted',
    );
    const text = acceptedSummary(held, Date.UTC(2026, 10, 21) / 1000, 'UTC');
    expect(verdictOf(parseSummary(text))).toBe('good');
    const [before, after] = [held, text].map((one) => one.split('\n'));
    expect(after?.filter((line) => !before?.includes(line))).toEqual([
      'Vault-verdict: good',
      expect.stringMatching(/^Vault-accepted: 2026-11-21T00:00:00/),
      'Vault-held: error (held) -- 60% deleted',
      'Status: success',
    ]);
  });
});

describe('writing', () => {
  it('has values, lists, switches and empty lines, and nothing without a value', () => {
    const entries = [
      ['client', 'laptop'],
      ['Expire-rule', ''],
      ['exclude', ['a', 'b']],
      ['rsync-option', []],
      ['SET', 'acls xdev'],
      ['', ''],
      ['Status', 'success'],
    ] as const;
    expect(formatSummary(entries)).toBe(
      'client: laptop\nexclude:\n\ta\n\tb\nSET acls xdev\n\nStatus: success\n',
    );
  });

  it('keeps what dirvish would cut off, and lines whole', () => {
    expect(summaryValue('a#b\nStatus: success\r\0')).toBe('a\\043b\\012Status: success\\015\\000');
  });

  it('is read back as it was written', () => {
    const value = fc.string({ minLength: 1 }).map((text) => text.replaceAll(/\s/g, '_'));
    const property = fc.property(value, fc.array(value, { minLength: 1 }), (single, list) => {
      const fields = parseSummary(
        formatSummary([
          ['one', single],
          ['many', list],
        ]),
      );
      expect(field(fields, 'one')).toBe(summaryValue(single));
      expect(listField(fields, 'many')).toEqual(list.map(summaryValue));
    });
    fc.assert(property);
  });
});
