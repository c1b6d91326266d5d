import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { runWithFault } from '../../support/fault.ts';
import { checkBank } from '../../support/invariants.ts';
import { needs } from '../../support/needs.ts';
import { mustSync } from '../../support/process.ts';
import { snapshotTree, type Tree } from '../../support/tree.ts';
import { sample } from '../faults/ground.ts';
import { dirvish } from '../../support/dirvish.ts';
import { expired, makeGround, type Ground } from './ground.ts';

const able = needs('root', 'gcc', 'dirvish');

let ground: Ground;
let argv: readonly string[];
let trees: ReadonlyMap<string, Tree>;

/** Five images, of which three go; with the bank kept aside to begin again with. */
beforeAll(() => {
  if (!able) return;
  ground = makeGround();
  for (const [index, name] of ['a', 'b', 'c', 'd', 'newest'].entries()) {
    const more = name === 'd' ? ['Vault-expire: Never'] : [];
    const expire = name === 'd' ? { expire: 'Never' } : {};
    ground.written(name, { completed: `2026-01-1${index} 22:00:00`, more, ...expire });
  }
  argv = ground.argv('expire', '--time', 'now', '--json');
  mustSync(['cp', '-a', ground.bank, `${ground.bank}.saved`]);
});

function begin(): void {
  for (const directory of [ground.bank, `${ground.home}/state`]) {
    rmSync(directory, { recursive: true, force: true });
  }
  mustSync(['cp', '-a', `${ground.bank}.saved`, ground.bank]);
  trees = new Map(['d', 'newest'].map((name) => [`v/${name}`, snapshotTree(`${ground.vault}/${name}/tree`)]));
}

/** No image is half there, for us or for dirvish, and those that stay are whole. */
function expectWhole(): void {
  expect(checkBank(ground.bank, { earlier: trees })).toEqual([]);
  for (const name of readdirSync(ground.vault)) {
    const isListed = existsSync(`${ground.vault}/${name}/summary`);
    if (isListed) expect(existsSync(`${ground.vault}/${name}/tree/sub/deep/d`), name).toBe(true);
    if (isListed) expect(name).not.toMatch(/^\./);
  }
}

async function expectResumed(): Promise<void> {
  const again = expired(await ground.call(['expire', '--time', 'now', '--json']));
  expect([again.code, again.err]).toEqual([0, '']);
  expect(ground.images()).toEqual(['d', 'newest']);
  expect(ground.dotted()).toEqual([]);
  expectWhole();
  const history = readFileSync(`${ground.vault}/dirvish/default.hist`, 'utf8');
  expect(history.match(/^\w+/gm)).toEqual(['d', 'newest']);
}

describe('an expire that is cut short', () => {
  let total: number;
  beforeAll(async () => {
    if (!able) return;
    begin();
    const counted = await runWithFault(argv, { prefix: ground.bank, mode: 'count' });
    expect(counted.ran.code, counted.ran.err).toBe(0);
    total = counted.count;
    expect(total).toBeGreaterThan(40);
  });

  it(
    'by kill -9 at any step leaves no half image, and the next one goes on',
    { timeout: 600_000 },
    async () => {
      let killed = 0;
      for (const at of sample(total, 30)) {
        begin();
        const { ran, fired } = await runWithFault(argv, { prefix: ground.bank, mode: 'kill', at });
        if (fired === undefined) expect(ran.code).toBe(0);
        else killed += 1;
        expectWhole();
        await expectResumed();
      }
      expect(killed).toBeGreaterThan(20);
    },
  );

  it('by an I/O error says so, and never "deleted" of what is there', { timeout: 600_000 }, async () => {
    let failed = 0;
    for (const at of sample(total, 20)) {
      begin();
      const { ran, fired } = await runWithFault(argv, { prefix: ground.bank, mode: 'eio', at });
      const { code, outcomes, result } = expired(ran);
      expect(result['type']).toBe('result');
      if (fired !== undefined && code !== 0) failed += 1;
      const left = readdirSync(ground.vault).join(' ');
      for (const [name, outcome] of outcomes) {
        if (outcome === 'deleted') expect(left.split(' ')).not.toContain(`.deleting-${name}`);
        else expect([4, 6]).toContain(code);
      }
      expectWhole();
      await expectResumed();
    }
    expect(failed).toBeGreaterThan(10);
  });

  it('is nothing to dirvish-expire: no half image justifies another', { timeout: 600_000 }, async () => {
    for (const at of sample(total, 6)) {
      begin();
      await runWithFault(argv, { prefix: ground.bank, mode: 'kill', at });
      const { out } = await dirvish('dirvish-expire', ['--no-run'], { master: ground.master });
      expect(out).not.toContain('.deleting');
      // Without our pin there is no good image left that has not expired, so that it keeps its newest.
      expect(out).not.toMatch(/^v:default +d /m);
      await expectResumed();
    }
  });
});
