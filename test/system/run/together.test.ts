import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { checkBank } from '../../support/invariants.ts';
import { needs } from '../../support/needs.ts';
import { descendants, isAlive, ran } from '../../support/process.ts';
import { snapshotTree } from '../../support/tree.ts';
import { fill, historyOf, makePlace, unlike, type Place } from './place.ts';

needs('root', 'rsync', 'namespace', 'xattr');

const TWENTY = Array.from({ length: 20 }, (_, index) => index);

/** Many runs at once, among themselves: with a /run/vault of their own. Their exit codes and what they said. */
async function together(place: Place, commands: readonly (readonly string[])[]) {
  const quoted = commands.map((argv) => argv.map((word) => `'${word}'`).join(' '));
  const lines = quoted.map(
    (line, index) => `(${line} >$D/${index}.out 2>$D/${index}.err; echo $? >$D/${index}.code) &`,
  );
  const script = ['mkdir -p /run/vault', 'mount -t tmpfs tmpfs /run/vault', ...lines, 'wait'].join('\n');
  const result = await ran(['unshare', '--mount', 'sh', '-c', script], { env: { D: place.home } });
  expect(result).toMatchObject({ code: 0, err: '' });
  return Promise.all(
    commands.map(async (_, index) => ({
      code: Number((await ran(['cat', `${place.home}/${index}.code`])).out),
      err: (await ran(['cat', `${place.home}/${index}.err`])).out,
    })),
  );
}

describe('twenty runs of one vault at once', () => {
  it('make images one at a time; the others say that it is in use', async () => {
    const place = makePlace();
    fill(place.source);
    const argv = place.argv('run', 'v', '--lock-wait', '0');
    const results = await together(
      place,
      TWENTY.map(() => argv),
    );
    const good = results.filter((result) => result.code === 0).length;
    expect(good).toBeGreaterThan(0);
    for (const { code, err } of results) {
      if (code === 0) continue;
      expect(code, err).toBe(6);
      expect(err).toMatch(/^vault: error: Another run is using /m);
      expect(err).toMatch(/^hint: .*--lock-wait/m);
    }
    expect(place.images()).toHaveLength(good);
    expect(historyOf(place.vault)).toHaveLength(good);
    expect(checkBank(place.bank, { sources: [snapshotTree(place.source)] })).toEqual([]);
    expect(readdirSync(place.vault).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('make one image each when they may wait', async () => {
    const place = makePlace();
    fill(place.source);
    const six = TWENTY.slice(0, 6).map(() => place.argv('run', 'v', '--lock-wait', '5 minutes'));
    const results = await together(place, six);
    expect(results.map((result) => result.code)).toEqual(six.map(() => 0));
    expect(place.images()).toHaveLength(6);
    expect(historyOf(place.vault)).toHaveLength(6);
    expect(checkBank(place.bank, { sources: [snapshotTree(place.source)] })).toEqual([]);
  });
});

/** When a file has begun to come. */
async function somethingCame(place: Place): Promise<void> {
  for (;;) {
    const work = readdirSync(place.vault).find((name) => name.startsWith('.incomplete-i'));
    try {
      if (
        work !== undefined &&
        readdirSync(`${place.vault}/${work}/tree`).some((name) => name.startsWith('.large'))
      )
        return;
    } catch {
      // No tree yet.
    }
    await delay(2);
  }
}

describe('a run that is stopped', () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`by ${signal} takes rsync with it and leaves what the next run cleans up`, async () => {
      const place = makePlace({ vault: 'speed-limit: 8\n' });
      fill(place.source);
      writeFileSync(`${place.source}/large`, Buffer.alloc(8_000_000, 'x'));
      const running = place.begin(['run', 'v', '--image', 'i1']);
      await somethingCame(place);
      const pids = descendants(running.pid);
      expect(pids.length).toBeGreaterThan(1);
      running.signal(signal);
      const result = await running.ended;
      expect(result.code).toBe(130);
      expect(result.err).toMatch(/^vault: error: Interrupted\.$/m);
      expect(pids.filter(isAlive)).toEqual([]);
      expect(place.images()).toEqual([]);
      expect(readdirSync(place.vault)).toEqual(['.incomplete-i1', 'dirvish']);
      expect(readdirSync(`${place.vault}/dirvish`)).toEqual(['default.conf']);

      rmSync(`${place.source}/large`);
      await place.image('i2');
      expect(unlike(place, 'i2')).toEqual([]);
      expect(readdirSync(place.vault)).toEqual(['dirvish', 'i2']);
      expect(checkBank(place.bank)).toEqual([]);
    });
  }
});

describe('a bank inside the source', () => {
  it('is left out, with a note', async () => {
    const outer = makePlace();
    fill(outer.source);
    const bank = `${outer.source}/sub/the bank [x]`;
    const place = makePlace({ bank, tree: outer.source });
    for (const image of ['i1', 'i2']) {
      const made = await place.image(image);
      expect(made.err).toContain('the bank lies inside the source and is left out');
      const names = [...place.tree(image).keys()];
      expect(names).toContain('sub/deep/d');
      expect(names.filter((name) => name.includes('the bank'))).toEqual([]);
    }
  });
});
