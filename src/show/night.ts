import type { JsonObject } from '../commands/spec.ts';
import { exitCodeOf, kindOf, messageOf, VaultError, worstExitCode } from '../errors.ts';
import { hasFailed } from '../hook/outcome.ts';
import type { NightExpiry } from '../night/expire.execute.ts';
import type { NightEntry, NightResult } from '../night/execute.ts';
import { bytesToWrite, filesToWrite } from '../image/tally.ts';
import type { Image } from '../model.ts';
import { failedHooks, hookObjects } from './hook.ts';
import { table, type Cell, type Layout } from './table.ts';
import { printable } from './text.ts';
import { showAge, showBytes, showCount, showCounted, showDuration } from './units.ts';

/** The exit code of one result. */
export function resultCode(result: NightResult): number {
  if (result.kind === 'failed') return exitCodeOf(kindOf(result.error));
  if (result.kind !== 'made') return 0;
  const { verdict, hooks } = result.made.completion;
  const codes = verdict === 'good' ? [] : [exitCodeOf(verdict)];
  if (result.made.made.held) codes.push(exitCodeOf('held'));
  if (hasFailed(hooks)) codes.push(exitCodeOf('hook'));
  return worstExitCode(codes);
}

/** The last table of a night: what expired first, then all results in the order they ended. */
export function nightTable(
  results: readonly NightResult[],
  expiry: NightExpiry | undefined,
  layout: Layout,
): string {
  const columns = [
    { title: 'VAULT' },
    { title: 'RESULT' },
    { title: 'TIME', align: 'right' },
    { title: 'FILES', align: 'right' },
    { title: 'WRITTEN', align: 'right' },
    { title: 'IMAGE', prose: true },
  ] as const;
  const first = expiry === undefined ? [] : [expiryRow(expiry)];
  return table(columns, [...first, ...results.map(row)], layout);
}

function expiryRow({ deleted, planned, troubles, exitCode, seconds, dryRun }: NightExpiry): Cell[] {
  const done = dryRun
    ? `dry run: ${showCounted(planned, 'image')} to delete`
    : `${showCounted(deleted, 'image')} deleted`;
  return [
    '(expire first)',
    exitCode === 0 ? { text: 'done', style: 'green' } : { text: 'trouble', style: 'red' },
    showDuration(seconds),
    '-',
    '-',
    printable([done, ...troubles].join('; ')),
  ];
}

function row(result: NightResult): Cell[] {
  const head = (text: string, style: 'green' | 'yellow' | 'red'): Cell[] => [
    printable(result.label),
    { text, style },
    showDuration(result.seconds),
  ];
  if (result.kind === 'absent') return [...head('absent', 'yellow'), '-', '-', printable(result.message)];
  if (result.kind === 'failed') {
    const { error } = result;
    const kind = error instanceof VaultError ? error.kind : 'bug';
    return [...head(kind, 'red'), '-', '-', printable(messageOf(error))];
  }
  const tally = result.kind === 'made' ? result.made.made.tally : result.rehearsal.listing.tally;
  const figures = [showCount(filesToWrite(tally)), showBytes(bytesToWrite(tally))];
  if (result.kind === 'rehearsed') {
    const { verdict } = result.rehearsal.judgement;
    return [
      ...head(verdict, verdict === 'allow' ? 'green' : 'yellow'),
      ...figures,
      'dry run: nothing written',
    ];
  }
  const { verdict } = result.made.completion;
  const warnings = [...result.made.made.warnings, ...failedHooks(result.made.completion.hooks)];
  const note = warnings.length > 0 ? ` (${warnings.join('; ')})` : '';
  return [
    ...head(verdict, verdict === 'good' ? 'green' : 'yellow'),
    ...figures,
    printable(`${result.made.plan.name}${note}`),
  ];
}

/** One result for programs. */
export function nightObject(result: NightResult): JsonObject {
  const common = { type: 'vault', vault: result.label, seconds: Math.round(result.seconds * 10) / 10 };
  if (result.kind === 'absent') return { ...common, result: 'absent', message: result.message, exitCode: 0 };
  if (result.kind === 'failed') {
    const kind = kindOf(result.error);
    return { ...common, result: kind, message: messageOf(result.error), exitCode: exitCodeOf(kind) };
  }
  if (result.kind === 'rehearsed') {
    return { ...common, result: result.rehearsal.judgement.verdict, exitCode: 0 };
  }
  return {
    ...common,
    result: result.made.completion.verdict,
    image: result.made.plan.name,
    hooks: hookObjects(result.made.completion.hooks),
    exitCode: resultCode(result),
  };
}

/** What expired before the night's runs, for programs. */
export function expiryObject({ seconds, ...rest }: NightExpiry): JsonObject {
  return { type: 'plan', kind: 'expire', seconds: Math.round(seconds * 10) / 10, ...rest };
}

/** What `runall --next` shows: each entry with the age of its newest good image. */
export function nextTable(
  entries: readonly { readonly entry: NightEntry; readonly newest: Image | undefined }[],
  now: number,
  layout: Layout,
): string {
  const columns = [{ title: 'VAULT' }, { title: 'NEWEST GOOD' }, { title: 'SOURCE', prose: true }] as const;
  const rows = entries.map(({ entry, newest }): Cell[] => {
    if ('error' in entry)
      return [
        printable(entry.label),
        { text: entry.error.kind, style: 'red' },
        printable(entry.error.message),
      ];
    const { client, tree } = entry.loaded.settings;
    const age = newest?.completed === undefined ? 'none: a first image' : showAge(newest.completed, now);
    return [printable(entry.label), age, printable(`${client}:${tree}`)];
  });
  return table(columns, rows, layout);
}
