import fc, { type Arbitrary } from 'fast-check';
import { expect } from 'vitest';
import type { Settings } from '../../../src/config/options.ts';
import { VaultError } from '../../../src/errors.ts';
import { applyMutations, applyTree } from '../../support/apply.ts';
import { excludes, mutations, treeOperations } from '../../support/arbitrary.ts';
import type { Operation } from '../../support/operation.ts';
import { mustSync } from '../../support/process.ts';
import { changesSince, compareTrees, snapshotTree, type Tree } from '../../support/tree.ts';
import { compareSharing, openGround, type Attempt, type Ground } from './equivalence-ground.ts';

/** One random story of a tree and its images. */
export interface Story {
  readonly tree: readonly Operation[];
  readonly first: Partial<Settings>;
  readonly rounds: readonly Round[];
}

export interface Round {
  readonly operations: readonly Operation[];
  readonly settings: Partial<Settings>;
  /** Files of the reference that are made immutable before the round, by number. */
  readonly immutable: readonly number[];
}

/** There is always something to back up: an empty source is refused. */
export const ALWAYS: Operation = {
  do: 'create',
  in: 0,
  name: 'always',
  what: { type: 'file', size: 3, from: 0, length: 3 },
  as: { mode: 0o644, uid: 0, gid: 0, at: 12_345 },
};

export interface Kinds {
  readonly operations?: Arbitrary<Operation[]>;
  readonly settings?: Arbitrary<Partial<Settings>>;
  readonly immutable?: boolean;
}

/** Stories of two or three rounds. What is not said is as in most vaults. */
export function stories({ operations, settings, immutable }: Kinds = {}): Arbitrary<Story> {
  const some = settings ?? excludes().map((exclude) => ({ exclude }));
  const round = fc.record({
    operations: operations ?? mutations(),
    settings: some,
    immutable: immutable ? fc.array(fc.nat(1000), { maxLength: 3, size: 'max' }) : fc.constant([]),
  });
  return fc.record({
    tree: treeOperations(),
    first: some,
    rounds: fc.array(round, { minLength: 2, maxLength: 3, size: 'max' }),
  });
}

/** Plays a story with both engines and fails on the first difference. Gives the engines that were taken. */
export async function play(directory: string, story: Story): Promise<string[]> {
  const ground = await openGround(directory);
  const frozen: string[] = [];
  try {
    applyTree(ground.source, [...story.tree, ALWAYS]);
    const first = await outcome(ground.make('0', { engine: 'link-dest', settings: story.first }));
    if (typeof first === 'string') return ['refused'];
    const images = new Map([['0', snapshotTree(first.tree)]]);
    const taken: string[] = [];
    for (const [index, round] of story.rounds.entries()) {
      taken.push(await playRound(ground, images, round, String(index + 1), frozen));
    }
    expectUnchanged(ground, images);
    return taken;
  } finally {
    if (frozen.length > 0) mustSync(['chattr', '-i', '--', ...frozen]);
    await ground.close();
  }
}

/** Two images against the newest one that `delta` made. */
async function playRound(
  ground: Ground,
  images: Map<string, Tree>,
  round: Round,
  name: string,
  frozen: string[],
): Promise<string> {
  const [reference, before] = [...images].findLast(([each]) => !each.endsWith('plain')) ?? [];
  if (reference === undefined || before === undefined) throw new Error('no reference');
  applyMutations(ground.source, [...round.operations, ALWAYS]);
  frozen.push(...freeze(`${ground.vault}/${reference}/tree`, before, round.immutable));
  const how = { reference, settings: round.settings };
  const plain = await outcome(ground.make(`${name}-plain`, { engine: 'link-dest', ...how }));
  const delta = await outcome(ground.make(name, { engine: 'delta', ...how }));
  if (typeof plain === 'string' || typeof delta === 'string') {
    expect(delta).toEqual(plain);
    return 'refused';
  }
  const [a, b] = [snapshotTree(plain.tree), snapshotTree(delta.tree)];
  images.set(`${name}-plain`, a).set(name, b);
  expect([...differences(before, a, b), ...reports(plain, delta)]).toEqual([]);
  return delta.plan.engine.engine;
}

/** A refusal is an outcome too: its message. */
async function outcome(making: Promise<Attempt>): Promise<Attempt | string> {
  return making.catch((error: unknown) => {
    if (error instanceof VaultError) return error.message;
    throw error;
  });
}

/** All that can tell two images of one source and one reference apart, in words. */
export function differences(reference: Tree, a: Tree, b: Tree): string[] {
  return [...compareTrees(a, b, { also: ['nlink', 'blocks'] }), ...compareSharing(reference, a, b)];
}

/** Differences in what the engines say of their work. */
function reports(a: Attempt, b: Attempt): string[] {
  const fields = ['partial', 'held', 'totals', 'missing'] as const;
  return fields
    .filter((field) => JSON.stringify(a.made[field]) !== JSON.stringify(b.made[field]))
    .map((field) => `${field}: ${JSON.stringify(a.made[field])} != ${JSON.stringify(b.made[field])}`);
}

function expectUnchanged(ground: Ground, images: ReadonlyMap<string, Tree>): void {
  for (const [name, tree] of images) {
    expect(changesSince(tree, snapshotTree(`${ground.vault}/${name}/tree`)), name).toEqual([]);
  }
}

/** Makes some regular files of an image immutable; their paths. Programs' arguments have to be UTF-8 here. */
function freeze(directory: string, tree: Tree, numbers: readonly number[]): string[] {
  const files = [...tree].filter(([path, entry]) => entry.type === 'file' && /^[\x20-\x7e]+$/.test(path));
  const chosen = numbers.flatMap((number) => files[number % files.length]?.[0] ?? []);
  const paths = chosen.map((path) => `${directory}/${path}`);
  if (paths.length > 0) mustSync(['chattr', '+i', '--', ...paths]);
  return paths;
}

/** The seed of all properties here; another one for a longer search. */
export const SEED = Number(process.env['VAULT_TEST_SEED'] ?? 20_261_120);

/** How many cases of a property: many more in the long run. */
export function runs(number: number): number {
  return process.env['VAULT_TEST_LONG'] === '1' ? 20 * number : number;
}
