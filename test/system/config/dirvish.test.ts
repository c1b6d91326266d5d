import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyStatement, emptyDraft } from '../../../src/config/apply.ts';
import { loadBranch } from '../../../src/config/load.ts';
import { parseText } from '../../../src/config/parse.ts';
import { expireFor } from '../../../src/config/rules.ts';
import { parseDate } from '../../../src/time/parse-date.ts';
import { strftime } from '../../../src/time/strftime.ts';
import { imageTime } from '../../../src/time/when.ts';
import { inNamespace } from '../../support/namespace.ts';
import { needs } from '../../support/needs.ts';
import { tempDir } from '../../support/temp.ts';

needs('root', 'namespace', 'dirvish', 'perl', 'faketime');

const ZONE = 'Europe/Vienna';
const RULES = [
  '*	*	*     *		  1	+3 months',
  '*	*	1-7   *		  su	+1 year',
  '*	*	1-7   1,4,7,10	  1	never',
  'wd { sat } md { 8-14 }   +13 weeks',
  '*	10-20 *     *		  *	+10 days',
];

interface Asked {
  readonly rules: readonly string[];
  readonly fallback: string;
  readonly times: readonly string[];
  /** What the clock shows; without it, the time is now. */
  readonly clock?: string;
}

type Answer = Readonly<Record<string, string>>;

/** What the real dirvish makes of these image times: the fields of the summary it would write. */
async function askDirvish({ rules, fallback, times, clock }: Asked): Promise<readonly Answer[]> {
  const directory = tempDir('dirvish');
  const vault = join(directory, 'bank', 'v', 'dirvish');
  mkdirSync(vault, { recursive: true });
  const items = rules.map((rule) => `\t${rule}\n`).join('');
  const master = `bank:\n\t${directory}/bank\nexpire-default: ${fallback}\nexpire-rule:\n${items}`;
  writeFileSync(join(directory, 'master.conf'), master);
  writeFileSync(join(vault, 'default.conf'), 'client: localhost\ntree: /etc\nimage-default: %Y%m%d-%H%M\n');
  const program = clock === undefined ? 'dirvish' : `faketime -f '${clock}' dirvish`;
  const script = [
    'set -e',
    'mount -t tmpfs tmpfs /etc/dirvish',
    `cp ${directory}/master.conf /etc/dirvish/`,
    'for time; do',
    `  ${program} --vault v --init --no-run --image-time "$time" 2>&1`,
    '  echo ====',
    'done',
  ].join('\n');
  const result = await inNamespace(['sh', '-c', script, 'sh', ...times], { env: { TZ: ZONE } });
  expect(result.code).toBe(0);
  const parts = result.out.split('====\n').slice(0, -1);
  expect(parts).toHaveLength(times.length);
  return parts.map((part) =>
    Object.fromEntries(
      [...part.matchAll(/^([\w-]+): (.*)$/gm)].map((match) => [match[1] ?? '', match[2] ?? '']),
    ),
  );
}

function at(text: string): number {
  const read = parseDate(text, 0, ZONE);
  if ('message' in read) throw new Error(read.message);
  return read.date.seconds;
}

describe('the real dirvish', () => {
  it('gives the same names and expiry dates to images of sixty moments', async () => {
    const all = Array.from({ length: 54 }, (_, index) => {
      const day = Date.UTC(2026, 9, 20) / 1000 + index * 86_400 * 9 + ((index * 7) % 24) * 3600;
      return strftime('%Y-%m-%d %H:%M:%S', day, ZONE);
    });
    const one = ['2026-10-04', '2026-11-01', '2026-11-14', '2026-11-15', '2026-11-16'].map(
      (day) => `${day} 22:00:00`,
    );
    const times = [...all, ...one, '2026-10-25 02:30:00'];
    const answers = await askDirvish({ rules: RULES, fallback: '+15 days', times });
    const settings = { expire: undefined, 'expire-rule': RULES, 'expire-default': '+15 days' };
    const ours = times.map((time) => {
      const now = at(time);
      const { expire, rule } = expireFor(settings, now, ZONE);
      return { Image: strftime('%Y%m%d-%H%M', now, ZONE), Expire: expire, 'Expire-rule': rule };
    });
    const theirs = answers.map(({ Image, Expire, 'Expire-rule': rule }) => ({
      Image,
      Expire,
      'Expire-rule': rule,
    }));
    expect(ours).toEqual(theirs);
    expect(new Set(theirs.map(({ Expire }) => Expire?.replace(/ ==.*/, ''))).size).toBe(RULES.length + 1);
  });

  it('dates images to the past in the same way', async () => {
    const clock = '2026-11-25 03:00:00';
    const times = [
      '22:00',
      '02:00',
      'noon',
      'yesterday 22:00',
      'tomorrow 3pm',
      '3 hours ago',
      '2026-11-20 22:00',
    ];
    const answers = await askDirvish({ rules: [], fallback: 'never', times, clock });
    const ours = times.map((time) => strftime('%Y-%m-%d %H:%M', imageTime(time, at(clock), ZONE), ZONE));
    expect(ours).toEqual(answers.map((answer) => answer['Image-now']?.slice(0, -3)));
  });
});

describe('where dirvish does not do what its manual says', () => {
  it('takes expire-default for a rule for all times without a date, which means never', async () => {
    const rules = ['* * * * *'];
    const [theirs] = await askDirvish({ rules, fallback: '+1 day', times: ['2026-11-25 22:00'] });
    expect(theirs?.['Expire']).toBe('+1 day == 2026-11-26 22:00:00');
    const settings = { expire: undefined, 'expire-rule': rules, 'expire-default': '+1 day' };
    expect(expireFor(settings, at('2026-11-25 22:00'), ZONE).expire).toBe('Never');
  });

  it('ignores the rule with commas in braces that its manual gives as an example', async () => {
    const rules = ['wd { 1 } md { 1-7 } mo { 1,4,7,10 }	never'];
    const [theirs] = await askDirvish({ rules, fallback: '+1 day', times: ['2026-10-04 22:00'] });
    expect(theirs?.['Expire']).toBe('+1 day == 2026-10-05 22:00:00');
    const settings = { expire: undefined, 'expire-rule': rules, 'expire-default': '+1 day' };
    expect(expireFor(settings, at('2026-10-04 22:00'), ZONE).expire).toBe('Never');
  });

  it('goes back 24 hours rather than a day, which is another day when the clocks change', async () => {
    const clock = '2026-10-25 01:00:00';
    const [theirs] = await askDirvish({ rules: [], fallback: 'never', times: ['23:30'], clock });
    expect(theirs?.['Image-now']).toBe('2026-10-25 00:30:00');
    const ours = imageTime('23:30', at(clock), ZONE);
    expect(strftime('%Y-%m-%d %H:%M:%S', ours, ZONE)).toBe('2026-10-24 23:30:00');
  });
});

describe('the files of dirvish', () => {
  it.each(['master.conf', 'default.conf.root'])('%s, an example of its package, loads', (name) => {
    const text = readFileSync(join('/usr/share/doc/dirvish/examples', name), 'utf8');
    const draft = emptyDraft();
    const { statements, problems } = parseText(text, name);
    const layer = name === 'master.conf' ? 'master' : 'vault';
    for (const statement of statements) applyStatement(draft, statement, layer, name);
    expect([...problems, ...draft.problems]).toEqual([]);
    expect(statements.length).toBeGreaterThan(4);
  });

  it('mean the same to both programs, layer over layer', async () => {
    const directory = tempDir('dirvish');
    const write = (path: string, text: string) => {
      mkdirSync(join(directory, path, '..'), { recursive: true });
      writeFileSync(join(directory, path), text.replaceAll('DIR', directory));
    };
    write('etc/dirvish/master.conf', MASTER);
    write('etc/dirvish/box.conf', 'speed-limit: 5\nexclude:\n\t/from-client\nSET zxfer\nUNSET stats\n');
    write('etc/dirvish/shared.conf', 'rsh: ssh -4\nexclude:\n\t/from-shared\n');
    write('bank/v/dirvish/default.conf', DEFAULT);
    write('bank/v/dirvish/local.conf', 'whole-file: 1\nRESET rsync-option\n\t--delete-after\n');
    write('bank/v/dirvish/patterns', '/from-file\n- *.o\n');
    const script = [
      'mount --bind "$1/etc/dirvish" /etc/dirvish',
      'dirvish --vault v --init --no-run --image-time 2026-11-25',
    ];
    const theirs = await inNamespace(['sh', '-ec', script.join('\n'), 'sh', directory], {
      env: { TZ: ZONE },
    });
    expect(theirs.err).toBe('');
    const lists = (name: string) =>
      (new RegExp(`^${name}:\n((?:\t.*\n)*)`, 'm').exec(theirs.out)?.[1] ?? '')
        .split('\n')
        .flatMap((line) => line.slice(1) || []);
    const value = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(theirs.out)?.[1];
    const set = (/^SET (.*)$/m.exec(theirs.out)?.[1] ?? '')
      .trim()
      .split(' ')
      .filter((name) => name !== 'init')
      .toSorted();

    const where = { env: {}, uid: 0, etc: join(directory, 'etc') };
    const { settings, bank, branch } = await loadBranch(where, { vault: 'v', branch: undefined });
    expect(settings.exclude).toEqual(lists('exclude'));
    expect(settings.exclude).toHaveLength(8);
    expect(settings['rsync-option']).toEqual(lists('rsync-option'));
    expect([settings.client, settings.rsh.join(' '), bank, branch]).toEqual([
      value('client'),
      value('rsh'),
      value('Bank'),
      value('branch'),
    ]);
    expect(String(settings['speed-limit'])).toBe(value('speed-limit'));
    expect(strftime(settings['image-default'], at('2026-11-25'), ZONE)).toBe(value('Image'));
    const switches = [
      'permissions',
      'checksum',
      'devices',
      'numeric-ids',
      'stats',
      'whole-file',
      'xdev',
      'zxfer',
    ] as const;
    expect(switches.filter((name) => settings[name]).toSorted()).toEqual(set);
  });
});

const MASTER = `bank:
	DIR/absent
	DIR/bank
exclude:
	lost+found/
	*~	# a comment
image-default: %y%m%d
speed-limit: 1
SET checksum permissions
rsync-option:
	--gone
`;

const DEFAULT = `client: root@box
tree: /etc
config: shared.conf
config: local
speed-limit: 7
UNSET checksum devices
xdev: 1
exclude:
	/from-vault
    	/with spaces in it
file-exclude: patterns
branch: daily
`;
