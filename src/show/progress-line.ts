import type { ProgressTotals } from '../commands/spec.ts';
import { pad, printable, shorten, textWidth } from './text.ts';
import { showBytes, showBytesOf, showCount, showCounted, showDuration, showRate } from './units.ts';

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

const LABEL_AT_MOST = 28;
const GAP = '  ';

/** The lines for all running vaults, in columns, each narrower than `columns` cells. */
export function progressLines(states: readonly PhaseState[], columns: number): string[] {
  const labels = states.map((state) => shorten(printable(state.label), LABEL_AT_MOST));
  const labelWidth = Math.max(0, ...labels.map(textWidth));
  const phaseWidth = Math.max(0, ...states.map((state) => textWidth(state.phase)));
  return states.map((state, at) => {
    let line = pad(labels[at] ?? '', labelWidth) + GAP + pad(state.phase, phaseWidth);
    for (const part of details(state)) {
      if (textWidth(line) + GAP.length + textWidth(part) < columns) line += GAP + part;
    }
    return shorten(line.trimEnd(), columns - 1);
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

function details(state: PhaseState): readonly string[] {
  const { files = 0, bytes = 0 } = state.samples.at(-1) ?? {};
  const { totals } = state;
  const speed = speedOf(state);
  const parts: string[] = [];
  if (totals.files !== undefined && totals.files > 0) {
    parts.push(`${showCount(files)}/${showCount(totals.files)} files`);
  } else if (files > 0) {
    parts.push(showCounted(files, 'file'));
  }
  if (totals.bytes !== undefined && totals.bytes > 0) parts.push(showBytesOf(bytes, totals.bytes));
  else if (bytes > 0) parts.push(showBytes(bytes));
  if (speed.bytesPerSecond > 0) parts.push(showRate(speed.bytesPerSecond));
  if (speed.eta !== undefined) parts.push(`${showDuration(Math.ceil(speed.eta))} left`);
  return parts;
}
