import type { Settings } from '../config/options.ts';
import { outcomeText, type HookOutcome } from '../hook/outcome.ts';
import { STAGES } from '../hook/plan.ts';
import { printable } from './text.ts';
import { showDuration } from './units.ts';

/** A line for each hook, and below one that failed what it said last. */
export function hooksText(outcomes: readonly HookOutcome[]): string[] {
  return outcomes.flatMap((outcome) => {
    const took = outcome.kind === 'skipped' ? '' : ` (${showDuration(outcome.seconds)})`;
    const head = `  hook ${printable(outcome.label)}: ${printable(outcomeText(outcome))}${took}`;
    if (outcome.kind === 'ok' || outcome.kind === 'skipped') return [head];
    return [head, ...outcome.lastLines.map((line) => `    ${printable(line)}`)];
  });
}

/** What a dry run tells of the hooks that it does not run. */
export function plannedHooks(settings: Settings): string[] {
  const directory = settings['hooks-dir'];
  const all = directory === undefined ? [] : [`  hooks of ${printable(directory)} would be run`];
  const own = STAGES.flatMap((stage) => {
    const command = settings[stage];
    return command === undefined ? [] : [`  hook ${stage}: ${printable(command)}`];
  });
  return [...all, ...own];
}

/** The hooks that failed, for a table: `hook post-client: failed 3`. */
export function failedHooks(outcomes: readonly HookOutcome[]): string[] {
  return outcomes
    .filter((outcome) => outcome.kind !== 'ok' && outcome.kind !== 'skipped')
    .map((outcome) => `hook ${outcome.label}: ${outcomeText(outcome)}`);
}

/** The same for programs. */
export function hookObjects(outcomes: readonly HookOutcome[]) {
  return outcomes.map(({ stage, label, kind, code, reason, seconds }) => ({
    stage,
    hook: label,
    outcome: kind,
    ...(code === undefined ? {} : { code }),
    ...(reason === undefined ? {} : { reason }),
    seconds,
  }));
}
