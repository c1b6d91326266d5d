import type { Where } from '../commands/spec.ts';
import { loadBranch, loadMaster, type Loaded } from '../config/load.ts';
import { isUsableName } from '../config/names.ts';
import type { OptionName, Settings } from '../config/options.ts';
import { VaultError } from '../errors.ts';
import type { BranchPolicy, PolicyLine } from './plan.ts';

/** The policy of a branch together with all settings that it came from. */
export interface LoadedPolicy {
  readonly policy: BranchPolicy;
  readonly settings: Settings;
}

/** What the configuration says about the branches of one vault; each is read once. */
export type Policies = (branch: string) => Promise<LoadedPolicy>;

/**
 * Reads the configuration of branches as they are met. A branch that images were made of and that has no
 * configuration any more goes by the master file. Throws `config` or `refused` for mistakes.
 */
export function policiesOf(where: Where, vault: { readonly bank: string; readonly name: string }): Policies {
  const known = new Map<string, Promise<LoadedPolicy>>();
  return (branch) => {
    const found = known.get(branch) ?? load(where, vault, branch).then(policyOf);
    known.set(branch, found);
    return found;
  };
}

async function load(
  where: Where,
  vault: { readonly bank: string; readonly name: string },
  branch: string,
): Promise<Loaded> {
  if (!isUsableName(vault.name) || !isUsableName(branch)) return loadMaster(where);
  try {
    return await loadBranch(where, { vault: vault.name, branch }, {}, vault.bank);
  } catch (error) {
    const isMistake = !(error instanceof VaultError) || error.kind !== 'config' || error.problems.length > 0;
    if (isMistake) throw error;
    return loadMaster(where);
  }
}

function policyOf(loaded: Loaded): LoadedPolicy {
  const { settings } = loaded;
  return {
    settings,
    policy: {
      zone: settings['time-zone'],
      keep: lines(loaded, 'keep', settings.keep),
      rules: lines(loaded, 'expire-rule', settings['expire-rule']),
      standard: line(loaded, 'expire-default', settings['expire-default']),
      always: line(loaded, 'expire', settings.expire),
    },
  };
}

function lines(loaded: Loaded, name: OptionName, texts: readonly string[]): readonly PolicyLine[] {
  const origins = loaded.itemOrigins.get(name) ?? [];
  return texts.map((text, index) => placed(text, origins[index]));
}

function line(loaded: Loaded, name: OptionName, text: string | undefined): PolicyLine | undefined {
  return text === undefined ? undefined : placed(text, loaded.origins.get(name));
}

function placed(
  text: string,
  origin: { readonly file?: string; readonly line?: number } | undefined,
): PolicyLine {
  return {
    text,
    ...(origin?.file === undefined ? {} : { file: origin.file }),
    ...(origin?.line === undefined ? {} : { line: origin.line }),
  };
}
