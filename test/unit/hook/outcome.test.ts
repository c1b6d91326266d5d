import { describe, expect, it } from 'vitest';
import type { Result } from '../../../src/exec/command.ts';
import {
  hasFailed,
  judgeHook,
  outcomeText,
  reasonToSkip,
  type HookOutcome,
} from '../../../src/hook/outcome.ts';
import type { Hook, Stage } from '../../../src/hook/plan.ts';

const empty = Buffer.alloc(0);
const ENDED: Result = { code: 0, signal: null, timedOut: false, stdout: empty, stderr: empty };

function outcome(stage: Stage, kind: HookOutcome['kind']): HookOutcome {
  return { stage, label: stage, kind, seconds: 0, lastLines: [] };
}

describe('how a hook ended', () => {
  const hook: Hook = { stage: 'pre-client', label: 'pre-client', command: 'x' };
  it.each<[string, Partial<Result>, boolean]>([
    ['ok', {}, false],
    ['failed 3', { code: 3 }, false],
    ['failed: cannot enter /tree', { code: 121 }, false],
    ['failed: killed by SIGKILL', { code: null, signal: 'SIGKILL' }, false],
    ['failed: connection lost', { code: null, spawnError: 'ECONNRESET' }, false],
    ['failed: cannot enter /tree', { code: null, spawnError: 'ENOENT' }, false],
    ['timed out', { code: null, signal: 'SIGTERM', timedOut: true }, false],
    ['interrupted', { code: null, signal: 'SIGTERM' }, true],
  ])('%s', (text, result, interrupted) => {
    const judged = judgeHook(hook, { ...ENDED, ...result }, interrupted, '/tree');
    expect(outcomeText({ ...outcome('pre-client', 'ok'), ...judged })).toBe(text);
  });

  it('only the client has an exit code for a tree that cannot be entered', () => {
    const here: Hook = { stage: 'pre-server', label: 'pre-server', command: 'x' };
    expect(judgeHook(here, { ...ENDED, code: 121 }, false, '/tree')).toEqual({ kind: 'failed', code: 121 });
  });
});

describe('a post hook', () => {
  it.each<[string, Stage, HookOutcome[], boolean, string | undefined]>([
    ['is run after its pre hook', 'post-client', [outcome('pre-client', 'ok')], true, undefined],
    ['is run after its pre hook failed', 'post-client', [outcome('pre-client', 'failed')], false, undefined],
    ['is run after its pre hook hung', 'post-server', [outcome('pre-server', 'timed out')], false, undefined],
    ['without a pre hook is run after a transfer', 'post-client', [], true, undefined],
    ['without a pre hook is not run before one', 'post-client', [], false, 'nothing was transferred'],
    [
      'is skipped where its side was not begun',
      'post-client',
      [outcome('pre-server', 'failed')],
      false,
      'pre-server failed',
    ],
    [
      'is skipped where its pre hook was',
      'post-client',
      [outcome('pre-server', 'timed out'), outcome('pre-client', 'skipped')],
      false,
      'pre-server timed out',
    ],
  ])('%s', (_, stage, outcomes, transferred, reason) => {
    expect(reasonToSkip(stage, outcomes, transferred)).toBe(reason);
  });
});

it('what was only skipped has not failed by itself', () => {
  expect(hasFailed([outcome('pre-server', 'ok'), outcome('post-client', 'skipped')])).toBe(false);
  expect(hasFailed([outcome('pre-server', 'interrupted')])).toBe(true);
});
