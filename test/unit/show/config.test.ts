import { describe, expect, it } from 'vitest';
import type { Origin } from '../../../src/config/apply.ts';
import type { Loaded } from '../../../src/config/load.ts';
import { defaultSettings, optionNames } from '../../../src/config/options.ts';
import { checkObjects, checkText, configObjects, configText } from '../../../src/show/config.ts';

const MASTER: Origin = { layer: 'master', file: '/etc/vault/master.conf', line: 3 };
const VAULT: Origin = { layer: 'vault', file: '/b/v/dirvish/default.conf', line: 7 };
const LINE: Origin = { layer: 'command line' };

const LOADED: Loaded = {
  settings: {
    ...defaultSettings(),
    exclude: ['/a', '/b\u001B[31m', '/c'],
    xdev: true,
    rsh: ['ssh', '-i', '/root/my key'],
    log: { format: 'gzip', argv: ['/bin/gzip', '-9'] },
    'rsync-timeout': 5400,
    Runall: [{ vault: 'v', branch: 'daily', time: '22:00' }],
    'time-zone': 'Europe/Vienna',
  },
  origins: new Map([
    ['exclude', LINE],
    ['xdev', VAULT],
    ['Runall', MASTER],
  ]),
  itemOrigins: new Map([
    ['exclude', [MASTER, VAULT, LINE]],
    ['Runall', [MASTER]],
  ]),
  notes: [],
  files: [],
};

describe('config show', () => {
  it('shows each value as one would write it, and where it came from', () => {
    const lines = configText(LOADED, { columns: 100, color: false }).split('\n');
    const words = lines.map((line) => line.trim().split(/\s{2,}/));
    expect(words).toContainEqual(['exclude', '/a', '/etc/vault/master.conf:3']);
    expect(words).toContainEqual(['/b\\033[31m', '/b/v/dirvish/default.conf:7']);
    expect(words).toContainEqual(['/c', 'command line']);
    expect(words).toContainEqual(['xdev', '1', '/b/v/dirvish/default.conf:7']);
    expect(words).toContainEqual(['rsh', "ssh -i '/root/my key'", 'default']);
    expect(words).toContainEqual(['log', '/bin/gzip -9', 'default']);
    expect(words).toContainEqual(['index', 'none', 'default']);
    expect(words).toContainEqual(['rsync-timeout', '1h 30m', 'default']);
    expect(words).toContainEqual(['Runall', 'v:daily 22:00', '/etc/vault/master.conf:3']);
    expect(words).toContainEqual(['speed-limit', '-', 'default']);
    for (const name of optionNames()) expect(words.filter(([first]) => first === name)).toHaveLength(1);
  });

  it('gives an object for every option', () => {
    const objects = configObjects(LOADED);
    expect(objects.map(({ name }) => name)).toEqual(optionNames());
    const of = (name: string) => objects.find((each) => each['name'] === name);
    expect(of('xdev')).toMatchObject({
      type: 'option',
      kind: 'boolean',
      value: '1',
      isDefault: false,
      ...VAULT,
    });
    expect(of('retries')).toMatchObject({ value: '2', isDefault: true });
    expect(of('rsh')).toMatchObject({ value: "ssh -i '/root/my key'" });
    expect(of('tolerate')).toMatchObject({ items: [], isDefault: true });
    expect(of('exclude')?.['items']).toEqual([
      { value: '/a', ...MASTER },
      { value: '/b\u001B[31m', ...VAULT },
      { value: '/c', ...LINE },
    ]);
  });
});

describe('config check', () => {
  const checked = {
    problems: [],
    kinds: [],
    notes: [{ file: '/f', line: 2, message: 'Mine: left to other programs' }],
    files: ['/f', '/g'],
  };

  it('tells what was read, and the notes', () => {
    expect(checkText(checked)).toBe('note: /f:2: Mine: left to other programs\n2 files read, no problems');
    expect(checkText({ ...checked, problems: [{ message: 'x' }], notes: [], files: ['/f'] })).toBe(
      '1 file read',
    );
    expect(checkObjects(checked)).toEqual([
      { type: 'file', file: '/f' },
      { type: 'file', file: '/g' },
      { type: 'note', file: '/f', line: 2, message: 'Mine: left to other programs' },
    ]);
  });
});
