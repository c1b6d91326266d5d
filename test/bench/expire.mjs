import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { measured, median, must } from './measure.mjs';
import { generateTree } from './tree.mjs';

/** Images that have expired, and one that has not. */
const IMAGES = 20;
const PAST = '+15 days == 2020-01-31 22:00:00';
const AHEAD = '+90 years == 2090-01-31 22:00:00';
const POLL_MS = 5;
const OWN_ETC =
  'mkdir -p /etc/dirvish && mount -t tmpfs tmpfs /etc/dirvish && cp "$1" /etc/dirvish/master.conf && exec dirvish-expire';

/** Room for the files once, and for the directories of all images of both programs. */
export function expireBytes(files) {
  return 1024 ** 3 + files * 20 * 1024;
}

/**
 * Times dirvish-expire and vault expire in turns, each deleting twenty images whose files are hard links of those of one
 * that stays. What each leaves to be written is synced within its time.
 */
export async function benchExpire(ground, options, program, say) {
  const seed = `${ground}/seed`;
  mkdirSync(seed);
  say(`making ${options.files.toLocaleString('en')} files`);
  generateTree(seed, options.files);
  const contenders = [
    { name: 'dirvish-expire', argv: dirvishArgv(ground) },
    { name: 'vault expire', argv: vaultArgv(ground, program) },
  ];
  const taken = Object.fromEntries(contenders.map(({ name }) => [name, []]));
  const hidden = Object.fromEntries(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const contender of round % 2 === 1 ? contenders : contenders.toReversed()) {
      const vault = makeImages(ground, seed);
      must(['sync', '-f', ground]);
      const found = await timed(contender.argv, vault, ground);
      taken[contender.name].push(found.seconds);
      hidden[contender.name].push(found.gone);
      say(
        `round ${round}: ${contender.name}: ${found.seconds.toFixed(2)} s, unlisted after ${found.gone.toFixed(2)} s`,
      );
      rmSync(`${ground}/bank`, { recursive: true });
    }
  }
  const lines = contenders.map(({ name }) => ({
    name,
    seconds: median(taken[name]),
    unlistedAfter: median(hidden[name]),
    ratio: median(taken[name]) / median(taken['dirvish-expire']),
  }));
  process.stdout.write(`\n${expireTable(lines)}\n\n`);
  return { expire: lines };
}

function dirvishArgv(ground) {
  // Neither is nice, so that a busy machine slows both alike.
  writeFileSync(`${ground}/master.conf`, `bank:\n\t${ground}/bank\nnice: 0\n`, { mode: 0o600 });
  return ['unshare', '--mount', 'sh', '-c', OWN_ETC, 'sh', `${ground}/master.conf`];
}

function vaultArgv(ground, program) {
  const where = ['--config', `${ground}/master.conf`, '--state-dir', `${ground}/state`];
  return [process.execPath, program, ...where, 'expire', '--time', 'now'];
}

function makeImages(ground, seed) {
  const vault = `${ground}/bank/v`;
  mkdirSync(`${vault}/dirvish`, { recursive: true });
  writeFileSync(`${vault}/dirvish/default.conf`, `client: ${hostname()}\ntree: ${seed}\n`, { mode: 0o600 });
  must(['chmod', '-R', 'go-rwx', `${ground}/bank`]);
  for (let image = 0; image <= IMAGES; image += 1) {
    const name = `image${String(image).padStart(2, '0')}`;
    mkdirSync(`${vault}/${name}`);
    must(['cp', '-al', seed, `${vault}/${name}/tree`]);
    const day = `2020-01-${String(image + 1).padStart(2, '0')} 22:00:00`;
    const expire = image === IMAGES ? AHEAD : PAST;
    const fields = {
      vault: 'v',
      branch: 'default',
      Image: name,
      Expire: expire,
      'Backup-complete': day,
      Status: 'success',
    };
    const text = Object.entries(fields).map(([key, value]) => `${key}: ${value}\n`);
    writeFileSync(`${vault}/${name}/summary`, text.join(''));
  }
  rmSync(`${ground}/state`, { recursive: true, force: true });
  return vault;
}

/** Wall time with all written, and the time until no image that went is listed any more. */
async function timed(argv, vault, ground) {
  const started = performance.now();
  let gone;
  const isListed = (name) => name.startsWith('image') && name !== `image${IMAGES}`;
  const timer = setInterval(() => {
    if (gone === undefined && !readdirSync(vault).some(isListed)) gone = (performance.now() - started) / 1000;
  }, POLL_MS);
  const { seconds } = await measured(argv);
  clearInterval(timer);
  const left = readdirSync(vault).filter((name) => name !== 'dirvish');
  if (left.join() !== `image${IMAGES}`) throw new Error(`${argv.join(' ')} left ${left.join(', ')}`);
  const { seconds: syncing } = await measured(['sync', '-f', ground]);
  return { seconds: seconds + syncing, gone: gone ?? seconds };
}

function expireTable(lines) {
  const rows = [
    ['', 'seconds', 'ratio', 'unlisted after'],
    ...lines.map(({ name, seconds, ratio, unlistedAfter }) => [
      name,
      seconds.toFixed(2),
      ratio.toFixed(2),
      `${unlistedAfter.toFixed(2)} s`,
    ]),
  ];
  return rows
    .map(([name, ...figures]) => `${name.padEnd(16)}${figures.map((each) => each.padStart(16)).join('')}`)
    .join('\n');
}
