import type { JsonObject } from '../commands/spec.ts';
import type { Restamp } from '../expire/restamp.ts';
import { branchLabel } from './run.ts';
import { table, type Cell, type Layout } from './table.ts';
import { printable } from './text.ts';
import { showCounted } from './units.ts';

/** The dates that move, with those that don't only counted. */
export function restampText(
  restamps: readonly Restamp[],
  now: (restamp: Restamp) => boolean,
  layout: Layout,
): string {
  const moving = restamps.filter(({ before, after }) => before !== after);
  if (moving.length === 0) return 'No date moves.';
  const columns = [{ title: 'IMAGE' }, { title: 'EXPIRED' }, { title: 'EXPIRES NOW', prose: true }] as const;
  const rows = moving.map((restamp): Cell[] => {
    const { image, before, after } = restamp;
    const over = now(restamp) ? ' (at once)' : '';
    const name = printable(`${branchLabel(image)}@${image.name}`);
    return [name, printable(dateOf(before)), `${printable(after)}${over}`];
  });
  return `${table(columns, rows, layout)}\n\n${showCounted(moving.length, 'date')} of expiry ${moving.length === 1 ? 'moves' : 'move'}.`;
}

/** What stands behind the `==`: the date itself. */
function dateOf(expire: string): string {
  return expire.replace(/^.*== */, '');
}

/** One image whose date moves, for programs. */
export function restampObject({ image, before, after, from, expiry }: Restamp): JsonObject {
  const { bank, vault, branch, name, pinned } = image;
  return { type: 'image', bank, vault, branch, image: name, pinned, before, after, from, rule: expiry.rule };
}
