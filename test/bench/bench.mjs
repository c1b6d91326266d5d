import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { assertSame, contendersOn } from './contenders.mjs';
import { assertRoom, machine, onGround } from './ground.mjs';
import { measured, must, startTimes } from './measure.mjs';
import { MEMORY_AIM, memoryTable, startTable, summarize, summaryTable } from './report.mjs';
import { benchExpire, expireBytes } from './expire.mjs';
import { generateTree } from './tree.mjs';

const USAGE = `Usage: npm run bench -- [expire] [OPTIONS]

Times rsync --link-dest, dirvish, rsnapshot and vault, interleaved, on a generated tree.
With "expire": dirvish-expire and vault expire, deleting 20 images of it.

  --files N            files in the tree (100000)
  --change-percent P   part of them that changes before each round (1)
  --rounds N           rounds after the first image (3)
  --dir DIR            work there instead of on a new ext4 on a loop device
  --cold               empty the page cache before each image
  --memory             only vault's memory, with all files changed
  --json FILE          also write all figures as JSON
`;
const PROGRAM = process.env['VAULT_PROGRAM'] ?? fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const START_TURNS = 31;
const DROP_CACHES = '/proc/sys/vm/drop_caches';
/** Room for a small file and its inode in the source and in each program's first image, with some for changes. */
const BYTES_A_FILE = 50 * 1024;
const INODES_A_FILE = 8;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    files: { type: 'string', default: '100000' },
    'change-percent': { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    dir: { type: 'string' },
    cold: { type: 'boolean', default: false },
    memory: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const options = {
  ...values,
  files: Number(values.files),
  changePercent: Number(values['change-percent']),
  rounds: Number(values.rounds),
};

if (values.help) process.stdout.write(USAGE);
else await main();

async function main() {
  if (process.getuid() !== 0)
    throw new Error('the bench needs root, for owners, dirvish and the loop device');
  const expiry = positionals[0] === 'expire';
  const bytes = expiry ? expireBytes(options.files) : 512 * 1024 ** 2 + options.files * BYTES_A_FILE;
  assertRoom(options.dir ?? tmpdir(), bytes);
  const ground = onGround({ dir: options.dir, bytes, inodes: 10_000 + options.files * INODES_A_FILE });
  if (ground === undefined) return;
  if (expiry) {
    finish(await benchExpire(ground, options, PROGRAM, say), ground);
    return;
  }
  const source = `${ground}/source`;
  mkdirSync(source);
  say(`making ${options.files.toLocaleString('en')} files`);
  const tree = generateTree(source, options.files, options.memory ? 64 : undefined);
  const found = options.memory ? await memory(ground, source, tree) : await race(ground, source, tree);
  finish(found, ground);
}

/** The figures into a file, if there is to be one, and a line on the machine. */
function finish(found, ground) {
  const figures = { schema: 1, machine: machine(ground), options };
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify({ ...figures, ...found }, null, 2)}\n`);
  }
  const { processors, model, memoryGiB, system, kernel, fileSystem, node } = figures.machine;
  const disk = options.dir === undefined ? 'ext4 on a loop device' : fileSystem;
  say(
    `${processors} processors (${model}), ${memoryGiB} GiB, ${system}, Linux ${kernel}, ${disk}, node ${node}`,
  );
}

/** All programs in turns, each round after a fresh change, each round in another order. */
async function race(ground, source, tree) {
  const contenders = contendersOn(ground, source, PROGRAM);
  const results = Object.fromEntries(contenders.map(({ name }) => [name, []]));
  const first = {};
  for (let round = 0; round <= options.rounds; round += 1) {
    if (round > 0) tree.change(options.changePercent);
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const contender = contenders[(turn + round) % contenders.length];
      const result = await image(contender, contender.image(round), ground);
      say(
        `${round === 0 ? 'first image' : `round ${round}`}: ${contender.name}: ${result.seconds.toFixed(2)} s`,
      );
      if (round === 0) first[contender.name] = result;
      else results[contender.name].push(result);
    }
  }
  for (const contender of contenders) assertSame(source, contender.newest(options.rounds));
  say('every newest image is the source');
  const lines = summarize(contenders, results);
  const starts = startUp();
  process.stdout.write(`\n${summaryTable(lines)}\n\n${startTable(starts)}\n\n`);
  return { first, results: lines, starts };
}

/** vault syncs before an image counts; the others don't, so it is done for them, within their time. */
async function image(contender, argv, ground) {
  must(['sync', '-f', ground]);
  if (options.cold) writeFileSync(DROP_CACHES, '3');
  const made = await measured(argv);
  if (contender.ownSync) return made;
  const { seconds } = await measured(['sync', '-f', ground]);
  return { ...made, seconds: made.seconds + seconds };
}

function startUp() {
  const commands = [
    { name: 'node -e 0', argv: [process.execPath, '-e', '0'] },
    { name: 'vault --version', argv: [process.execPath, PROGRAM, '--version'] },
    { name: 'vault --help', argv: [process.execPath, PROGRAM, '--help'] },
    { name: 'vault run --help', argv: [process.execPath, PROGRAM, 'run', '--help'] },
  ];
  const times = startTimes(
    commands.map(({ argv }) => argv),
    START_TURNS,
  );
  return commands.map(({ name }, index) => ({ name, seconds: times[index] }));
}

/** Every path changes, so every path goes through node. Such an image is held: exit 5. */
async function memory(ground, source, tree) {
  const vault = contendersOn(ground, source, PROGRAM).at(-1);
  say('making the first image');
  const first = await measured(vault.image(0));
  say(`changing every file (the first image took ${first.seconds.toFixed(0)} s)`);
  tree.changeAll();
  must(['sync', '-f', ground]);
  const made = await measured(vault.image(1), { accept: [0, 5] });
  assertSame(source, vault.newest(1));
  process.stdout.write(`\n${memoryTable(options.files, made)}\n\n`);
  if (made.own > MEMORY_AIM) process.exitCode = 1;
  return { first, memory: made };
}

function say(text) {
  process.stdout.write(`${text}\n`);
}
