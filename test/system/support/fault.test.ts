import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fault, runWithFault } from '../../support/fault.ts';
import { needs } from '../../support/needs.ts';
import { isAlive, must, mustSync, start, stateOf } from '../../support/process.ts';
import { tempDir } from '../../support/temp.ts';

needs('gcc', 'strace', 'root', 'rsync');

const CHANGING =
  'open,openat,openat2,creat,write,pwrite64,writev,pwritev,pwritev2,copy_file_range,sendfile,truncate,ftruncate,' +
  'fallocate,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat,mknod,mknodat,' +
  'chmod,fchmod,fchmodat,chown,lchown,fchown,fchownat,utime,utimes,futimesat,utimensat,setxattr,lsetxattr,fsetxattr,' +
  'removexattr,lremovexattr,fremovexattr,fsync,fdatasync,syncfs,sync_file_range';

/** The library's name for what a system call does. */
function kindOf(call: string): string {
  if (/^(open|creat)/.test(call)) return 'open';
  if (/write|copy_file_range|sendfile/.test(call)) return 'write';
  if (/^(rmdir|unlink)/.test(call)) return 'unlink';
  if (/utime/.test(call)) return 'utimens';
  return call
    .replace(/^(setx|removex)/, '$1')
    .replace(/^[fl](?=(chmod|chown|truncate|setx|removex))/, '')
    .replace(/at2?$/, '');
}

const BY_DESCRIPTOR =
  /^(p?write|ftr|fallocate|fch(mod|own)$|fsetx|fremovex|copy_file_range|sendfile|f?sync|fdatasync)/;

/** The files that a call names: of descriptors those strace shows, of names those in quotes, by their directory. */
function filesOf(call: string, rest: string): string[] {
  if (call === 'copy_file_range') return [rest.match(/, \d+<([^>]*)>/)?.[1] ?? ''];
  if (BY_DESCRIPTOR.test(call)) return [rest.match(/^\d+<([^>]*)>/)?.[1] ?? ''];
  const named = [...rest.matchAll(/(?:<([^>]*)>, )?"([^"]*)"/g)].map(([, directory = '', name = '']) =>
    name.startsWith('/') ? name : `${directory}/${name}`,
  );
  if (named.length === 0 || call.startsWith('utimensat'))
    named.push(rest.match(/^\d+<([^>]*)>, NULL/)?.[1] ?? '');
  return /^(link|symlink)/.test(call)
    ? named.slice(1)
    : call.startsWith('rename')
      ? named
      : named.slice(0, 1);
}

/** The calls that strace saw change something under the path, as a sorted list of kinds. */
function straced(log: string, prefix: string): string[] {
  const kinds = log.split('\n').flatMap((line) => {
    const [, call = '', rest = ''] = line.match(/^\d+ +([a-z0-9_]+)\((.*)$/) ?? [];
    if (call === '' || (/^(open|creat)/.test(call) && !/O_CREAT|O_TRUNC/.test(rest))) return [];
    const concerned = filesOf(call, rest).some(
      (file) => file.startsWith(prefix) || file.startsWith('/proc/self/fd/'),
    );
    return concerned ? [kindOf(call)] : [];
  });
  return kinds.toSorted();
}

async function compareWithStrace(argv: readonly string[], prefix: string): Promise<string[]> {
  const counted = fault({ prefix, mode: 'count', log: true });
  const log = `${tempDir('strace')}/log`;
  const env = Object.entries(counted.env).flatMap(([name, value]) => ['-E', `${name}=${value}`]);
  await must(['strace', '-f', '-y', '-s', '4096', '-e', `trace=${CHANGING}`, '-o', log, ...env, ...argv]);
  const kinds = counted.calls().map((call) => call.split(' ')[0] ?? '');
  expect(kinds.toSorted()).toEqual(straced(readFileSync(log, 'latin1'), prefix));
  expect(counted.count()).toBe(kinds.length);
  return kinds;
}

function smallTree(): { source: string; target: string } {
  const directory = tempDir();
  const source = `${directory}/source`;
  mkdirSync(`${source}/sub`, { recursive: true });
  for (const name of ['a', 'b', 'sub/c']) writeFileSync(`${source}/${name}`, name.repeat(5000));
  mustSync(['ln', `${source}/a`, `${source}/hard`]);
  mustSync(['ln', '-s', 'a', `${source}/soft`]);
  mustSync(['mkfifo', `${source}/fifo`]);
  mustSync(['setfattr', '-n', 'user.x', '-v', '1', `${source}/b`]);
  mkdirSync(`${directory}/target`);
  return { source, target: `${directory}/target` };
}

describe('every call that strace sees is counted', () => {
  test('of cp', async () => {
    const { source, target } = smallTree();
    const kinds = await compareWithStrace(['cp', '-a', source, `${target}/copy`], target);
    expect(new Set(kinds)).toContain('mkdir');
  });

  test('of cp -al', async () => {
    const { source, target } = smallTree();
    const kinds = await compareWithStrace(['cp', '-al', source, `${target}/clone`], target);
    expect(kinds.filter((kind) => kind === 'link').length).toBeGreaterThanOrEqual(4);
  });

  test('of rsync and its children', async () => {
    const { source, target } = smallTree();
    const kinds = await compareWithStrace(
      ['rsync', '-aHAXS', '--fsync', `${source}/`, `${target}/image/`],
      target,
    );
    expect(kinds).toContain('fsync');
    expect(kinds).toContain('rename');
  });

  test('of xargs, rm and sync', async () => {
    const { source } = smallTree();
    const script = `printf 'a\\0sub\\0' | xargs -0 rm -rf --one-file-system -- && sync -f .`;
    const kinds = await compareWithStrace(['sh', '-c', `cd ${source} && ${script}`], source);
    expect(kinds).toEqual(expect.arrayContaining(['unlink', 'syncfs']));
  });

  test('of node, whose pool of threads does the work, by way of /proc/self/fd too', async () => {
    const { target } = smallTree();
    const script = `
      import fs from 'node:fs';
      const fd = fs.openSync(process.argv[1], fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
      const at = '/proc/self/fd/' + fd + '/';
      fs.mkdirSync(at + 'made');
      const file = await fs.promises.open(at + 'made/new', 'w');
      await file.writeFile('text');
      await file.sync();
      await file.close();
      await fs.promises.rename(at + 'made/new', at + 'made/old');
      await Promise.all(['x', 'y', 'z'].map((name) => fs.promises.writeFile(at + name, name)));
      await fs.promises.utimes(at + 'x', 1, 2);
      await fs.promises.link(at + 'x', at + 'w');
      await fs.promises.copyFile(at + 'x', at + 'v');
      await fs.promises.rm(at + 'made', { recursive: true });
      fs.fsyncSync(fd);
    `;
    const kinds = await compareWithStrace(
      [process.execPath, '--input-type=module', '-e', script, target],
      target,
    );
    expect(kinds).toEqual(
      expect.arrayContaining(['mkdir', 'open', 'write', 'fsync', 'rename', 'utimens', 'unlink']),
    );
  });
});

test('only what is under the path counts', async () => {
  const { source, target } = smallTree();
  const { count } = await runWithFault(['cp', '-a', source, `${target}/copy`], {
    prefix: `${target}/co`,
    mode: 'count',
  });
  expect(count).toBe(0);
});

describe('at the chosen call', () => {
  const manyDirectories = (directory: string) => [
    'mkdir',
    ...[1, 2, 3, 4, 5].map((n) => `${directory}/${n}`),
  ];

  test('kill comes before the call is made', async () => {
    const directory = tempDir();
    const outcome = await runWithFault(manyDirectories(directory), {
      prefix: directory,
      mode: 'kill',
      at: 3,
    });
    expect(outcome).toMatchObject({ ran: { signal: 'SIGKILL' }, fired: 'mkdir', count: 3 });
    expect(readdirSync(directory)).toEqual(['1', '2']);
  });

  test('one failure is just one', async () => {
    const directory = tempDir();
    const outcome = await runWithFault(manyDirectories(directory), {
      prefix: directory,
      mode: 'enospc',
      at: 3,
    });
    expect(outcome.ran.err).toMatch(/No space left on device/);
    expect(readdirSync(directory)).toEqual(['1', '2', '4', '5']);
  });

  test('a lasting failure is one of all later calls', async () => {
    const directory = tempDir();
    const options = { prefix: directory, mode: 'eio', at: 3, sticky: true } as const;
    const outcome = await runWithFault(manyDirectories(directory), options);
    expect(outcome.ran.err.match(/Input\/output error/g)).toHaveLength(3);
    expect(readdirSync(directory)).toEqual(['1', '2']);
  });

  test('nothing happens when there are fewer calls', async () => {
    const directory = tempDir();
    const outcome = await runWithFault(manyDirectories(directory), {
      prefix: directory,
      mode: 'kill',
      at: 6,
    });
    expect(outcome).toMatchObject({ ran: { code: 0 }, fired: undefined, count: 5 });
  });
});

/** A node that waits for children in process groups of their own, which work for ever, as do theirs. */
const FAMILY = `
  import { spawn } from 'node:child_process';
  for (const name of ['a', 'b']) {
    const loop = 'i=0; while :; do i=$((i+1)); mkdir $0/' + name + '$i; done';
    spawn('sh', ['-c', '(' + loop + ') & setsid sleep 1000 & wait', process.argv[1]], { detached: true, stdio: 'ignore' });
  }
`;

test('kill leaves nobody of the family alive, and nothing changes any more', async () => {
  const directory = tempDir();
  const prepared = fault({ prefix: directory, mode: 'kill', at: 40 });
  const running = start([process.execPath, '--input-type=module', '-e', FAMILY, directory], {
    env: prepared.env,
  });
  await prepared.happened();
  expect((await running.ended).signal).toBe('SIGKILL');
  await prepared.killAll();
  expect(readdirSync(directory).length).toBeLessThanOrEqual(39);
  const sleepers = mustSync([
    'sh',
    '-c',
    `grep -l ${directory} /proc/[0-9]*/cmdline 2>/dev/null || true`,
  ]).toString();
  const alive = sleepers.split('\n').filter((path) => path !== '' && isAlive(Number(path.split('/')[2])));
  expect(alive).toEqual([]);
});

test('stop makes everybody stand still until they are killed', async () => {
  const directory = tempDir();
  const prepared = fault({ prefix: directory, mode: 'stop', at: 40 });
  const running = start([process.execPath, '--input-type=module', '-e', FAMILY, directory], {
    env: prepared.env,
  });
  await prepared.happened();
  const made = readdirSync(directory).length;
  expect(prepared.pids().length).toBeGreaterThanOrEqual(5);
  expect(prepared.pids().map(stateOf)).toEqual(prepared.pids().map(() => 'T'));
  expect(readdirSync(directory)).toHaveLength(made);
  await prepared.killAll();
  expect((await running.ended).signal).toBe('SIGKILL');
  expect(existsSync(`/proc/${running.pid}`)).toBe(false);
});
