import type { Result } from '../exec/command.ts';
import { CANNOT_ENTER, sideOf, STAGES, type Hook, type Stage } from './plan.ts';

/** How one hook came out. */
export interface HookOutcome {
  readonly stage: Stage;
  readonly label: string;
  readonly kind: 'ok' | 'failed' | 'timed out' | 'interrupted' | 'skipped';
  /** The exit code, where it ended by itself with another than 0. */
  readonly code?: number;
  /** Why it failed otherwise, or was skipped: `killed by SIGKILL`, `pre-client failed`. */
  readonly reason?: string;
  readonly seconds: number;
  /** What it said last, made harmless: for messages. */
  readonly lastLines: readonly string[];
}

/** As the summary names it: `ok`, `failed 3`, `timed out`, `skipped: pre-client failed`. */
export function outcomeText(outcome: HookOutcome): string {
  const { kind, code, reason } = outcome;
  if (code !== undefined) return `${kind} ${code}`;
  return reason === undefined ? kind : `${kind}: ${reason}`;
}

/** Judges the end of a hook. `interrupted`: by the user, or by the end of all the time there is. */
export function judgeHook(
  hook: Hook,
  result: Result,
  interrupted: boolean,
  directory: string,
): Pick<HookOutcome, 'kind' | 'code' | 'reason'> {
  if (result.timedOut) return { kind: 'timed out' };
  if (interrupted) return { kind: 'interrupted' };
  const cannotEnter = { kind: 'failed', reason: `cannot enter ${directory}` } as const;
  if (result.spawnError !== undefined) {
    return result.spawnError === 'ECONNRESET' ? { kind: 'failed', reason: 'connection lost' } : cannotEnter;
  }
  if (result.signal !== null) return { kind: 'failed', reason: `killed by ${result.signal}` };
  if (result.code === 0) return { kind: 'ok' };
  if (result.code === CANNOT_ENTER && sideOf(hook.stage) === 'client') return cannotEnter;
  return { kind: 'failed', code: result.code ?? 255 };
}

/** Whether anything went wrong: a hook that was only skipped is the consequence of another's failure. */
export function hasFailed(outcomes: readonly HookOutcome[]): boolean {
  return outcomes.some((outcome) => outcome.kind !== 'ok' && outcome.kind !== 'skipped');
}

/** The first outcome that stops a run: of a pre hook that is not `ok`. */
export function stoppedBy(outcomes: readonly HookOutcome[]): HookOutcome | undefined {
  return outcomes.find((outcome) => outcome.stage.startsWith('pre-') && outcome.kind !== 'ok');
}

/**
 * Whether a post hook is to be run: if hooks of its side were started before the transfer, whatever came of them,
 * so that nothing stays frozen; and where there were none, if the transfer was begun. Gives why not otherwise.
 */
export function reasonToSkip(
  post: Stage,
  outcomes: readonly HookOutcome[],
  transferred: boolean,
): string | undefined {
  const pre = STAGES[sideOf(post) === 'server' ? 0 : 1];
  const own = outcomes.filter((outcome) => outcome.stage === pre);
  if (own.some((outcome) => outcome.kind !== 'skipped')) return undefined;
  if (own.length === 0 && transferred) return undefined;
  const stopped = stoppedBy(outcomes);
  return stopped === undefined ? 'nothing was transferred' : `${stopped.label} ${stopped.kind}`;
}
