import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkAll } from '../../../src/config/check.ts';
import { problemText } from '../../../src/show/error.ts';
import { site } from './site.ts';

const PLAIN = 'client: localhost\ntree: /etc\n';

describe('the check of everything', () => {
  it('tells the problems of all files at once, each once', async () => {
    const { where, directory, write } = site(
      'bank:\n\tBANK\n\tBANK/../away\nxdev: no\nRunall:\n\tv\n\tgone 22:00\n\tw:weekly\nbank: BANK/../bank2\n',
      `${PLAIN}foo: 1\n`,
    );
    write('bank/w/dirvish/weekly.conf', 'tree: /etc\nclient: localhost\nMine: 1\n');
    write('bank/w/dirvish/other.conf', 'retries: x\n');
    write('bank/x/dirvish/default.conf', `${PLAIN}config: part\n`);
    write('bank/x/dirvish/part.conf', 'bar: 1\n');
    write('bank/not-a-vault/file', '');
    write('bank2/v/dirvish/default.conf', PLAIN);
    const checked = await checkAll(where);
    const lines = (all: typeof checked.problems) =>
      all.map((each) => problemText(each).replaceAll(directory, ''));
    expect(lines(checked.problems)).toEqual([
      '/etc/vault/master.conf:4: xdev: "no" is neither 0 nor 1 (dirvish takes any text, even "no", for yes)',
      '/bank/v/dirvish/default.conf:3: foo: no such option',
      '/bank/w/dirvish/other.conf:1: retries: "x" is not a whole number',
      '/bank/w/dirvish/other.conf: has no client:',
      '/bank/w/dirvish/other.conf: has no tree:',
      '/bank/x/dirvish/part.conf:1: bar: no such option',
    ]);
    expect(lines(checked.notes)).toEqual([
      '/etc/vault/master.conf:7: Runall: gone: There is no vault gone: the bank /bank/../away is not there.',
      '/bank/w/dirvish/weekly.conf:3: Mine: left to other programs',
      '/etc/vault/master.conf:3: bank: /bank/../away is not there; is its disk mounted?',
      '/bank2/v/dirvish: is hidden by the vault of the same name in /bank',
    ]);
    expect(checked.kinds).toEqual(['config']);
    expect(checked.files.map((file) => file.replace(directory, ''))).toHaveLength(6);
  });

  it('tells a scheduled vault that is not there, and a file others can write', async () => {
    const { where, directory, write } = site('bank:\n\tBANK\nRunall:\n\tgone 22:00\n');
    write('bank/w/dirvish/default.conf', PLAIN);
    chmodSync(join(directory, 'bank/w/dirvish/default.conf'), 0o666);
    const { problems, kinds } = await checkAll(where);
    expect(problems.map(problemText)).toEqual([
      `${directory}/etc/vault/master.conf:4: Runall: gone: There is no vault gone in ${directory}/bank.`,
      expect.stringContaining("default.conf can't be trusted"),
    ]);
    expect(kinds).toEqual(['config', 'refused']);
  });

  it('finds nothing to tell of a good configuration', async () => {
    const { where } = site();
    expect(await checkAll(where)).toMatchObject({ problems: [], kinds: [], notes: [] });
  });
});
