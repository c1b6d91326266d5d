import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { must, mustSync } from '../../support/process.ts';
import { needs } from '../../support/needs.ts';
import { summaryOf } from '../run/place.ts';
import { makeFour, PAST, type Ground } from './ground.ts';

needs('root', 'faketime');

let ground: Ground;

beforeEach(() => {
  ground = makeFour();
});

describe('a pin', () => {
  it('keeps an image that would go, shows in the list, and comes off again', async () => {
    expect((await ground.call(['pin', 'v@old'])).code).toBe(0);
    expect((await ground.call(['pin', 'v@old'])).out).toContain('already');
    expect(summaryOf(`${ground.vault}/old`).get('Expire')).toBe('Never');
    expect(summaryOf(`${ground.vault}/old`).get('Vault-expire')).toBe(PAST);
    expect((await ground.call(['list', 'v'])).out).toMatch(/old .*pinned/);
    const { plan } = await ground.expire('--time', 'now');
    expect(plan.get('old')).toEqual({ action: 'keep', codes: ['pinned'] });
    expect(ground.images()).toEqual(['kept', 'newest', 'old']);
    expect((await ground.call(['unpin', 'v@old', '--dry-run'])).out).toContain('would be');
    expect((await ground.call(['unpin', 'v@old'])).code).toBe(0);
    await ground.expire('--time', 'now');
    expect(ground.images()).toEqual(['kept', 'newest']);
    expect((await ground.call(['pin', 'v@old'])).code).toBe(2);
  });
});

describe('--restamp', () => {
  it('moves dates by the rules of today, and tells which; a pin stays', async () => {
    writeFileSync(`${ground.home}/master.conf`, `${ground.master}expire-default: +1 year\n`, { mode: 0o600 });
    await ground.call(['pin', 'v@old']);
    const foretold = await ground.call(['expire', '--restamp', '--dry-run']);
    expect(foretold.out).toMatch(/v@older +2026-01-31 22:00:00 +\+1 year == 2027-01-09 22:00:00/);
    expect(summaryOf(`${ground.vault}/older`).get('Expire')).toBe(PAST);
    expect((await ground.call(['expire', '--restamp'])).code).toBe(0);
    expect(summaryOf(`${ground.vault}/older`).get('Expire')).toBe('+1 year == 2027-01-09 22:00:00');
    expect(summaryOf(`${ground.vault}/old`).get('Expire')).toBe('Never');
    expect(summaryOf(`${ground.vault}/old`).get('Vault-expire')).toBe('+1 year == 2027-01-10 22:00:00');
    expect((await ground.call(['expire', '--restamp'])).out).toContain('No date moves.');
  });
});

describe('--simulate', () => {
  it('shows which images there would be, on 80 columns, draws them, and changes nothing', async () => {
    writeFileSync(`${ground.home}/master.conf`, `${ground.master}keep:\n\tdaily 5\n\tweekly 4\n`, {
      mode: 0o600,
    });
    const { code, out } = await ground.call([
      'expire',
      'v',
      '--simulate',
      '100d',
      '--plot',
      `${ground.home}/v.svg`,
    ]);
    expect(code).toBe(0);
    const rows = out.split('\n').filter((line) => /^\d{4}-\d\d-\d\d /.test(line));
    expect(rows).toHaveLength(24);
    expect(rows.every((row) => row.length <= 80)).toBe(true);
    expect(readFileSync(`${ground.home}/v.svg`, 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(ground.images()).toEqual(['kept', 'newest', 'old', 'older']);
    const { objects } = await ground.expire('v', '--simulate', '100d');
    expect(objects[0]).toMatchObject({ type: 'plan', kind: 'simulation' });
  });
});

describe('runall --expire-first', () => {
  beforeEach(() => {
    writeFileSync(`${ground.home}/master.conf`, `${ground.master}Runall:\n\tv\nmax-clock-jump: 9999 days\n`, {
      mode: 0o600,
    });
  });

  it('deletes, then backs up, and tells both in one table', async () => {
    const { code, out } = await ground.call(['runall', '--expire-first']);
    expect(code).toBe(0);
    expect(out).toMatch(/\(expire first\) +done .* 2 images deleted\nv +good/);
    expect(ground.images()).toHaveLength(3);
  });

  it('backs up though expiry has troubles, and ends with their exit code', async () => {
    writeFileSync(`${ground.vault}/older/summary`, '');
    const { code, out } = await ground.call(['runall', '--expire-first']);
    expect(code).toBe(3);
    expect(out).toMatch(/\(expire first\) +trouble/);
    expect(out).toMatch(/v +good/);
  });
});

describe('an unprivileged user', () => {
  it('deletes trees with directories that nobody may write to', async () => {
    chmodSync(ground.home, 0o755);
    for (const name of ['sub/deep', 'sub', '.']) chmodSync(`${ground.vault}/older/tree/${name}`, 0o555);
    mustSync(['chown', '-R', '65534', ground.bank, `${ground.home}/master.conf`]);
    const state = `${ground.home}/state-of-nobody`;
    mkdirSync(state);
    mustSync(['chown', '65534', state]);
    const argv = ground.argv('expire', '--time', 'now', '--state-dir', state);
    const { code, err } = await must(['setpriv', '--reuid', '65534', '--clear-groups', ...argv]);
    expect([code, err]).toEqual([0, '']);
    expect(ground.images()).toEqual(['kept', 'newest']);
    expect(ground.dotted()).toEqual([]);
  });
});
