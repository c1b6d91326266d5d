import type { Run } from '../exec/command.ts';
import type { BranchAddress } from '../model.ts';
import type { ObservedVault } from './observe.execute.ts';
import { planRestamp, type DateSettings, type Restamp } from './restamp.ts';
import { restampedSummary } from './rewrite.ts';
import { rewriteSummaries } from './rewrite.execute.ts';

/** What the rules of today would change in the vaults that were observed. */
export async function findRestamps(
  vaults: readonly ObservedVault[],
  only: BranchAddress | undefined,
): Promise<Restamp[]> {
  const found: Restamp[] = [];
  for (const { state, policies } of vaults) {
    const branches = new Map<string, { readonly settings: DateSettings; readonly zone: string }>();
    for (const branch of state.policies.keys()) {
      const { settings, policy } = await policies(branch);
      branches.set(branch, { settings, zone: policy.zone });
    }
    const images = state.images.filter(({ branch }) => only?.branch === undefined || branch === only.branch);
    const restamps = planRestamp(images, (branch) => {
      const known = branches.get(branch);
      if (known === undefined) throw new Error(`no settings for branch ${branch}`);
      return known;
    });
    found.push(...restamps);
  }
  return found;
}

/** Writes the new dates, vault by vault. Fails as `rewriteSummaries`. */
export async function applyRestamps(
  run: Run,
  restamps: readonly Restamp[],
  signal: AbortSignal,
): Promise<void> {
  const places = new Map(
    restamps.map(({ image: { bank, vault } }) => [`${bank}/${vault}`, { bank, name: vault }]),
  );
  for (const place of places.values()) {
    const own = restamps.filter(({ image }) => image.bank === place.bank && image.vault === place.name);
    const rewritings = own.map(({ image, expiry, from }) => ({
      directory: image.directory,
      name: image.name,
      rewrite: (text: string) => restampedSummary(text, expiry, from),
    }));
    await rewriteSummaries(run, place, rewritings, signal);
  }
}
