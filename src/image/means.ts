import type { Log, ProgressTask, Where } from '../commands/spec.ts';
import type { Command, Run } from '../exec/command.ts';
import type { Opened } from '../exec/opened.ts';

/** What making an image may use of the world. */
export interface MakeWorld {
  readonly run: Run;
  readonly signal: AbortSignal;
  readonly where: Where;
  /** The machine's own zone, for `time-zone: system`. */
  readonly systemZone: string;
  readonly progress: ProgressTask;
  readonly log: Log;
}

/** What the steps of making an image work with. A type only: the effects are in the steps. */
export interface Means {
  readonly run: Run;
  readonly signal: AbortSignal;
  /** The vault's directory, locked and held open. */
  readonly vault: Opened;
  /** Descriptors of the locks, which children inherit: a killed `vault` must not unlock what they still write. */
  readonly lockFds: readonly number[];
  readonly nice: boolean;
  readonly progress: ProgressTask;
  readonly log: Log;
}

/** A child of a run: dies with vault, holds its locks, is nice, works in the open vault. */
export function inVault(means: Means, argv: readonly string[], subdirectory = '.'): Command {
  const polite = means.nice ? ['nice', '-n', '10', 'ionice', '-c', '2', '-n', '7'] : [];
  return {
    argv: ['setpriv', '--pdeathsig', 'KILL', ...polite, ...argv],
    cwd: means.vault.at(subdirectory),
    inheritFds: means.lockFds,
  };
}
