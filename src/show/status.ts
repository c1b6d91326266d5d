import type { BranchState, Concern } from '../care/status.ts';
import type { JsonObject } from '../commands/spec.ts';
import { imageObject, verdictCell } from './images.ts';
import { branchLabel } from './run.ts';
import { paint, table, type Cell, type Layout } from './table.ts';
import { printable } from './text.ts';
import { showAge, showCount } from './units.ts';

/** A table of all branches, then all that needs attention. */
export function statusText(
  states: readonly BranchState[],
  concerns: readonly Concern[],
  absentBanks: readonly string[],
  now: number,
  layout: Layout,
): string {
  const columns = [
    { title: 'VAULT' },
    { title: 'IMAGES', align: 'right' },
    { title: 'NEWEST GOOD' },
    { title: 'LAST', prose: true },
  ] as const;
  const rows = states.map((state): Cell[] => {
    const last = state.images.at(-1);
    const newest = state.newestGood?.completed;
    return [
      printable(branchLabel(state)),
      showCount(state.images.length),
      newest === undefined ? { text: 'none', style: 'red' } : showAge(newest, now),
      last === undefined ? '-' : verdictCell(last, now),
    ];
  });
  const lines = states.length === 0 ? [] : [table(columns, rows, layout)];
  const needs = [
    ...absentBanks.map((bank) => `bank ${printable(bank)} is not there: is the disk mounted?`),
    ...concerns.map((concern) => {
      const hint = concern.hint === undefined ? '' : `\n    ${printable(concern.hint)}`;
      return `${branchLabel(concern)}: ${printable(concern.message)}${hint}`;
    }),
  ];
  if (needs.length === 0) return [...lines, paint('All is well.', 'green', layout)].join('\n');
  return [
    ...(lines.length === 0 ? [] : [...lines, '']),
    paint('Needs attention:', 'yellow', layout),
    ...needs.map((need) => `  ${need}`),
  ].join('\n');
}

/** The same for programs. */
export function statusObjects(
  states: readonly BranchState[],
  concerns: readonly Concern[],
  absentBanks: readonly string[],
  zone: string,
): JsonObject[] {
  const vaults = states.map(({ images, newestGood, ...rest }) => ({
    type: 'vault',
    ...rest,
    images: images.length,
    newestGood: newestGood === undefined ? null : imageObject(newestGood, zone),
  }));
  const absent = absentBanks.map((bank) => ({ type: 'warning', code: 'absent', bank }));
  return [...vaults, ...absent, ...concerns.map((concern) => ({ type: 'warning', ...concern }))];
}
