import { checkAll } from '../config/check.ts';
import { VaultError } from '../errors.ts';
import { checkObjects, checkText } from '../show/config.ts';
import type { CommandRun } from './spec.ts';

export const run: CommandRun = async ({ where, out }) => {
  const checked = await checkAll(where);
  out.line(checkText(checked));
  for (const object of checkObjects(checked)) out.json(object);
  const { problems, kinds } = checked;
  if (problems.length === 0) return 0;
  const count = problems.length === 1 ? 'is 1 problem' : `are ${problems.length} problems`;
  throw new VaultError(
    kinds.includes('config') ? 'config' : 'refused',
    `There ${count} in the configuration.`,
    {
      problems,
    },
  );
};
