import { rmSync, writeFileSync, mkdirSync, readFileSync, chmodSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { needs } from '../../support/needs.ts';
import { objectsOf } from '../cli/program.ts';
import { tooWide } from '../run/place.ts';
import { hookLines, hooksOf, makeHookPlace, STAGES, type Stage } from './ground.ts';

needs('root', 'rsync', 'xattr');

interface Expected {
  /** The hooks that are run. */
  readonly ran: string;
  readonly code: number;
  /** Whether an image is made. */
  readonly image: boolean;
}

const ALL = STAGES.join(' ');

/** What becomes of a run when one hook behaves badly: a post hook is run whenever its pre hook was. */
const MATRIX: Readonly<Record<Stage, Readonly<Record<'pass' | 'fail' | 'hang', Expected>>>> = {
  'pre-server': {
    pass: { ran: ALL, code: 0, image: true },
    fail: { ran: 'pre-server post-server', code: 9, image: false },
    hang: { ran: 'pre-server post-server', code: 9, image: false },
  },
  'pre-client': {
    pass: { ran: ALL, code: 0, image: true },
    fail: { ran: ALL, code: 9, image: false },
    hang: { ran: ALL, code: 9, image: false },
  },
  'post-client': {
    pass: { ran: ALL, code: 0, image: true },
    fail: { ran: ALL, code: 9, image: true },
    hang: { ran: ALL, code: 9, image: true },
  },
  'post-server': {
    pass: { ran: ALL, code: 0, image: true },
    fail: { ran: ALL, code: 9, image: true },
    hang: { ran: ALL, code: 9, image: true },
  },
};

const OUTCOME = { pass: 'ok', fail: 'failed 3', hang: 'timed out' };
const CASES = STAGES.flatMap((stage) =>
  (['pass', 'fail', 'hang'] as const).map((behaviour): [Stage, 'pass' | 'fail' | 'hang'] => [
    stage,
    behaviour,
  ]),
);

it.each(CASES)('%s: %s', async (stage, behaviour) => {
  const expected = MATRIX[stage][behaviour];
  const timeout = behaviour === 'hang' ? 'hook-timeout: 1\n' : '';
  const place = makeHookPlace({ vault: `${timeout}${hookLines({ [stage]: behaviour })}` });
  const ran = await place.call(['run', 'v', '--image', 'i1', '--json'], { env: place.env });
  expect(ran.code).toBe(expected.code);
  expect(
    place
      .records()
      .map((record) => record.get('hook'))
      .join(' '),
  ).toBe(expected.ran);
  const last = objectsOf(ran.out).at(-1);
  expect(last).toMatchObject({ type: 'result', exitCode: expected.code });
  expect(place.images()).toEqual(expected.image ? ['i1'] : []);
  const status = await place.call(['status']);
  if (expected.image) {
    const outcomes = Object.fromEntries(
      STAGES.map((each) => [each, each === stage ? OUTCOME[behaviour] : 'ok']),
    );
    expect(hooksOf(`${place.vault}/i1`)).toEqual(outcomes);
    const hooks = objectsOf(ran.out).find((object) => object['type'] === 'image')?.['hooks'];
    expect(hooks).toMatchObject(STAGES.map((each) => ({ hook: each })));
    const shown = await place.call(['show', 'v@i1']);
    expect(shown.out).toContain(`  ${stage}: ${OUTCOME[behaviour]}\n`);
    if (behaviour !== 'pass') expect(status.out).toContain(`hook ${stage}: ${OUTCOME[behaviour]}`);
    else expect(status.out).toContain('All is well.');
  } else {
    expect(last).toMatchObject({ error: { kind: 'hook' } });
    expect(JSON.stringify(last)).toContain(`hook ${stage}: ${OUTCOME[behaviour]}`);
    expect(status.out).toContain(`hook ${stage}: ${OUTCOME[behaviour]}`);
    expect(readFileSync(`${place.home}/record`, 'utf8')).toContain('VAULT_STATUS fail\n');
  }
});

it('tells each hook what it has to know, in the directory it has to be in', async () => {
  const place = makeHookPlace({ vault: hookLines({}) });
  expect((await place.go('i1')).code).toBe(0);
  const work = `${place.vault}/.incomplete-i1`;
  const common = {
    user: 'root',
    VAULT_SERVER: hostname(),
    VAULT_CLIENT: 'localhost',
    VAULT_SRC: place.source,
    VAULT_IMAGE: 'v:default:i1',
  };
  expect(place.records().map((record) => Object.fromEntries(record))).toEqual([
    {
      ...common,
      hook: 'pre-server',
      directory: `${work}/tree`,
      VAULT_DEST: `${work}/tree`,
      VAULT_EXCLUDE: `${work}/exclude`,
    },
    { ...common, hook: 'pre-client', directory: place.source, VAULT_DEST: `${work}/tree` },
    {
      ...common,
      hook: 'post-client',
      directory: place.source,
      VAULT_DEST: `${work}/tree`,
      VAULT_STATUS: 'success',
    },
    {
      ...common,
      hook: 'post-server',
      directory: `${place.vault}/i1/tree`,
      VAULT_DEST: `${place.vault}/i1/tree`,
      VAULT_STATUS: 'success',
    },
  ]);
  const log = readFileSync(`${place.vault}/i1/log`, 'utf8');
  expect(log.indexOf('pre-client| hook pre-client')).toBeLessThan(log.indexOf('ACTION: rsync'));
  expect(log.indexOf('post-client| hook')).toBeGreaterThan(log.indexOf('ACTION: rsync'));
});

it('skips the hooks after one that stopped the run, and those of a side that was not begun', async () => {
  const place = makeHookPlace({ vault: hookLines({ 'pre-client': 'fail', 'pre-server': 'none' }) });
  const ran = await place.go('i1', { env: { HOOK_EXIT: '0' } });
  expect(ran.code).toBe(9);
  expect(place.records().map((record) => record.get('hook'))).toEqual(['pre-client', 'post-client']);
});

describe('after a transfer that came to nothing', () => {
  it('post hooks are run, and the failure is that of the transfer', async () => {
    const place = makeHookPlace({ vault: hookLines({ 'post-client': 'fail' }) });
    rmSync(place.source, { recursive: true });
    mkdirSync(place.source);
    const ran = await place.go('i1');
    expect(ran.code).toBe(4);
    expect(ran.err).toMatch(/empty/);
    expect(ran.err).toContain('hook post-client: failed 3');
    expect(place.records().map((record) => record.get('hook'))).toEqual([...STAGES]);
    expect(place.records().at(-1)?.get('VAULT_STATUS')).toBe('fatal error');
    expect(place.images()).toEqual([]);
  });

  it('or was interrupted', async () => {
    const place = makeHookPlace({ vault: hookLines({}) });
    const slow = `${place.home}/slow-rsync`;
    writeFileSync(slow, '#!/bin/sh\ncase $* in *--version*) exec rsync --version ;; esac\nexec sleep 600\n');
    chmodSync(slow, 0o755);
    place.configure(`rsync: ${slow}\n${hookLines({})}`);
    const running = place.begin(['run', 'v', '--image', 'i1'], { env: place.env });
    await running.line(/scanning/);
    running.signal('SIGTERM');
    expect((await running.ended).code).toBe(130);
    expect(place.records().map((record) => record.get('hook'))).toEqual([...STAGES]);
    expect(place.records().at(-1)?.get('VAULT_STATUS')).toBe('fatal error');
  });

  it('or a hook was interrupted', async () => {
    const place = makeHookPlace({ vault: hookLines({ 'pre-client': 'hang' }) });
    const running = place.begin(['run', 'v', '--image', 'i1', '--verbose'], { env: place.env });
    await running.line(/pre-client: hanging$/);
    running.signal('SIGINT');
    expect((await running.ended).code).toBe(130);
    expect(place.records().map((record) => record.get('hook'))).toEqual([...STAGES]);
  });
});

it('a held image is an error to post hooks', async () => {
  const place = makeHookPlace({ vault: hookLines({}) });
  expect((await place.go('i1')).code).toBe(0);
  for (let index = 0; index < 1200; index += 1) writeFileSync(`${place.source}/f${index}`, 'x');
  expect((await place.go('i2')).code).toBe(0);
  for (let index = 0; index < 1200; index += 1) rmSync(`${place.source}/f${index}`);
  expect((await place.go('i3')).code).toBe(5);
  expect(place.records().at(-1)?.get('VAULT_STATUS')).toBe('error');
});

it('pre-server changes the excludes', async () => {
  const place = makeHookPlace({
    vault: `exclude:\n\t/a\npre-server: sed -i 's,^/a$,/b,' "$DIRVISH_EXCLUDE"; echo '/sub/deep' >> "$VAULT_EXCLUDE"\n`,
  });
  for (const name of ['i1', 'i2']) {
    expect((await place.go(name)).code).toBe(0);
    const tree = place.tree(name);
    const has = (path: string) => [path, tree.has(path)];
    expect(['a', 'b', 'sub/c', 'sub/deep'].map(has)).toEqual([
      ['a', true],
      ['b', false],
      ['sub/c', true],
      ['sub/deep', false],
    ]);
    expect(readFileSync(`${place.vault}/${name}/summary`, 'utf8')).toContain('exclude:\n\t/b\n\t/sub/deep\n');
  }
});

it('expands dates in commands as dirvish does', async () => {
  const place = makeHookPlace({ vault: `pre-server: echo "%Y-%m-%d %% %H"\ntime-zone: UTC\n` });
  expect((await place.go('i1', { at: '2026-11-20 22:30:00', env: { TZ: 'UTC' } })).code).toBe(0);
  expect(readFileSync(`${place.vault}/i1/log`, 'utf8')).toContain('pre-server| 2026-11-20 % 22\n');
});

it('a dry run only names the hooks', async () => {
  const place = makeHookPlace({ vault: hookLines({}) });
  const ran = await place.call(['run', 'v', '--dry-run'], { env: place.env });
  expect(ran.code).toBe(0);
  for (const stage of STAGES) expect(ran.out).toContain(`hook ${stage}: `);
  expect(place.records()).toEqual([]);
  expect(tooWide(ran.out)).toEqual([]);
});
