import { describe, expect, it } from 'vitest';
import { concernsOf, type BranchState } from '../../../src/care/status.ts';
import { imageOf, NOW } from '../image/plans.ts';

function state(vault: string, tree: string, more: Partial<BranchState> = {}): BranchState {
  const newest = imageOf('newest', { vault, tree });
  return {
    bank: '/bank',
    vault,
    branch: 'default',
    client: 'laptop',
    tree,
    images: [newest],
    newestGood: newest,
    lastRun: undefined,
    scheduled: true,
    maxAge: 7 * 86_400,
    leftOut: [],
    without: [],
    hooks: [],
    capture: undefined,
    ...more,
  };
}

const messages = (...states: BranchState[]) =>
  concernsOf(states, NOW, () => 'long ago').map(({ message }) => message);

describe('a file system that a vault left out', () => {
  const root = state('root', '/', { leftOut: ['/srv/data'], without: ['/srv/data'] });
  const lost = 'laptop:/srv/data is in none of its vaults';

  it('is told where no vault has it', () => {
    expect(messages(root)).toEqual([lost]);
    expect(messages(root, state('home', '/home'))).toEqual([lost]);
    expect(messages(root, state('sub', '/srv/data/sub'))).toEqual([lost]);
    expect(messages(root, state('like', '/srv/dat'))).toEqual([lost]);
    expect(messages(root, state('other', '/srv/data', { client: 'server' }))).toEqual([lost]);
  });

  it.each(['/srv/data', '/srv/data/', '/srv/data alias', '/srv', '/'])('is kept by a vault of %s', (tree) => {
    expect(messages(root, state('data', tree))).toEqual([]);
  });

  it('is not kept by a vault above it that leaves it out too, or of which that is not known', () => {
    const above = state('srv', '/srv', { leftOut: ['/srv/data'], without: ['/srv/data'] });
    expect(messages(root, above)).toEqual([lost]);
    expect(messages(root, state('srv', '/srv', { without: undefined }))).toEqual([lost]);
    const nested = state('root', '/', { leftOut: ['/srv', '/srv/data'], without: ['/srv', '/srv/data'] });
    expect(messages(nested, state('all', '/', { without: ['/srv'] }))).toContain(lost);
  });
});

it('a failure within the second of the newest image came after it', () => {
  const ended = NOW - 86_400;
  const lastRun = {
    schema: 1,
    vault: 'v',
    branch: 'default',
    ended,
    result: 'failed',
    message: 'no luck',
  } as const;
  expect(messages(state('v', '/home', { lastRun }))).toEqual(['the last run failed long ago: no luck']);
  const earlier = { ...lastRun, ended: ended - 1 };
  expect(messages(state('v', '/home', { lastRun: earlier }))).toEqual([]);
});
