import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const USAGE = `Usage: npm run quickstart [-- --tree DIR]

Makes a bank below ./.quickstart/ and two images each of /etc and /usr/share/doc, or of DIR, and shows what came of
it. The trees themselves are not touched: vault backs up copies of them, in which something is changed between the
two images. Run it as often as you like; each time it starts anew.
`;
const PROGRAM = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const HOME = resolve('.quickstart');
/** Only a directory with this file in it is ours to remove. */
const MARK = 'made-by-quickstart';
const NOTE = 'A file that is new since the first image.\n';

const { values } = parseArgs({
  options: { tree: { type: 'string' }, help: { type: 'boolean', default: false } },
});
if (values.help) process.stdout.write(USAGE);
else main(values.tree);

function main(tree) {
  startAnew();
  const trees = tree === undefined ? { etc: '/etc', doc: '/usr/share/doc' } : { [nameFor(tree)]: tree };
  const vaults = Object.entries(trees).flatMap(([name, from]) => copyOf(name, resolve(from)));
  if (vaults.length === 0) fail('There is nothing here that can be read: name a directory with --tree DIR.');

  title('1. A bank, and a vault in it for each tree');
  const bank = join(HOME, 'bank');
  mkdirSync(bank);
  for (const { name, copy } of vaults) {
    vault(['create', name, '--client', 'localhost', '--tree', copy, '--bank', bank]);
  }
  title('2. The first image of each');
  for (const { name } of vaults) vault(['run', name]);

  title('3. Something changes, and the second image of each');
  for (const each of vaults) change(each);
  for (const { name } of vaults) vault(['run', name]);

  title('4. What there is now');
  vault(['list']);
  for (const { name } of vaults) vault(['list', name]);

  title('5. What the second image cost');
  for (const { name } of vaults) say(sharing(name, ...imagesOf(bank, name)));

  title('6. A file as it was, by plain cp');
  const kept = vaults.find(({ changed }) => changed !== undefined);
  if (kept) restore(kept, imagesOf(bank, kept.name)[0]);

  say(closing());
}

/** Removes what an earlier run left, and nothing else. */
function startAnew() {
  if (existsSync(HOME)) {
    if (!existsSync(join(HOME, MARK)) && readdirSync(HOME).length > 0) {
      fail(`${HOME} was not made by this script: move it away.`);
    }
    // Copies of read-only directories let nothing go but for root.
    spawnSync('chmod', ['-R', 'u+rwX', HOME], { stdio: 'ignore' });
    rmSync(HOME, { recursive: true });
  }
  mkdirSync(join(HOME, 'trees'), { recursive: true, mode: 0o700 });
  writeFileSync(join(HOME, MARK), '');
}

function nameFor(tree) {
  const name = basename(resolve(tree)).replace(/[^A-Za-z0-9._+-]/g, '_');
  return /^[A-Za-z0-9_]/.test(name) ? name : `tree${name}`;
}

/** A copy of all of a tree that can be read, and what the vault of it is called; nothing where there is no tree. */
function copyOf(name, from) {
  if (!existsSync(from) || !statSync(from).isDirectory()) {
    say(`There is no directory ${from}: left out.`);
    return [];
  }
  const real = realpathSync(from);
  if (`${HOME}/`.startsWith(real === '/' ? '/' : `${real}/`))
    fail(`${HOME} lies in ${from}: choose another --tree.`);
  const copy = join(HOME, 'trees', name);
  mkdirSync(copy);
  const { status, stderr } = spawnSync('cp', ['-a', '--reflink=auto', '--', `${real}/.`, copy], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 64 * 1024 ** 2,
  });
  const unread = status === 0 ? 0 : stderr.trim().split('\n').length;
  const left = unread === 0 ? '' : ` (${unread} could not be read by this user, and are left out)`;
  const files = filesOf(copy);
  say(`${from}: ${files.length.toLocaleString('en')} files copied to ${shown(copy)}${left}`);
  if (files.length === 0) return [];
  return [{ name, from: real, copy, files }];
}

/** One file grows, one goes, one comes: in the copy. */
function change(vault) {
  const small = vault.files.filter((file) => {
    const found = lstatSync(join(vault.copy, file));
    return found.isFile() && found.size < 65_536;
  });
  const texts = small.filter((file) => isText(join(vault.copy, file)));
  vault.changed = texts.find((file) => file === 'hosts') ?? texts[0];
  const gone = small.findLast((file) => file !== vault.changed);
  const did = [];
  if (vault.changed !== undefined && writable(join(vault.copy, vault.changed))) {
    appendFileSync(join(vault.copy, vault.changed), '# a line more than in the first image\n');
    did.push(`one line more in ${vault.changed}`);
  } else vault.changed = undefined;
  if (gone !== undefined) {
    spawnSync('chmod', ['u+w', '--', join(vault.copy, gone, '..')]);
    rmSync(join(vault.copy, gone));
    did.push(`${gone} deleted`);
  }
  spawnSync('chmod', ['u+w', '--', vault.copy]);
  writeFileSync(join(vault.copy, 'NEW-SINCE-THEN'), NOTE);
  did.push('NEW-SINCE-THEN written');
  say(`${vault.name}: ${did.join(', ')}`);
}

function writable(path) {
  return spawnSync('chmod', ['u+w', '--', path]).status === 0;
}

function isText(path) {
  const content = readFileSync(path);
  return (
    content.length > 0 && content.every((byte) => byte === 9 || byte === 10 || (byte >= 32 && byte < 127))
  );
}

/** The trees of a vault's images, oldest first. */
function imagesOf(bank, name) {
  const place = join(bank, name);
  const images = readdirSync(place).filter((each) => existsSync(join(place, each, 'summary')));
  return images.toSorted().map((image) => ({ image, tree: join(place, image, 'tree') }));
}

/** Counts inodes: a file that both images have under one inode is on the disk once. */
function sharing(name, first, second) {
  const before = new Map(filesOf(first.tree).map((file) => [file, lstatSync(join(first.tree, file)).ino]));
  let shared = 0;
  let bytes = 0;
  let own = 0;
  let ownBytes = 0;
  for (const file of filesOf(second.tree)) {
    const { ino, size } = lstatSync(join(second.tree, file));
    if (before.get(file) === ino) {
      shared += 1;
      bytes += size;
    } else {
      own += 1;
      ownBytes += size;
    }
  }
  const count = (files) => `${files.toLocaleString('en')} ${files === 1 ? 'file' : 'files'}`;
  return `${name}@${second.image}: ${count(shared)} (${size(bytes)}) shared with the first image, ${count(own)} (${size(ownBytes)}) of its own`;
}

function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function restore({ from, copy, changed }, { tree }) {
  const target = join(HOME, 'restored');
  mkdirSync(target);
  const old = join(tree, changed);
  const back = join(target, basename(changed));
  command(['cp', '-a', '--', old, back]);
  command(['diff', back, join(copy, changed)], [1]);
  const original = join(from, changed);
  if (readFileSync(original).equals(readFileSync(back))) say(`It is ${original} again, byte for byte.`);
  else fail(`${back} is not what ${original} is.`);
}

/** All that is below a directory and no directory itself, sorted. */
function filesOf(directory) {
  const found = [];
  const walk = (below) => {
    for (const entry of readdirSync(join(directory, below), { withFileTypes: true })) {
      const path = join(below, entry.name);
      // A file whose name is no UTF-8 cannot be named here.
      if (path.includes('\ufffd')) continue;
      if (entry.isDirectory()) walk(path);
      else found.push(path);
    }
  };
  walk('');
  return found.toSorted();
}

/** Runs the program as it would be typed. */
function vault(args) {
  say(`\n$ vault ${args.map(shown).join(' ')}`);
  const env = {
    ...process.env,
    VAULT_CONFIG: join(HOME, 'master.conf'),
    VAULT_STATE_DIR: join(HOME, 'state'),
  };
  const { status, error } = spawnSync(process.execPath, [PROGRAM, ...args], { stdio: 'inherit', env });
  if (error) throw error;
  if (status !== 0) fail(`vault ${args[0]} ended with ${status}.`);
}

function command(argv, accept = [0]) {
  say(`$ ${argv.map(shown).join(' ')}`);
  const [file, ...args] = argv;
  const { status, error } = spawnSync(file, args, { stdio: 'inherit' });
  if (error) throw error;
  if (!accept.includes(status)) fail(`${file} ended with ${status}.`);
}

/** A path as it is typed in the current directory. */
function shown(text) {
  return text.startsWith(`${HOME}/`) ? `.quickstart${text.slice(HOME.length)}` : text;
}

function closing() {
  const sudo = process.getuid() === 0 ? '' : 'sudo ';
  return `
All of this is in ${shown(`${HOME}/`)} and nowhere else. The same for this machine, onto a disk mounted at /mnt/backup:

  ${sudo}dist/main.js create home --client localhost --tree /home --bank /mnt/backup
  ${sudo}dist/main.js run home
  ${sudo}dist/main.js list home
`;
}

function title(text) {
  say(`\n${text}`);
}

function say(text) {
  process.stdout.write(`${text}\n`);
}

function fail(message) {
  process.stderr.write(`quickstart: ${message}\n`);
  process.exit(1);
}
