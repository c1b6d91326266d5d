import { parseBranchAddress } from '../address.ts';
import { loadBranch, type Overrides } from '../config/load.ts';
import type { ErrorKind } from '../errors.ts';
import { exitCodeOf, worstExitCode } from '../errors.ts';
import { hasFailed } from '../hook/outcome.ts';
import { makeImage, rehearseImage, type MadeImage } from '../image/make.execute.ts';
import { noteRun } from '../image/journal.execute.ts';
import { madeObject, madeText, rehearsalObject, rehearsalText } from '../show/run.ts';
import type { CommandRun, Context, ParsedArgs } from './spec.ts';

export const run: CommandRun = async (context, args) => {
  const address = parseBranchAddress(args.required('VAULT[:BRANCH]'));
  const loaded = await loadBranch(context.where, address, overridesOf(args));
  for (const note of loaded.notes)
    context.log.debug(`${note.file ?? ''}:${note.line ?? ''}: ${note.message}`);
  const label = `${loaded.vault}:${loaded.branch}`.replace(/:default$/, '');
  const progress = context.progress.start(label);
  const world = { ...worldOf(context), progress };
  try {
    if (context.dryRun) {
      const rehearsal = await rehearseImage(world, loaded);
      progress.end();
      context.out.line(rehearsalText(rehearsal));
      context.out.json(rehearsalObject(rehearsal));
      return 0;
    }
    const made = await noteRun(context.where, loaded, () =>
      makeImage(world, loaded, {
        adoptBank: args.flag('adopt-bank'),
        ignoreClock: args.option('image-time') !== undefined,
      }),
    );
    progress.end();
    context.out.note(madeText(made));
    context.out.json(madeObject(made, context.zone));
    return exitOf(made);
  } finally {
    progress.end();
  }
};

/** What makeImage works with, from what a command has. */
export function worldOf(context: Context) {
  const { run: runner, signal, where, zone, log } = context;
  return { run: runner, signal, where, systemZone: zone, log };
}

/** The exit code for a verdict. */
export function exitOf(made: MadeImage): number {
  const kinds: Record<typeof made.completion.verdict, ErrorKind | undefined> = {
    good: undefined,
    partial: 'partial',
    held: 'held',
  };
  const kind = kinds[made.completion.verdict];
  const codes = kind === undefined ? [] : [exitCodeOf(kind)];
  // Partial and suspicious at once: the graver of the two is told.
  if (made.made.held) codes.push(exitCodeOf('held'));
  if (hasFailed(made.completion.hooks)) codes.push(exitCodeOf('hook'));
  return worstExitCode(codes);
}

const VALUES = ['image', 'image-time', 'reference', 'expire', 'lock-wait', 'engine'] as const;
const FLAGS = ['init', 'ignore-space'] as const;

function overridesOf(args: ParsedArgs): Overrides {
  const overrides: Record<string, string | boolean> = {};
  for (const name of VALUES) {
    const value = args.option(name);
    if (value !== undefined) overrides[name] = value;
  }
  for (const name of FLAGS) if (args.flag(name)) overrides[name] = true;
  return overrides;
}
