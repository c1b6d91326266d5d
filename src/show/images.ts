import type { JsonObject } from '../commands/spec.ts';
import type { Image, UnreadableImage, Verdict } from '../model.ts';
import { branchLabel } from './run.ts';
import { table, type Cell, type Column, type Layout, type Style } from './table.ts';
import { printable } from './text.ts';
import { jsonTime, showAge, showBytes, showCount, showTime } from './units.ts';

const STYLES: Record<Verdict, Style> = {
  good: 'green',
  held: 'yellow',
  partial: 'yellow',
  failed: 'red',
  incomplete: 'red',
};

/** A verdict as a table's cell; what freezes or keeps an image stands with it. */
export function verdictCell(image: Image, now: number): Cell {
  const frozen = image.frozenUntil !== undefined && image.frozenUntil > now ? ', frozen' : '';
  if (!image.hasTree) return { text: `${image.verdict}, tree expired`, style: 'dim' };
  const text = `${image.verdict}${image.warnings > 0 ? ', warnings' : ''}${frozen}${image.pinned ? ', pinned' : ''}`;
  return { text, style: STYLES[image.verdict] };
}

/** The images of one vault, oldest first; with their branches only where there are others than the default one. */
export function imageTable(
  images: readonly Image[],
  unreadable: readonly UnreadableImage[],
  now: number,
  zone: string,
  layout: Layout,
): string {
  const hasBranches = images.some((image) => image.branch !== 'default');
  const columns: readonly Column[] = [
    { title: 'IMAGE' },
    ...(hasBranches ? [{ title: 'BRANCH' }] : []),
    { title: 'COMPLETED' },
    { title: 'VERDICT' },
    { title: 'FILES', align: 'right' },
    { title: 'SIZE', align: 'right' },
    { title: 'EXPIRES' },
  ];
  const rows = images.map((image) => [
    printable(image.name),
    ...(hasBranches ? [printable(image.branch)] : []),
    image.completed === undefined ? '-' : showTime(image.completed, zone),
    verdictCell(image, now),
    image.files === undefined ? '-' : showCount(image.files),
    image.bytes === undefined ? '-' : showBytes(image.bytes),
    printable(expiryDate(image)),
  ]);
  const others = unreadable.map(({ directory }): Cell[] => [
    printable(directory),
    ...(hasBranches ? ['-'] : []),
    '-',
    { text: 'unreadable', style: 'red' },
    '-',
    '-',
    '-',
  ]);
  return table(columns, [...rows, ...others], layout);
}

/** What can't be read, a line each with the reason. */
export function unreadableText(unreadable: readonly UnreadableImage[]): string {
  return unreadable
    .map(({ vault, directory, message }) => printable(`${vault}: ${directory} is unreadable: ${message}`))
    .join('\n');
}

/** The same for programs. */
export function unreadableObject(image: UnreadableImage): JsonObject {
  return { type: 'image', ...image, verdict: 'unreadable' };
}

/** The date after the `==` of an `Expire:`, or `never`. */
function expiryDate(image: Image): string {
  if (/never/i.test(image.expire)) return 'never';
  return image.expire.replace(/^.*== */, '').replace(/:\d\d$/, '');
}

/** One line a branch: its newest good image, and what there is beside good ones. */
export interface BranchLine {
  readonly bank: string;
  readonly vault: string;
  readonly branch: string;
  readonly client: string;
  readonly tree: string;
  readonly images: number;
  readonly newest: Image | undefined;
}

/** All branches of all vaults. */
export function branchTable(lines: readonly BranchLine[], now: number, zone: string, layout: Layout): string {
  const columns = [
    { title: 'VAULT' },
    { title: 'IMAGES', align: 'right' },
    { title: 'NEWEST GOOD' },
    { title: 'AGE' },
    { title: 'SOURCE', prose: true },
  ] as const;
  const rows = lines.map((line) => [
    printable(branchLabel(line)),
    showCount(line.images),
    line.newest?.completed === undefined ? '-' : showTime(line.newest.completed, zone),
    line.newest?.completed === undefined ? '-' : showAge(line.newest.completed, now),
    printable(`${line.client}:${line.tree}`),
  ]);
  return table(columns, rows, layout);
}

/** One image for programs. */
export function imageObject(image: Image, zone: string): JsonObject {
  const time = (seconds: number | undefined) => (seconds === undefined ? undefined : jsonTime(seconds, zone));
  return {
    type: 'image',
    ...image,
    begun: time(image.begun),
    completed: time(image.completed),
    frozenUntil: time(image.frozenUntil),
  };
}
