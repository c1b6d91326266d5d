import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkBank, type BankExpectations } from '../../support/invariants.ts';
import { needs } from '../../support/needs.ts';
import { tempDir } from '../../support/temp.ts';
import { snapshotTree } from '../../support/tree.ts';

needs('xattr');

const HEADING = '#IMAGE\tCREATED\tREFERECE\tEXPIRES\n';

function summary(name: string, status = 'success'): string {
  return [
    'client: host',
    'tree: /home',
    'exclude:',
    '\t/tmp',
    'SET xdev',
    'vault: v',
    'branch: default',
    `Image: ${name}`,
    'Backup-complete: 2026-11-20 22:00:10',
    `Status: ${status}`,
    '',
  ].join('\n');
}

/** A bank with the vault `v`, its good images `a` and `b`, and an incomplete one. */
function bank(): string {
  const directory = tempDir('bank');
  mkdirSync(`${directory}/v/dirvish`, { recursive: true });
  chmodSync(`${directory}/v`, 0o700);
  const lines = ['a', 'b'].map((name) => `${name}\t2026-11-20 22:00\tdefault\tNever\n`);
  writeFileSync(`${directory}/v/dirvish/default.hist`, HEADING + lines.join(''));
  for (const name of ['a', 'b', '.incomplete-c']) {
    mkdirSync(`${directory}/v/${name}/tree`, { recursive: true });
    writeFileSync(`${directory}/v/${name}/tree/file`, name);
    writeFileSync(`${directory}/v/${name}/summary${name.startsWith('.') ? '.new' : ''}`, summary(name));
  }
  return directory;
}

test('there is nothing to say of a bank where all is well', () => {
  const directory = bank();
  const earlier = new Map([['v/a', snapshotTree(`${directory}/v/a/tree`)]]);
  const sources = [snapshotTree(`${directory}/v/b/tree`)];
  expect(checkBank(directory, { earlier, sources, listed: ['v/a', 'v/b'] })).toEqual([]);
});

describe('noticed is', () => {
  test.each<[string, (vault: string) => void, string, BankExpectations?]>([
    ['a vault that others can read', (v) => chmodSync(v, 0o755), 'v has mode 0755, not 0700'],
    [
      'an image without a tree',
      (v) => rmSync(`${v}/b/tree`, { recursive: true }),
      'v/b has a summary but no tree',
    ],
    [
      'a summary that is being replaced',
      (v) => writeFileSync(`${v}/b/summary.new`, ''),
      'v/b has summary.new beside summary',
    ],
    [
      'a torn summary',
      (v) => writeFileSync(`${v}/b/summary`, 'client: ho'),
      'v/b/summary ends within a line',
    ],
    [
      'a summary that lacks something',
      (v) => writeFileSync(`${v}/b/summary`, summary('b').replace(/^Status.*\n/m, '')),
      'v/b/summary lacks Status',
    ],
    [
      'a success that the history does not have',
      (v) => writeFileSync(`${v}/dirvish/default.hist`, `${HEADING}a\t2026-11-20 22:00\tdefault\tNever\n`),
      'v/b is a success, but not in the history',
    ],
    [
      'a failure that the history has',
      (v) => writeFileSync(`${v}/b/summary`, summary('b', 'error (held)')),
      'v/b is in the history, but no success',
    ],
    [
      'an incomplete image with a summary',
      (v) => renameSync(`${v}/.incomplete-c/summary.new`, `${v}/.incomplete-c/summary`),
      'v/.incomplete-c has a summary, though it is no image',
    ],
    [
      'a torn history',
      (v) => appendFileSync(`${v}/dirvish/default.hist`, 'c\t2026-'),
      'v/dirvish/default.hist ends within a line',
    ],
    [
      'a doubled history line',
      (v) => appendFileSync(`${v}/dirvish/default.hist`, 'a\t2026-11-20 22:00\tdefault\tNever\n'),
      'v/dirvish/default.hist has a twice',
    ],
    [
      'a lock file of a living process',
      (v) => writeFileSync(`${v}/dirvish/lock_file`, `${process.pid} host boot\n`),
      `v/dirvish/lock_file belongs to ${process.pid}, which is alive`,
    ],
    [
      'a listed incomplete image',
      () => undefined,
      'v/.incomplete-c is listed',
      { listed: ['v/.incomplete-c'] },
    ],
  ])('%s', (_, change, violation, expected = {}) => {
    const directory = bank();
    change(`${directory}/v`);
    expect(checkBank(directory, expected).join('\n')).toContain(violation);
  });

  test('an older image that has changed', () => {
    const directory = bank();
    const earlier = new Map([['v/a', snapshotTree(`${directory}/v/a/tree`)]]);
    writeFileSync(`${directory}/v/a/tree/file`, 'A');
    expect(checkBank(directory, { earlier }).join('\n')).toContain('v/a has changed: "file" content: ');
    rmSync(`${directory}/v/a`, { recursive: true });
    expect(checkBank(directory, { earlier })).toEqual(['v/a is gone']);
  });

  test('an image that is like no source', () => {
    const directory = bank();
    const sources = [snapshotTree(`${directory}/v/a/tree`)];
    const [violation] = checkBank(directory, { sources });
    expect(violation).toMatch(/^v\/b is like none of the sources: .*"file" content: /);
  });

  test('a lock that is held, unless something is running', async () => {
    const directory = bank();
    const holder = spawn('flock', [`${directory}/v`, 'sh', '-c', 'echo held; read _'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await once(holder.stdout, 'data');
    expect(checkBank(directory)).toEqual(['somebody holds the lock of v']);
    expect(checkBank(directory, { running: true })).toEqual([]);
    holder.stdin.end();
    await once(holder, 'close');
    expect(checkBank(directory)).toEqual([]);
  });
});

test('a crash excuses only a success that was completed after it, from lacking its history line', () => {
  const directory = bank();
  writeFileSync(`${directory}/v/dirvish/default.hist`, `${HEADING}a\t2026-11-20 22:00\tdefault\tNever\n`);
  const completed = Date.parse('2026-11-20T22:00:10') / 1000;
  expect(checkBank(directory, { crashed: completed })).toEqual([]);
  expect(checkBank(directory, { crashed: completed + 1 })).toHaveLength(1);
});
