import type { JsonObject } from '../commands/spec.ts';
import type { DeletionResult, ExpireResult } from '../expire/execute.ts';
import type { ExpirePlan, JudgedImage, Reason } from '../expire/plan.ts';
import { branchLabel } from './run.ts';
import { paint, table, type Cell, type Layout } from './table.ts';
import { printable } from './text.ts';
import { jsonTime, showBytes, showCounted, showDuration, showTime } from './units.ts';

/** What deleting each image of a plan frees, in the order of the plan; undefined where it was not asked for. */
export type FreedBytes = ReadonlyMap<JudgedImage, number>;

/** The zone of each image's times. */
export type ZoneOf = (step: JudgedImage) => string;

export interface PlanView {
  readonly plan: ExpirePlan;
  readonly freed: FreedBytes | undefined;
  readonly zoneOf: ZoneOf;
}

/** Every image with what becomes of it and why, by branch, and a line of totals. */
export function expireText(view: PlanView, layout: Layout): string {
  const { plan } = view;
  const groups = new Map<string, JudgedImage[]>();
  for (const step of plan.steps) {
    const key = groupOf(step);
    groups.set(key, [...(groups.get(key) ?? []), step]);
  }
  const notes = new Map<string, number>();
  const parts = [...groups].map(
    ([label, steps]) =>
      `${paint(printable(label), 'bold', layout)}\n${branchTable(steps, view, notes, layout)}`,
  );
  const legend = [...notes].map(([text, number]) => `[${number}] ${printable(text)}`).join('\n');
  return [...parts, ...(legend === '' ? [] : [legend]), totalText(view)].join('\n\n');
}

function groupOf(step: JudgedImage): string {
  const { bank, vault, image } = step;
  return `${image === undefined ? vault : branchLabel(image)} in ${bank}`;
}

function branchTable(
  steps: readonly JudgedImage[],
  { plan, freed, zoneOf }: PlanView,
  notes: Map<string, number>,
  layout: Layout,
): string {
  const columns = [
    { title: 'IMAGE' },
    { title: 'CREATED' },
    { title: 'VERDICT' },
    { title: plan.mode === 'tree' ? 'TREE' : 'ACTION' },
    ...(freed === undefined ? [] : [{ title: 'FREES', align: 'right' } as const]),
    { title: 'WHY', prose: true },
  ];
  const rows = steps.map((step): Cell[] => {
    const { image, directory, action, reasons } = step;
    const bytes = freed?.get(step);
    return [
      printable(image?.name ?? directory),
      image === undefined ? '-' : showTime(image.completed ?? image.at, zoneOf(step)),
      image === undefined ? 'unreadable' : image.verdict,
      { text: action, style: action === 'keep' ? 'green' : 'yellow' },
      ...(freed === undefined ? [] : [bytes === undefined ? '-' : showBytes(bytes)]),
      printable(whyText(reasons, notes)),
    ];
  });
  return table(columns, rows, layout);
}

/** All reasons in one line; the rules behind them, and where they stand, are numbered below the tables. */
function whyText(reasons: readonly Reason[], notes: Map<string, number>): string {
  let text = '';
  let before: Reason | undefined;
  for (const reason of reasons) {
    const goesOn = before?.code === 'keep' && reason.code === 'keep';
    const own = goesOn ? reason.text.replace(/^keep: /, '') : reason.text;
    text += `${text === '' ? '' : goesOn ? ', ' : '; '}${own}${noteOf(reason, notes)}`;
    before = reason;
  }
  return text;
}

function noteOf({ rule, file, line }: Reason, notes: Map<string, number>): string {
  if (rule === undefined) return '';
  const place = file === undefined ? 'not in the configuration now' : `${file}:${line ?? ''}`;
  const note = `${rule} (${place.replace(/:$/, '')})`;
  if (!notes.has(note)) notes.set(note, notes.size + 1);
  return ` [${notes.get(note)}]`;
}

function totalText({ plan, freed }: PlanView): string {
  const going = plan.steps.filter(({ action }) => action === 'delete');
  const what = plan.mode === 'tree' ? 'tree' : 'image';
  const frees = freed === undefined ? '' : `, which frees ${showBytes(totalFreed(freed))}`;
  const kept = plan.steps.length - going.length;
  const keeps = kept === 0 ? '' : `; ${showCounted(kept, 'image')} to keep`;
  return `${showCounted(going.length, what)} to delete${frees}${keeps}.`;
}

/** What all deletions of a plan free together. */
export function totalFreed(freed: FreedBytes): number {
  return [...freed.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** One image of a plan for programs. */
export function judgedObject(step: JudgedImage, { freed, zoneOf }: PlanView): JsonObject {
  const { bank, vault, directory, image, action, reasons } = step;
  const zone = zoneOf(step);
  const time = (seconds: number | undefined) => (seconds === undefined ? undefined : jsonTime(seconds, zone));
  return {
    type: 'image',
    bank,
    vault,
    branch: image?.branch,
    image: image?.name,
    directory,
    verdict: image?.verdict,
    at: time(image?.at),
    completed: time(image?.completed),
    action,
    reasons,
    freesBytes: freed?.get(step),
  };
}

/** The plan as a whole for programs: its images come one a line after it. */
export function planObject({ plan, freed }: PlanView, zone: string): JsonObject {
  const going = plan.steps.filter(({ action }) => action === 'delete').length;
  return {
    type: 'plan',
    kind: plan.kind,
    createdAt: jsonTime(plan.createdAt, zone),
    mode: plan.mode,
    delete: going,
    keep: plan.steps.length - going,
    freesBytes: freed === undefined ? undefined : totalFreed(freed),
    warnings: plan.warnings,
  };
}

/** What became of one image for programs. */
export function deletionObject(deletion: DeletionResult, view: PlanView): JsonObject {
  const { bank, vault, directory, step, outcome, message } = deletion;
  return {
    type: 'image',
    bank,
    vault,
    branch: step?.image?.branch,
    image: step?.image?.name,
    directory,
    outcome,
    message,
    freesBytes: step === undefined ? undefined : view.freed?.get(step),
  };
}

/** All that was done, in a line or two. */
export function doneText({ deletions, stopped }: ExpireResult, seconds: number): string {
  const count = (outcome: DeletionResult['outcome'], left = false) =>
    deletions.filter((each) => each.outcome === outcome && (each.step === undefined) === left).length;
  const parts = [
    `${showCounted(count('deleted'), 'image')} deleted`,
    ...(count('deleted', true) > 0 ? [`${showCounted(count('deleted', true), 'leftover')} removed`] : []),
    ...(count('changed') > 0 ? [`${count('changed')} kept after all`] : []),
    ...(count('failed') + count('failed', true) > 0
      ? [`${count('failed') + count('failed', true)} failed`]
      : []),
  ];
  if (deletions.length === 0) return 'Nothing to delete.';
  const hidden = count('hidden') + count('hidden', true);
  const rest = stopped
    ? `\nThe budget is used up: ${showCounted(hidden, 'image')} are out of sight, and their files go next time.`
    : '';
  return `${parts.join(', ')} in ${showDuration(seconds)}.${rest}`;
}
