import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** How often memory is looked at. The kernel keeps the high-water mark, so seldom is enough. */
const SAMPLE_MS = 50;

/**
 * Runs a command to its end. Gives seconds of wall time, and peaks of resident memory in bytes: of the process itself
 * (`own`) and of the largest process that it started (`child`). A fixed set of small files in /proc is read for each.
 */
export async function measured(argv, { accept = [0], env = {} } = {}) {
  const [file, ...args] = argv;
  const started = performance.now();
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C', ...env },
  });
  const output = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));
  const peaks = { own: 0, child: 0 };
  const timer = setInterval(() => sample(child.pid, peaks), SAMPLE_MS);
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve(status ?? signal));
  });
  clearInterval(timer);
  const seconds = (performance.now() - started) / 1000;
  if (!accept.includes(code)) {
    throw new Error(
      `${argv.join(' ')} ended with ${code}:\n${Buffer.concat(output).toString().slice(-2000)}`,
    );
  }
  return { seconds, ...peaks };
}

function sample(root, peaks) {
  peaks.own = Math.max(peaks.own, highWater(root));
  const waiting = childrenOf(root);
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    peaks.child = Math.max(peaks.child, highWater(pid));
    waiting.push(...childrenOf(pid));
  }
}

/** Peak resident bytes of a process; 0 when it is gone. */
function highWater(pid) {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

/** Only the main thread starts processes, in Node as in all the others. */
function childrenOf(pid) {
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean);
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Runs a command that must succeed, and gives its output. */
export function must(argv) {
  const [file, ...args] = argv;
  const done = spawnSync(file, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (done.error) throw done.error;
  if (done.status === 0) return done.stdout;
  throw new Error(`${argv.join(' ')} ended with ${done.status}: ${done.stderr}`);
}

/** Seconds that each command takes to start and end, run in turns: `times` each, the median of each. */
export function startTimes(commands, times) {
  const taken = commands.map(() => []);
  for (let turn = 0; turn < times; turn += 1) {
    for (const [index, argv] of commands.entries()) {
      const [file, ...args] = argv;
      const started = performance.now();
      const { status } = spawnSync(file, args, { stdio: 'ignore' });
      taken[index].push((performance.now() - started) / 1000);
      if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}`);
    }
  }
  return taken.map(median);
}

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
