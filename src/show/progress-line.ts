import type { JsonObject, ProgressTotals } from '../commands/spec.ts';
import { pad, printable, shorten, textWidth } from './text.ts';
import { showBytes, showBytesOf, showCount, showCounted, showRate } from './units.ts';

/** How far a phase had come at some moment (seconds on any steady clock). */
export interface Sample {
  readonly at: number;
  readonly files: number;
  readonly bytes: number;
}

/** A phase of one vault at this moment. `samples` are of the last seconds, oldest first, the last one is now. */
export interface PhaseState {
  readonly label: string;
  readonly phase: string;
  readonly totals: ProgressTotals;
  readonly samples: readonly Sample[];
}

export interface Speed {
  readonly bytesPerSecond: number;
  /** Seconds to the end of the phase, where its totals are known and something moves. */
  readonly eta: number | undefined;
}

const LABEL_AT_MOST = 24;
const GAP = '  ';

/** The lines for all running vaults, in columns, each narrower than `columns` cells. */
export function progressLines(states: readonly PhaseState[], columns: number): string[] {
  const labels = states.map((state) => shorten(printable(state.label), LABEL_AT_MOST));
  const labelWidth = Math.max(0, ...labels.map(textWidth));
  const phaseWidth = Math.max(0, ...states.map((state) => textWidth(state.phase)));
  return states.map((state, at) => {
    const head = pad(labels[at] ?? '', labelWidth) + GAP + pad(state.phase, phaseWidth);
    const parts = fitting(details(state), columns - 1 - textWidth(head));
    return shorten([head, ...parts].join(GAP).trimEnd(), columns - 1);
  });
}

/** One plain line for the beginning of a phase. */
export function phaseLine(label: string, phase: string, totals: ProgressTotals): string {
  const parts = [
    totals.files === undefined ? undefined : showCounted(totals.files, 'file'),
    totals.bytes === undefined ? undefined : showBytes(totals.bytes),
  ].filter((part) => part !== undefined);
  return `${printable(label)}: ${[phase, ...parts].join(', ')}`;
}

/** The object for the beginning of a phase. */
export function phaseObject(label: string, phase: string, totals: ProgressTotals): JsonObject {
  return { type: 'phase', ...nameOf(label), phase, totalFiles: totals.files, totalBytes: totals.bytes };
}

/** The object for how far a phase has come. */
export function progressObject(state: PhaseState): JsonObject {
  const now = state.samples.at(-1);
  const speed = speedOf(state);
  return {
    type: 'progress',
    ...nameOf(state.label),
    phase: state.phase,
    files: now?.files,
    bytes: now?.bytes,
    totalFiles: state.totals.files,
    totalBytes: state.totals.bytes,
    bytesPerSecond: Math.round(speed.bytesPerSecond),
    etaSeconds: speed.eta === undefined ? undefined : Math.ceil(speed.eta),
  };
}

function nameOf(label: string): { readonly vault: string; readonly branch?: string } {
  const [vault = '', branch] = label.split(':');
  return branch === undefined ? { vault } : { vault, branch };
}

/** How quickly it has gone over the samples. */
export function speedOf(state: PhaseState): Speed {
  const first = state.samples[0];
  const last = state.samples.at(-1);
  if (first === undefined || last === undefined || last.at <= first.at)
    return { bytesPerSecond: 0, eta: undefined };
  const seconds = last.at - first.at;
  const bytesPerSecond = (last.bytes - first.bytes) / seconds;
  const filesPerSecond = (last.files - first.files) / seconds;
  const { bytes = 0, files = 0 } = state.totals;
  const left = bytes > 0 ? [bytes - last.bytes, bytesPerSecond] : [files - last.files, filesPerSecond];
  const [amount = 0, rate = 0] = left;
  const known = (bytes > 0 || files > 0) && rate > 0;
  return { bytesPerSecond, eta: known ? Math.max(0, amount) / rate : undefined };
}

/** What fits into a width, in the order to show it; the most important (the lowest rank) is fitted in first. */
function fitting(details: readonly Detail[], room: number): readonly string[] {
  let left = room;
  const chosen = new Set<Detail>();
  for (const detail of details.toSorted((one, other) => one.rank - other.rank)) {
    const width = GAP.length + textWidth(detail.text);
    if (width > left) continue;
    left -= width;
    chosen.add(detail);
  }
  return details.filter((detail) => chosen.has(detail)).map((detail) => detail.text);
}

interface Detail {
  readonly text: string;
  readonly rank: number;
}

function details(state: PhaseState): readonly Detail[] {
  const { files = 0, bytes = 0 } = state.samples.at(-1) ?? {};
  const { bytesPerSecond, eta } = speedOf(state);
  const { files: allFiles = 0, bytes: allBytes = 0 } = state.totals;
  const parts: Detail[] = [];
  if (allFiles > 0) parts.push({ text: `${showCount(files)}/${showCount(allFiles)} files`, rank: 2 });
  else if (files > 0) parts.push({ text: showCounted(files, 'file'), rank: 2 });
  if (allBytes > 0) parts.push({ text: showBytesOf(bytes, allBytes), rank: 0 });
  else if (bytes > 0) parts.push({ text: showBytes(bytes), rank: 0 });
  if (bytesPerSecond > 0) parts.push({ text: showRate(bytesPerSecond), rank: 3 });
  if (eta !== undefined) parts.push({ text: `${shortDuration(eta)} left`, rank: 1 });
  return parts;
}

/** Seconds in few characters: `45s`, `12m`, `2h04m`. */
function shortDuration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)}s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  return `${showCount(Math.floor(minutes / 60))}h${String(minutes % 60).padStart(2, '0')}m`;
}
