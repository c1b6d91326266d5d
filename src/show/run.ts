import type { JsonObject } from '../commands/spec.ts';
import type { Rehearsal } from '../image/attempt.execute.ts';
import type { Finding } from '../image/judge.ts';
import type { MadeImage } from '../image/make.execute.ts';
import type { ImagePlan } from '../image/plan.ts';
import { bytesToFetch, bytesToWrite, type Tally } from '../image/tally.ts';
import { hookObjects, hooksText, plannedHooks } from './hook.ts';
import { showPath } from './path.ts';
import { printable } from './text.ts';
import { jsonTime, showBytes, showCount, showCounted, showDuration } from './units.ts';

/** `laptop-root` or `laptop-root:weekly`. */
export function branchLabel(place: { readonly vault: string; readonly branch: string }): string {
  return place.branch === 'default' ? place.vault : `${place.vault}:${place.branch}`;
}

/** A finding of the judge in one line, with its figures. */
export function findingText(finding: Finding): string {
  const figures = [
    ...(finding.files === undefined ? [] : [showCounted(finding.files, 'file')]),
    ...(finding.bytes === undefined ? [] : [showBytes(finding.bytes)]),
  ];
  return `${finding.message}${figures.length > 0 ? ` (${figures.join(', ')})` : ''}`;
}

function tallyText(tally: Tally): string {
  const parts = [
    `${showCount(tally.newFiles + tally.newOther)} new`,
    `${showCount(tally.changedFiles + tally.attributeFiles + tally.changedOther)} changed`,
    `${showCount(tally.deletedFiles)} deleted`,
  ];
  return `${parts.join(', ')}; ${showBytes(bytesToWrite(tally))}`;
}

/** What became of a run, in a few lines. */
export function madeText(result: MadeImage): string {
  const { plan, made, completion } = result;
  const seconds = completion.completed - completion.begun;
  const name = printable(`${branchLabel(plan)}@${plan.name}`);
  const against = plan.reference === undefined ? 'first image' : `against ${plan.reference.name}`;
  const total =
    made.totals === undefined ? '' : ` of ${showCounted(made.totals.entries, 'entry', 'entries')}`;
  const lines = [
    `${name}: ${completion.verdict} in ${showDuration(seconds)} (${plan.engine.engine}, ${against})`,
    `  ${tallyText(made.tally)}${total}`,
    ...made.findings.map((finding) => `  ${finding.level}: ${findingText(finding)}`),
    ...made.warnings.map((warning) => `  warning: ${printable(warning)}`),
    ...hooksText(completion.hooks),
    ...made.missing.slice(0, 10).map((path) => `  missing: ${printable(path)}`),
  ];
  if (made.missing.length > 10)
    lines.push(`  … and ${showCount(made.missing.length - 10)} more: see rsync_error`);
  if (completion.verdict === 'held') {
    lines.push(`  Held: no reference, and nothing of its branch expires. If the change was meant:`);
    lines.push(`  vault accept ${name}`);
  }
  return lines.join('\n');
}

/** The same for programs. */
export function madeObject(result: MadeImage, zone: string): JsonObject {
  const { plan, made, completion } = result;
  return {
    type: 'image',
    ...planFields(plan),
    verdict: completion.verdict,
    begun: jsonTime(completion.begun, zone),
    completed: jsonTime(completion.completed, zone),
    seconds: completion.completed - completion.begun,
    expire: plan.expire,
    ...tallyFields(made.tally),
    findings: made.findings,
    warnings: made.warnings,
    hooks: hookObjects(completion.hooks),
    missing: made.missing,
  };
}

function planFields(plan: ImagePlan) {
  return {
    bank: plan.bank,
    vault: plan.vault,
    branch: plan.branch,
    image: plan.name,
    client: plan.client,
    reference: plan.reference?.name,
    engine: plan.engine.engine,
    engineReason: plan.engine.reason,
  };
}

function tallyFields(tally: Tally) {
  const { largest: _, ...counts } = tally;
  return { ...counts, bytesToWrite: bytesToWrite(tally), bytesToFetch: bytesToFetch(tally) };
}

/** What a dry run found. */
export function rehearsalText({ plan, listing, judgement }: Rehearsal): string {
  const against = plan.reference === undefined ? 'a first image' : `against ${plan.reference.name}`;
  const { tally } = listing;
  const lines = [
    `${printable(`${branchLabel(plan)}@${plan.name}`)}: would be made with ${plan.engine.engine}, ${against}`,
    `  ${tallyText(tally)}`,
    `  needs up to ${showBytes(judgement.needBytes)} and ${showCounted(judgement.needInodes, 'inode')}`,
  ];
  if (tally.attributeFiles > 0) {
    lines.push(
      `  ${showCounted(tally.attributeFiles, 'file')} copied again only for owner, mode, times or attributes`,
    );
  }
  lines.push(...plannedHooks(plan.settings));
  for (const note of plan.notes) lines.push(`  note: ${printable(note)}`);
  for (const message of listing.messages.slice(0, 5)) lines.push(`  rsync: ${printable(message)}`);
  if (tally.largest.length > 0) lines.push('  largest new or changed files:');
  for (const { path, size } of tally.largest)
    lines.push(`    ${showBytes(size).padStart(8)}  ${showPath(path)}`);
  for (const finding of judgement.findings) lines.push(`  ${finding.level}: ${findingText(finding)}`);
  const verdict = { allow: 'good', warn: 'good, with a warning', hold: 'held', refuse: 'refused' };
  lines.push(`  verdict: ${verdict[judgement.verdict]}. Nothing was written.`);
  return lines.join('\n');
}

/** The same for programs. */
export function rehearsalObject({ plan, listing, judgement }: Rehearsal): JsonObject {
  const largest = listing.tally.largest.map(({ path, size }) => ({ path: showPath(path), size }));
  return {
    type: 'plan',
    ...planFields(plan),
    ...tallyFields(listing.tally),
    largest,
    verdict: judgement.verdict,
    findings: judgement.findings,
    needBytes: judgement.needBytes,
    needInodes: judgement.needInodes,
    notes: plan.notes,
  };
}
