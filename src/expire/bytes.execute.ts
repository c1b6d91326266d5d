import { join } from 'node:path';
import { VaultError } from '../errors.ts';
import { describeEnd, succeeded, type Run } from '../exec/command.ts';
import { freedCounter, parseInode } from './bytes.ts';
import type { ExpirePlan, JudgedImage } from './plan.ts';

/**
 * What each deletion of a plan frees, in bytes, by walking all that goes: inodes whose last link goes with it, in the
 * order of the plan. Extents that a file shares with another (reflinks) are counted as if it had them alone.
 */
export async function freedBytes(
  run: Run,
  plan: ExpirePlan,
  signal: AbortSignal,
): Promise<ReadonlyMap<JudgedImage, number>> {
  const freed = new Map<JudgedImage, number>();
  const going = plan.steps.filter(({ action }) => action === 'delete');
  for (const bank of new Set(going.map((step) => step.bank))) {
    const own = going.filter((step) => step.bank === bank);
    const counter = freedCounter();
    for (const step of own) {
      counter.next();
      await walk(run, join(bank, step.vault), target(step, plan), counter.meet, signal);
    }
    counter.freed().forEach((bytes, index) => {
      const step = own[index];
      if (step !== undefined) freed.set(step, bytes);
    });
  }
  return freed;
}

function target(step: JudgedImage, plan: ExpirePlan): string {
  return `./${step.directory}${plan.mode === 'tree' ? '/tree' : ''}`;
}

async function walk(
  run: Run,
  vault: string,
  path: string,
  meet: (inode: NonNullable<ReturnType<typeof parseInode>>) => void,
  signal: AbortSignal,
): Promise<void> {
  let rest = '';
  const take = (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const inode = parseInode(line);
      if (inode !== undefined) meet(inode);
    }
  };
  const argv = ['find', path, '-xdev', '-printf', '%i %n %b %y\\n'];
  const result = await run({ argv, cwd: vault }, { stdout: take }, signal);
  if (signal.aborted) throw new VaultError('interrupted', 'Interrupted while counting bytes.');
  if (succeeded(result)) return;
  const why = result.stderr.toString('latin1').split('\n')[0] ?? '';
  throw new VaultError('failed', `Cannot count the bytes of ${vault}/${path}: ${why || describeEnd(result)}`);
}
