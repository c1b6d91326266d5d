import { chmod, rm } from 'node:fs/promises';
import { appender } from '../exec/files.ts';
import { describeEnd, succeeded } from '../exec/command.ts';
import { VaultError } from '../errors.ts';
import { inVault, type Means } from './means.ts';
import type { ImagePlan } from './plan.ts';
import { indexLine } from './pack.ts';
import { lineCutter } from './scan.ts';

/** Makes the index and packs it as the option says. Before the commit. */
export async function packIndex(means: Means, plan: ImagePlan): Promise<void> {
  const { index } = plan.settings;
  if (index.format === 'none') return;
  await writeIndex(means, plan, Number.parseInt(plan.settings['meta-perm'], 8));
  if (index.argv.length > 0) await pack(means, plan.workDirectory, 'index', index.argv);
}

/** Packs the log in the image's directory as the option says, and sets its permissions. */
export async function packLog(means: Means, plan: ImagePlan, directory: string): Promise<void> {
  const { log } = plan.settings;
  const path = means.vault.at(`${directory}/log`);
  await chmod(path, Number.parseInt(plan.settings['meta-perm'], 8));
  if (log.format === 'none') await rm(path);
  else if (log.argv.length > 0) await pack(means, directory, 'log', log.argv);
}

/** `find -ls` of the tree with paths as on the client: what dirvish-locate reads. */
async function writeIndex(means: Means, plan: ImagePlan, mode: number): Promise<void> {
  const out = await appender(means.vault.at(`${plan.workDirectory}/index`), mode);
  try {
    const alias = Buffer.from(plan.tree.alias === '/' ? '' : plan.tree.alias);
    const cut = lineCutter((line) => out.add(indexLine(line, alias)));
    const stdout = async (chunk: Buffer) => {
      cut(chunk);
      await out.drain();
    };
    const argv = ['find', '.', '-ls'];
    const result = await means.run(
      inVault(means, argv, `${plan.workDirectory}/tree`),
      { stdout },
      means.signal,
    );
    cut(undefined);
    if (means.signal.aborted) throw new VaultError('interrupted', 'Interrupted while writing the index.');
    if (!succeeded(result))
      throw new VaultError('failed', `Writing the index failed: find ${describeEnd(result)}.`);
  } finally {
    await out.close();
  }
}

async function pack(means: Means, directory: string, name: string, argv: readonly string[]): Promise<void> {
  const command = inVault(means, [...argv, '-f', '--', name], directory);
  const result = await means.run(command, {}, means.signal);
  if (succeeded(result)) return;
  if (means.signal.aborted) throw new VaultError('interrupted', `Interrupted while packing the ${name}.`);
  // A complete image is not lost for want of bzip2: what could not be packed stays as it is.
  means.log.warn(`packing the ${name} with ${argv.join(' ')} failed: ${describeEnd(result)}`);
}
