import { parseBranchAddress } from '../address.ts';
import { loadBranch, loadMaster } from '../config/load.ts';
import { configObjects, configText } from '../show/config.ts';
import { problemText } from '../show/error.ts';
import type { CommandRun } from './spec.ts';

export const run: CommandRun = async ({ where, out, log, columns, color }, args) => {
  const address = args.argument('VAULT[:BRANCH]');
  const loaded =
    address === undefined ? await loadMaster(where) : await loadBranch(where, parseBranchAddress(address));
  for (const note of loaded.notes) log.info(problemText(note));
  out.line(configText(loaded, { columns, color }));
  for (const object of configObjects(loaded)) out.json(object);
  return 0;
};
