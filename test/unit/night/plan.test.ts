import { expect, it } from 'vitest';
import type { LoadedBranch } from '../../../src/config/load.ts';
import { settingsFrom } from '../../../src/config/options.ts';
import { nextJob, type NightJob } from '../../../src/night/plan.ts';

function job(vault: string, branch: string, clientKey: string, more: Partial<NightJob> = {}): NightJob {
  const loaded: LoadedBranch = {
    settings: settingsFrom(new Map()),
    origins: new Map(),
    itemOrigins: new Map(),
    notes: [],
    files: [],
    bank: '/bank',
    vault,
    branch,
  };
  return { loaded, vaultKey: `/bank/${vault}`, clientKey, bankId: 'disk', bankLimit: 4, ...more };
}

const A = job('v', 'default', 'one');

it('never starts two branches of one vault, whatever their clients are', () => {
  const other = job('v', 'weekly', 'two');
  const third = job('w', 'default', 'three');
  expect(nextJob([other], [A], 4)).toBeUndefined();
  expect(nextJob([other, third], [A], 4)).toBe(third);
  expect(nextJob([other], [third], 4)).toBe(other);
});

it('takes vaults of one name in two banks for two', () => {
  const elsewhere = job('v', 'default', 'two', { vaultKey: '/other/v' });
  expect(nextJob([elsewhere], [A], 4)).toBe(elsewhere);
});

it('never starts two of one client, nor more than bank and limit allow', () => {
  expect(nextJob([job('w', 'default', 'one')], [A], 4)).toBeUndefined();
  const free = job('w', 'default', 'two');
  expect(nextJob([free], [A], 1)).toBeUndefined();
  expect(nextJob([{ ...free, bankLimit: 1 }], [A], 4)).toBeUndefined();
  expect(nextJob([{ ...free, bankLimit: 1, bankId: 'another' }], [A], 4)).toBeDefined();
});
