import { describe, expect, it } from 'vitest';
import { parseTree } from '../../../src/config/tree.ts';
import { newestGood, sourceOf } from '../../../src/image/plan.ts';
import { imageOf, NOW, planFor } from './plans.ts';

const DAY = 86_400;

describe('where the tree is', () => {
  it.each([
    ['here', '/home', { kind: 'local', client: 'here', path: '/home' }],
    ['localhost', '/', { kind: 'local', client: 'localhost', path: '' }],
    ['root@localhost', '/home', { kind: 'local', path: '/home' }],
    ['there', '/home', { kind: 'ssh', client: 'there', path: '/home' }],
    ['me@there', '/', { kind: 'ssh', client: 'me@there', path: '' }],
    ['there', ':module/path', { kind: 'daemon', client: 'there' }],
    ['here', ':module', { kind: 'daemon', client: 'localhost' }],
  ])('%s %s', (client, text, expected) => {
    const tree = parseTree(text);
    if (tree === undefined) throw new Error('no tree');
    expect(sourceOf(client, tree, 'here')).toMatchObject(expected);
  });
});

describe('names', () => {
  it('are the work directory, the directory and the image', () => {
    const plan = planFor();
    expect([plan.name, plan.directory, plan.workDirectory]).toEqual([
      '20261120',
      '20261120',
      '.incomplete-20261120',
    ]);
  });

  it('are never used twice', () => {
    const images = [imageOf('20261120-2', { directory: 'newest' })];
    const plan = planFor({ observed: { directories: ['dirvish', '20261120'], images } });
    expect(plan.name).toBe('20261120-3');
    expect(plan.notes.join()).toContain('20261120-3');
  });

  it('of the directory can be a fixed one, but not for an image that is named', () => {
    expect(planFor({ settings: { 'image-temp': 'newest' } }).directory).toBe('newest');
    expect(planFor({ settings: { 'image-temp': 'newest', image: 'x' } }).directory).toBe('20261120');
  });
});

describe('the reference', () => {
  const images = [
    imageOf('old', { completed: NOW - 3 * DAY }),
    imageOf('newer', { completed: NOW - 2 * DAY }),
    imageOf('held', { verdict: 'held' }),
    imageOf('partial', { verdict: 'partial' }),
    imageOf('no-tree', { hasTree: false }),
    imageOf('other', { branch: 'weekly', completed: NOW - 4 * DAY }),
  ];

  it('is the newest good image of the branch', () => {
    const plan = planFor({ observed: { images } });
    expect([plan.reference?.name, plan.referenceName]).toEqual(['newer', 'newer']);
    expect(newestGood(images, 'nothing')).toBeUndefined();
  });

  it('is what is named: a branch, or an image', () => {
    expect(planFor({ settings: { reference: 'weekly' }, observed: { images } }).reference?.name).toBe(
      'other',
    );
    expect(planFor({ settings: { reference: 'old' }, observed: { images } }).reference?.name).toBe('old');
  });

  it.each(['held', 'partial', 'no-tree', 'nothing'])('is never %s', (reference) => {
    expect(() => planFor({ settings: { reference }, observed: { images } })).toThrow(/no good image/);
  });

  it('is none for --init, and then the branch stands for it', () => {
    const plan = planFor({ settings: { init: true }, observed: { images } });
    expect([plan.reference, plan.referenceName, plan.engine.engine]).toEqual([
      undefined,
      'default',
      'link-dest',
    ]);
  });
});

describe('the engine', () => {
  const images = (without: readonly string[] | undefined) => [
    without === undefined ? imageOf('x', { without: [] }) : imageOf('x', { without }),
  ];

  it.each([
    [{ acls: false }, [], 'link-dest'],
    [{ acls: false }, ['acls'], 'delta'],
    [{ xattrs: false }, ['acls'], 'link-dest'],
    [{ xattrs: false }, ['acls', 'xattrs'], 'delta'],
    [{}, ['acls', 'xattrs'], 'delta'],
  ])('with %j after an image without %j is %s', (settings, without, engine) => {
    expect(planFor({ settings, observed: { images: images(without) } }).engine.engine).toBe(engine);
  });

  it('is noted where it is not delta', () => {
    const plan = planFor({ settings: { devices: false }, observed: { images: images([]) } });
    expect(plan.notes).toEqual(['engine link-dest: devices are not kept']);
  });
});

describe('what rsync gets', () => {
  it('follows from the settings', () => {
    const { setup } = planFor({
      settings: { rsync: ['/opt/rsync', '-x'], exclude: ['a'], 'rsync-timeout': 5 },
    });
    expect(setup).toMatchObject({
      program: '/opt/rsync',
      programArgs: ['-x'],
      hasExcludes: true,
      timeoutSeconds: 5,
    });
  });

  it('has whole seconds where the bank keeps no more', () => {
    expect(planFor({ observed: { nanoseconds: false } }).setup.modifyWindow).toBe(0);
    expect(planFor().setup.modifyWindow).toBe(-1);
  });

  it('has no ACLs without permissions', () => {
    expect(planFor({ settings: { permissions: false } }).setup).toMatchObject({ acls: false, xattrs: true });
  });

  it('is polite on the client, where it can', () => {
    expect(planFor().setup.clientProgram).toBe('nice -n 10 ionice -c 2 -n 7 rsync');
    expect(planFor({ observed: { clientHasNice: false } }).setup.clientProgram).toBeUndefined();
    expect(planFor({ settings: { nice: false } }).setup.clientProgram).toBeUndefined();
    expect(planFor({ settings: { 'rsync-client': '/opt/rsync' } }).setup.clientProgram).toBe('/opt/rsync');
  });

  it('leaves out the banks inside the source, and says so', () => {
    const plan = planFor({ observed: { banksInside: ['/bank'] } });
    expect(plan.setup.ownExcludes).toEqual(['/bank']);
    expect(plan.notes.join()).toContain('left out');
  });
});

describe('comparing all contents', () => {
  const every = (compared: number, branch = 'default') =>
    planFor({
      settings: { 'checksum-every': 30 * DAY },
      observed: { images: [imageOf('x', { compared: true, completed: NOW - compared, branch })] },
    });

  it.each([
    [29 * DAY, false],
    [30 * DAY - 1_800, true],
    [31 * DAY, true],
  ])('%d seconds after the last time', (ago, expected) => {
    const plan = every(ago);
    expect([plan.fullComparison, plan.setup.checksum]).toEqual([expected, expected]);
  });

  it('is due where the branch never was', () => {
    expect(every(DAY, 'weekly').fullComparison).toBe(true);
    expect(planFor({ observed: { images: [imageOf('x')] } }).fullComparison).toBe(false);
  });
});

it('the first run after dirvish adds attributes', () => {
  const images = [imageOf('dirvish', { directories: undefined })];
  expect(planFor({ observed: { images } }).gainsAttributes).toBe(true);
  expect(planFor({ observed: { images: [imageOf('ours')] } }).gainsAttributes).toBe(false);
  expect(planFor({ settings: { acls: false, xattrs: false }, observed: { images } }).gainsAttributes).toBe(
    false,
  );
});
