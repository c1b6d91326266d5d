import { join } from 'node:path';
import { VaultError, messageOf } from '../errors.ts';
import { writeDurably } from '../exec/files.ts';
import type { Hooks } from './hooked.execute.ts';
import type { Means } from './means.ts';
import type { ImagePlan } from './plan.ts';

/** The most disks that files are written for: a client says what it likes. */
const MOST_DISKS = 64;

/** Whether the machine descriptor belongs into the image: where asked for, and with the root directory. */
export function capturesMachine(plan: ImagePlan): boolean {
  return plan.settings.capture ?? (plan.tree.path === '/' && !plan.tree.daemon);
}

/**
 * Asks the client for what a rebuild of its disks needs, and puts it into the image that is being made: machine.json,
 * df.CLIENT, and sfdisk.CLIENT.DISK beside the vault. Gives `complete`, or in words what is wrong: never throws for
 * that, since files are worth more.
 */
export async function captureInto(hooks: Hooks, means: Means, plan: ImagePlan): Promise<string> {
  means.progress.phase('capturing');
  try {
    const { captureMachine } = await import('../metal/describe.execute.ts');
    const run = await hooks.means.shell.open(means.signal);
    const options = {
      command: plan.settings['capture-command'],
      luksHeaders: plan.settings['capture-luks-headers'],
      flags: true,
      disks: [],
    };
    const now = Math.floor(Date.now() / 1000);
    const machine = await captureMachine(run, plan.client, options, now, means.signal);
    const mode = Number.parseInt(plan.settings['meta-perm'], 8);
    const host = plan.client.replace(/^.*@/, '');
    const image = means.vault.at(plan.workDirectory);
    await writeDurably(join(image, 'machine.json'), `${JSON.stringify(machine, undefined, 1)}\n`, mode);
    if (machine.df !== undefined) await writeDurably(join(image, `df.${host}`), machine.df, mode);
    for (const disk of machine.disks.slice(0, MOST_DISKS)) {
      if (disk.dump === undefined) continue;
      const name = `sfdisk.${host}.${disk.path.replace(/^\/dev\//, '').replace(/[^A-Za-z0-9._-]/g, '-')}`;
      await writeDurably(`${means.vault.at('..')}/${name}`, disk.dump, 0o600);
    }
    const { complete, lacking } = machine.captured;
    return complete ? 'complete' : `incomplete: ${lacking.join('; ')}`;
  } catch (error) {
    if (means.signal.aborted || !(error instanceof VaultError || isSystemError(error))) throw error;
    return `failed: ${messageOf(error)}`;
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
