import type { JsonObject } from '../commands/spec.ts';
import { countAt, type Life, type Simulation } from '../expire/simulate.ts';
import { formatLocal } from '../time/local.ts';
import { branchLabel } from './run.ts';
import { printable } from './text.ts';
import { jsonTime, showCounted } from './units.ts';

const ROWS = 24;
const LABEL = '2026-11-25  1234  ';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY = 86_400;

/**
 * Which images there would be on which day, as lines of at most `columns` characters: a day a line, and along it the
 * time at which images were made. A digit counts those of that stretch that are still there, `+` stands for ten or more.
 */
export function timelineText(simulation: Simulation, columns: number): string {
  const { lives, from, until, zone } = simulation;
  const cells = Math.max(20, columns - LABEL.length);
  const first = Math.min(from, ...lives.map(({ born }) => born));
  const width = Math.max(DAY, (until - first) / (cells - 1));
  const cellOf = (time: number) => Math.min(cells - 1, Math.floor((time - first) / width));
  const rows = daysShown(from, until).map((day) => {
    const line = Array.from({ length: cellOf(day) + 1 }, () => 0);
    for (const life of lives)
      if (isThere(life, day)) line[cellOf(life.born)] = (line[cellOf(life.born)] ?? 0) + 1;
    const count = String(countAt(lives, day)).padStart(4);
    return `${dayText(day, zone)}  ${count}  ${line.map(digit).join('')}`;
  });
  const label = `${printable(branchLabel(simulation))} in ${printable(simulation.bank)}`;
  const days = Math.max(1, Math.round(width / DAY));
  return [
    `${label}: ${showCounted(lives.filter(({ real }) => real).length, 'image')} now, ${countAt(lives, until)} on ${dayText(until, zone)}`,
    `Each character is ${showCounted(days, 'day')}: how many images made then are still there (. none, + ten or more).`,
    '',
    `ON          ALL   MADE${axis(first, width, cells, zone).slice(4)}`,
    ...rows,
  ].join('\n');
}

function isThere({ born, died }: Life, time: number): boolean {
  return born <= time && (died === undefined || died > time);
}

function digit(count: number): string {
  return count === 0 ? '.' : count > 9 ? '+' : String(count);
}

function dayText(time: number, zone: string): string {
  return formatLocal(time, zone).slice(0, 10);
}

/** The days that get a line: all of a short time, else evenly spread ones, first and last among them. */
function daysShown(from: number, until: number): number[] {
  const days = Math.max(1, Math.round((until - from) / DAY));
  const rows = Math.min(ROWS, days + 1);
  return Array.from({ length: rows }, (_, row) => from + ((until - from) * row) / Math.max(1, rows - 1));
}

/** The names of months above the cells in which they begin, as far as there is room. */
function axis(first: number, width: number, cells: number, zone: string): string {
  const line = Array.from({ length: cells }, () => ' ');
  let month = '';
  let free = 5;
  for (let cell = 0; cell < cells; cell += 1) {
    const [year = '', number = ''] = dayText(first + cell * width, zone).split('-');
    if (number === month) continue;
    const name =
      number === '01' || month === ''
        ? `${MONTHS[Number(number) - 1]} ${year}`
        : (MONTHS[Number(number) - 1] ?? '');
    const begins = month !== '';
    month = number;
    if (!begins || cell < free || cell + name.length > cells) continue;
    for (const [at, letter] of [...name].entries()) line[cell + at] = letter;
    free = cell + name.length + 1;
  }
  return line.join('').trimEnd();
}

/** The simulation for programs: one object for all, with every image's life. */
export function simulationObject(simulation: Simulation): JsonObject {
  const { bank, vault, branch, zone, from, until, lives } = simulation;
  const time = (seconds: number | undefined) => (seconds === undefined ? undefined : jsonTime(seconds, zone));
  return {
    type: 'plan',
    kind: 'simulation',
    bank,
    vault,
    branch,
    from: time(from),
    until: time(until),
    images: lives.map(({ name, born, died, real }) => ({ name, born: time(born), died: time(died), real })),
  };
}
