import { countAt, type Simulation } from '../expire/simulate.ts';
import { formatLocal } from '../time/local.ts';
import { dayNumber, dayOf, localTime, momentOf } from '../time/zone.ts';
import { branchLabel } from './run.ts';
import { showCounted } from './units.ts';

const WIDTH = 960;
const HEIGHT = 640;
const PLOT = { left: 90, right: 930, top: 70, bottom: 470 };
const COUNTS = { top: 520, bottom: 600 };
const STYLE = `text { font: 13px sans-serif; fill: #333 } .title { font-size: 18px; font-weight: bold }
.grid { stroke: #ddd } .axis { stroke: #888 } .now { stroke: #c33; stroke-dasharray: 4 3 }
.real { stroke: #999 } .gone { stroke: #7aaedb } .there { stroke: #1f6fb2 } .count { fill: #dcebf7; stroke: #1f6fb2 }`;

/**
 * The lives of all images as a picture: from left to right the days to come, from bottom to top the time at which an
 * image was made; a line for each image from when it is made to when it goes, and below how many there are.
 */
export function timelineSvg(simulation: Simulation): string {
  const { lives, from, until, zone } = simulation;
  const first = Math.min(from, ...lives.map(({ born }) => born));
  const x = scale(from, until, PLOT.left, PLOT.right);
  const y = scale(first, until, PLOT.bottom, PLOT.top);
  const thickness = Math.max(0.7, Math.min(4, (0.7 * (PLOT.bottom - PLOT.top)) / Math.max(1, lives.length)));
  const lines = lives
    .filter(({ died }) => died === undefined || died > from)
    .map(({ name, born, died, real }) => {
      const kind = real ? 'real' : died === undefined ? 'there' : 'gone';
      const [start, end] = [x(Math.max(from, born)), x(died ?? until)];
      const title = `${name}${died === undefined ? '' : `, until ${day(died, zone)}`}`;
      return `<line class="${kind}" x1="${start}" x2="${end}" y1="${y(born)}" y2="${y(born)}"><title>${escapeXml(title)}</title></line>`;
    });
  const title = `${branchLabel(simulation)}: ${showCounted(countAt(lives, until), 'image')} on ${day(until, zone)}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}">`,
    `<style>${STYLE}</style><rect width="100%" height="100%" fill="#fff"/>`,
    `<text class="title" x="${PLOT.left}" y="32">${escapeXml(title)}</text>`,
    `<text x="${PLOT.left}" y="54">a line for each image, from when it is made (going up) to when it goes; grey: there already</text>`,
    ...grid(simulation, first, x, y),
    `<g stroke-width="${round(thickness)}">${lines.join('\n')}</g>`,
    ...counts(simulation, x),
    '</svg>\n',
  ].join('\n');
}

type Scale = (value: number) => number;

function scale(from: number, to: number, start: number, end: number): Scale {
  const span = Math.max(1, to - from);
  return (value) => round(start + ((value - from) / span) * (end - start));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function day(time: number, zone: string): string {
  return formatLocal(time, zone).slice(0, 10);
}

/** Lines at the beginnings of months or years, as many as have room for their dates. */
function grid({ from, until, zone }: Simulation, first: number, x: Scale, y: Scale): string[] {
  const parts: string[] = [];
  for (const time of monthsBetween(from, until, zone, 9)) {
    parts.push(
      `<line class="grid" x1="${x(time)}" x2="${x(time)}" y1="${PLOT.top}" y2="${COUNTS.bottom}"/>`,
      `<text x="${x(time)}" y="${COUNTS.bottom + 20}" text-anchor="middle">${day(time, zone)}</text>`,
    );
  }
  for (const time of monthsBetween(first, until, zone, 12)) {
    parts.push(
      `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${y(time)}" y2="${y(time)}"/>`,
      `<text x="${PLOT.left - 8}" y="${y(time) + 4}" text-anchor="end">${day(time, zone)}</text>`,
    );
  }
  parts.push(
    `<line class="axis" x1="${PLOT.left}" x2="${PLOT.left}" y1="${PLOT.top}" y2="${PLOT.bottom}"/>`,
    `<line class="axis" x1="${PLOT.left}" x2="${PLOT.right}" y1="${PLOT.bottom}" y2="${PLOT.bottom}"/>`,
    `<line class="now" x1="${PLOT.left}" x2="${PLOT.right}" y1="${y(from)}" y2="${y(from)}"/>`,
    `<text x="${PLOT.right}" y="${y(from) - 5}" text-anchor="end">now</text>`,
  );
  return parts;
}

function monthsBetween(from: number, until: number, zone: string, most: number): number[] {
  const start = localTime(from, zone);
  const months = Math.ceil((until - from) / (30 * 86_400));
  const step = [1, 2, 3, 6, 12, 24, 60].find((each) => months / each <= most) ?? 120;
  const times: number[] = [];
  for (let month = start.month; ; month += 1) {
    const begin = dayOf(dayNumber({ year: start.year, month, day: 1 }));
    const time = momentOf(begin, { hour: 0, minute: 0, second: 0 }, zone);
    if (time > until) return times;
    const fits = (begin.month - 1) % Math.min(step, 12) === 0 && begin.year % Math.max(1, step / 12) === 0;
    if (time >= from && fits) times.push(time);
  }
}

/** How many images there are, as a stair with an axis from nothing to the most. */
function counts({ lives, from, until }: Simulation, x: Scale): string[] {
  const changes = lives.flatMap(({ born, died }) => [born, ...(died === undefined ? [] : [died])]);
  const times = [...new Set([from, ...changes.filter((time) => time > from && time <= until), until])].sort(
    (a, b) => a - b,
  );
  const values = times.map((time) => countAt(lives, time));
  const most = Math.max(1, ...values);
  const y = scale(0, most, COUNTS.bottom, COUNTS.top);
  const stairs = times.map((time, index) => {
    const value = values[index] ?? 0;
    return `${index === 0 ? '' : `H${x(time)} `}V${y(value)}`;
  });
  return [
    `<path class="count" d="M${x(from)} ${COUNTS.bottom} ${stairs.join(' ')} V${COUNTS.bottom} Z"/>`,
    `<text x="${PLOT.left - 8}" y="${COUNTS.top + 4}" text-anchor="end">${most}</text>`,
    `<text x="${PLOT.left - 8}" y="${COUNTS.bottom + 4}" text-anchor="end">0</text>`,
    `<text x="${PLOT.left}" y="${COUNTS.top - 10}">images</text>`,
  ];
}

function escapeXml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (char) => names[char] ?? char).replace(/[^\P{Cc}\n]/gu, '?');
}
