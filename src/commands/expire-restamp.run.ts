import { loadMaster } from '../config/load.ts';
import { exitCodeOf } from '../errors.ts';
import { observeBanks } from '../expire/observe.execute.ts';
import { readExpiry } from '../expire/image.ts';
import { applyRestamps, findRestamps } from '../expire/restamp.execute.ts';
import type { BranchAddress } from '../model.ts';
import { restampObject, restampText } from '../show/restamp.ts';
import type { CommandResult, Context } from './spec.ts';

/** `expire --restamp`: dates existing images anew by the rules as they are now. Deletes nothing. */
export async function restampImages(
  context: Context,
  only: BranchAddress | undefined,
): Promise<CommandResult> {
  const { settings } = await loadMaster(context.where);
  const { vaults } = await observeBanks(context.where, settings.bank, only);
  const restamps = await findRestamps(vaults, only);
  const zone = settings['time-zone'];
  const isOver = (after: string) => {
    const date = readExpiry(after, zone);
    return date.kind === 'at' && date.time <= context.now;
  };
  for (const restamp of restamps) context.out.json(restampObject(restamp));
  context.out.line(restampText(restamps, ({ after }) => isOver(after), context));
  const unreadable = vaults.flatMap(({ state }) => state.unreadable);
  for (const { vault, directory, message } of unreadable)
    context.log.warn(`${vault}/${directory}: ${message}`);
  if (context.dryRun) context.out.note('Nothing was changed.');
  else await applyRestamps(context.run, restamps, context.signal);
  const moved = restamps.filter(({ before, after }) => before !== after).length;
  return { exitCode: unreadable.length > 0 ? exitCodeOf('partial') : 0, fields: { moved } };
}
