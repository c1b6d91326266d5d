import type { Out, Progress, ProgressTotals } from '../commands/spec.ts';
import {
  phaseLine,
  phaseObject,
  progressLines,
  progressObject,
  type PhaseState,
  type Sample,
} from './progress-line.ts';

/** Bars on a terminal, plain lines elsewhere, objects for programs, or nothing at all. */
export type ProgressMode = 'bars' | 'lines' | 'json' | 'none';

export interface ProgressSettings {
  readonly mode: ProgressMode;
  readonly out: Pick<Out, 'note' | 'json'>;
  /** Replaces the lines at the bottom of the terminal. */
  readonly pin: (lines: readonly string[]) => void;
  /** The width of the terminal at this moment. */
  readonly columns: () => number;
  /** Seconds on a steady clock. */
  readonly clock: () => number;
}

/** One vault that is running. */
interface Running {
  readonly label: string;
  phase: string;
  totals: ProgressTotals;
  files: number;
  bytes: number;
  samples: Sample[];
}

const BARS_EVERY_MS = 200;
const JSON_EVERY_MS = 5_000;
/** The speed is that of the last seconds. */
const WINDOW = 10;

/** Shows what is going on. Its timer runs only while a vault does, and never keeps the program alive. */
export function createProgress(settings: ProgressSettings): Progress {
  const running = new Set<Running>();
  let timer: NodeJS.Timeout | undefined;
  const tick = () => {
    for (const each of running) sample(each, settings.clock());
    if (settings.mode === 'bars') settings.pin(progressLines(withPhase(running), settings.columns()));
    if (settings.mode === 'json')
      withPhase(running).forEach((state) => settings.out.json(progressObject(state)));
  };
  const every =
    settings.mode === 'bars' ? BARS_EVERY_MS : settings.mode === 'json' ? JSON_EVERY_MS : undefined;
  return {
    start: (label) => {
      const task: Running = { label, phase: '', totals: {}, files: 0, bytes: 0, samples: [] };
      running.add(task);
      if (every !== undefined) timer ??= setInterval(tick, every).unref();
      return {
        phase: (name, totals = {}) => {
          Object.assign(task, { phase: name, totals, files: 0, bytes: 0, samples: [] });
          sample(task, settings.clock());
          if (settings.mode === 'bars') tick();
          if (settings.mode === 'lines') settings.out.note(phaseLine(label, name, totals));
          if (settings.mode === 'json') settings.out.json(phaseObject(label, name, totals));
        },
        update: (files, bytes) => {
          task.files = files;
          task.bytes = bytes;
        },
        end: () => {
          running.delete(task);
          if (running.size === 0) {
            clearInterval(timer);
            timer = undefined;
          }
          if (settings.mode === 'bars') tick();
        },
      };
    },
  };
}

function sample(task: Running, at: number): void {
  task.samples = [
    ...task.samples.filter((each) => at - each.at <= WINDOW),
    { at, files: task.files, bytes: task.bytes },
  ];
}

function withPhase(running: ReadonlySet<Running>): PhaseState[] {
  return [...running].filter((each) => each.phase !== '');
}
