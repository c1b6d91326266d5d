import { median } from './measure.mjs';

/** What vault aims at: its time as a part of the other's, at most. */
const AIMS = { 'rsync --link-dest': 0.4, dirvish: 0.4, rsnapshot: 1.0 };
const START_AIM = 1.6;
export const MEMORY_AIM = 150 * 1024 ** 2;

/** Medians of all rounds and vault's ratio to each of the others. */
export function summarize(contenders, results) {
  const own = median(results['vault run'].map((each) => each.seconds));
  return contenders.map(({ name, version }) => {
    const rounds = results[name];
    const seconds = median(rounds.map((each) => each.seconds));
    return {
      name,
      version,
      rounds: rounds.map((each) => round(each.seconds, 3)),
      seconds: round(seconds, 3),
      ratio: round(own / seconds, 3),
      aim: AIMS[name],
      ownBytes: Math.max(...rounds.map((each) => each.own)),
      childBytes: Math.max(...rounds.map((each) => each.child)),
    };
  });
}

export function summaryTable(lines) {
  const rows = lines.map((line) => [
    line.name,
    line.version.replace(/^vault /, ''),
    `${line.seconds.toFixed(2)} s`,
    line.rounds.map((each) => each.toFixed(2)).join(' '),
    line.aim === undefined ? '' : `${line.ratio.toFixed(2)}`,
    line.aim === undefined ? '' : `≤ ${line.aim.toFixed(2)}${line.ratio <= line.aim ? '' : ' missed'}`,
    mib(line.ownBytes),
    mib(line.childBytes),
  ]);
  const head = ['program', 'version', 'median', 'rounds', 'vault ÷ it', 'aim', 'memory', 'largest child'];
  return table([head, ...rows]);
}

/** `starts`: seconds of node alone, then of each of vault's. */
export function startTable(starts) {
  const [node, ...ours] = starts;
  const rows = ours.map((each) => {
    const ratio = each.seconds / node.seconds;
    const aim = `≤ ${START_AIM}${ratio <= START_AIM ? '' : ' missed'}`;
    return [each.name, ms(each.seconds), ratio.toFixed(2), aim];
  });
  return table([['start-up', 'median', '÷ node', 'aim'], [node.name, ms(node.seconds), '', ''], ...rows]);
}

export function memoryTable(files, measured) {
  const verdict = measured.own <= MEMORY_AIM ? '' : ' missed';
  const row = [files.toLocaleString('en'), `${measured.seconds.toFixed(1)} s`, mib(measured.own)];
  return table([
    ['files, all changed', 'time', "node's memory", 'aim', 'largest child'],
    [...row, `≤ ${mib(MEMORY_AIM)}${verdict}`, mib(measured.child)],
  ]);
}

/** A table in Markdown, with its columns aligned for the eye too. */
function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  const [head, ...body] = rows;
  return [line(head), rule, ...body.map(line)].join('\n');
}

function mib(bytes) {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}

function ms(seconds) {
  return `${(seconds * 1000).toFixed(0)} ms`;
}

function round(value, digits) {
  return Number(value.toFixed(digits));
}
