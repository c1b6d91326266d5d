import { field, listField, type Fields } from '../catalog/summary.ts';
import type { Image } from '../model.ts';
import { verdictCell } from './images.ts';
import { branchLabel } from './run.ts';
import { paint, type Layout } from './table.ts';
import { pad, printable } from './text.ts';
import { showAge, showBytes, showCount, showDuration, showTime } from './units.ts';

/** All that is known of one image. */
export function imageText(image: Image, fields: Fields, now: number, zone: string, layout: Layout): string {
  const verdict = verdictCell(image, now);
  const painted = typeof verdict === 'string' ? verdict : paint(verdict.text, verdict.style, layout);
  const rows: (readonly [string, string | undefined])[] = [
    ['image', `${branchLabel(image)}@${image.name}`],
    ['verdict', painted],
    ['status', image.verdict === 'good' ? undefined : printable(image.status)],
    ['completed', completedText(image, now, zone)],
    ['source', printable(`${image.client}:${image.tree}`)],
    ['reference', printable(image.reference ?? '-')],
    ['engine', field(fields, 'Vault-engine') ?? 'dirvish'],
    ['tree', `${image.bank}/${image.vault}/${image.directory}/tree`],
    ['contents', contentsText(image)],
    ['change', changeText(fields)],
    ['expires', printable(image.expire)],
    ['machine', captureText(fields)],
    ['rule', field(fields, 'Expire-rule')],
    [
      'frozen',
      image.frozenUntil === undefined
        ? undefined
        : `nothing of the branch expires before ${showTime(image.frozenUntil, zone)}`,
    ],
  ];
  const lines = rows.flatMap(([key, value]) => (value === undefined ? [] : [`${pad(key, 10)} ${value}`]));
  return [
    ...lines,
    ...section('warnings', listField(fields, 'Vault-warning')),
    ...section('hooks', listField(fields, 'Vault-hook')),
    ...section(missingTitle(fields), listField(fields, 'Vault-missing')),
    ...section('left out by xdev', listField(fields, 'Vault-left-out')),
  ].join('\n');
}

function captureText(fields: Fields): string | undefined {
  const capture = field(fields, 'Vault-capture');
  return capture === undefined
    ? undefined
    : printable(`captured, ${capture}`.replace('captured, failed', 'not captured'));
}

function completedText(image: Image, now: number, zone: string): string {
  if (image.completed === undefined) return '- (the run never ended)';
  const took = image.begun === undefined ? '' : `, took ${showDuration(image.completed - image.begun)}`;
  return `${showTime(image.completed, zone)} (${showAge(image.completed, now)}${took})`;
}

function contentsText(image: Image): string | undefined {
  if (image.files === undefined || image.bytes === undefined) return undefined;
  return `${showCount(image.files)} files, ${showCount(image.directories ?? 0)} directories, ${showBytes(image.bytes)}`;
}

function changeText(fields: Fields): string | undefined {
  const count = (key: string) => Number(field(fields, key) ?? Number.NaN);
  if (Number.isNaN(count('Vault-new'))) return undefined;
  const parts = [
    `${showCount(count('Vault-new'))} new`,
    `${showCount(count('Vault-changed'))} changed`,
    `${showCount(count('Vault-deleted'))} deleted`,
  ];
  return `${parts.join(', ')}; ${showBytes(count('Vault-written'))} written`;
}

function missingTitle(fields: Fields): string {
  const count = field(fields, 'Vault-missing-count');
  return count === undefined ? 'missing' : `missing files (${count}; all of them in rsync_error)`;
}

function section(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${title}:`, ...items.map((item) => `  ${printable(item)}`)];
}
