import { changePin } from './pin.run.ts';
import type { CommandRun } from './spec.ts';

export const run: CommandRun = (context, args) =>
  changePin(context, args.required('VAULT[:BRANCH]@WHEN'), 'unpin');
