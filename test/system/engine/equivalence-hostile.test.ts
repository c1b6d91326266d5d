import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Command, Run } from '../../../src/exec/command.ts';
import { run as realRun } from '../../../src/exec/run.ts';
import { needs } from '../../support/needs.ts';
import { tempDir } from '../../support/temp.ts';
import { changesSince, snapshotTree } from '../../support/tree.ts';
import { openGround } from './equivalence-ground.ts';

needs('root', 'rsync', 'xattr');

type Stage = 'scan' | 'transfer' | 'directories' | 'rescan';

function stageOf({ argv }: Command): Stage | undefined {
  if (!argv.some((argument) => argument.startsWith('--out-format='))) return undefined;
  if (argv.includes('--delete-excluded')) return argv.includes('--files-from=-') ? 'rescan' : 'scan';
  return argv.includes('--no-implied-dirs') ? 'directories' : 'transfer';
}

/** A client whose rsync says more than it should; `lines` gets the nonce, which a client does not really know. */
function lying(when: Stage, lines: (nonce: string) => readonly string[]): Run {
  return async (command, io, signal) => {
    const result = await realRun(command, io, signal);
    if (stageOf(command) !== when) return result;
    const format = command.argv.find((argument) => argument.startsWith('--out-format=')) ?? '';
    const nonce = /--out-format=(\S+) /.exec(format)?.[1] ?? '';
    const text = lines(nonce)
      .map((line) => `${line}\n`)
      .join('');
    await io.stdout?.(Buffer.from(text, 'latin1'));
    return result;
  };
}

/** `link` leads to a directory outside, where something of value is; `changed` has changed since the reference. */
async function hostileGround() {
  const home = tempDir('hostile');
  const ground = await openGround(home);
  const { source, vault } = ground;
  const outside = `${home}/outside`;
  mkdirSync(`${outside}/evil`, { recursive: true });
  mkdirSync(`${source}/dir`);
  for (const path of [
    'outside/evil/file',
    'outside/x',
    'source/changed',
    'source/dir/a',
    'bank/v/x',
    'bank/x',
  ]) {
    writeFileSync(`${home}/${path}`, 'precious');
  }
  symlinkSync(outside, `${source}/link`);
  symlinkSync('../../../outside', `${source}/dir/up`);
  await ground.make('0', { engine: 'link-dest' });
  writeFileSync(`${source}/changed`, 'again');
  writeFileSync(`${source}/dir/a`, 'again');
  const look = () => ({
    outside: snapshotTree(outside),
    reference: snapshotTree(`${vault}/0`),
    bank: readdirSync(`${home}/bank`),
    x: [existsSync(`${vault}/x`), existsSync(`${home}/bank/x`), existsSync(`${home}/x`)],
  });
  const before = look();
  return {
    home,
    make: async (run: Run) => {
      try {
        return await ground.make('1', { engine: 'delta', reference: '0', run });
      } finally {
        await ground.close();
        const now = look();
        expect(changesSince(before.outside, now.outside)).toEqual([]);
        expect(changesSince(before.reference, now.reference)).toEqual([]);
        expect({ bank: now.bank, x: now.x }).toEqual({ bank: before.bank, x: before.x });
      }
    },
  };
}

const STAGES: readonly Stage[] = ['scan', 'transfer'];

describe('lines that a hostile client could think of', () => {
  const deletions = ['link/evil//', 'link/evil///', 'link/x//', 'dir/up/x//', 'dir/up/evil/file//'].map(
    (name) => `*deleting   0 ${name}`,
  );
  const additions = [
    '>f+++++++++ 5 link/x//',
    '>f+++++++++ 5 link/planted//',
    'cd+++++++++ 4096 link/evil///',
    '.d..t...... 4096 link/evil///',
    'cL+++++++++ 5 link/x// -> /etc/passwd',
    'hf+++++++++ 5 dir/a// => link/x',
    'hf+++++++++ 5 link/planted// => dir/a',
    '>f.st...... 5 dir/up/evil/file//',
  ];
  const all = [...deletions, ...additions];

  it.each(deletions.map((line) => ({ line })))('through a link of the reference: $line', async ({ line }) => {
    const { make } = await hostileGround();
    const { tree } = await make(lying('scan', (nonce) => [`${nonce} ${line}`]));
    expect([...snapshotTree(tree).keys()]).toEqual(['', 'changed', 'dir', 'dir/a', 'dir/up', 'link']);
  });

  it.each(additions.map((line) => ({ line })))('through a link, so the run ends: $line', async ({ line }) => {
    const { make } = await hostileGround();
    await expect(make(lying('scan', (nonce) => [`${nonce} ${line}`]))).rejects.toThrow(
      /leads out of the tree/,
    );
  });

  const names = ['../x', '../../x', 'dir/../../x', '/etc/passwd', 'dir/./x', '..', 'dir/..', 'x\\#000y'];
  const forms = [
    '*deleting   0 NAME//',
    '>f+++++++++ 5 NAME//',
    'cd+++++++++ 4096 NAME///',
    'hf+++++++++ 5 dir/a// => NAME',
  ];
  const escapes = [
    ...names.flatMap((name) => forms.map((form) => form.replace('NAME', name))),
    ...['*deleting   0 \\#056\\#056/x//', 'hf+++++++++ 5 dir/a// => ', 'hf+++++++++ 5 dir/a// => dir//x'],
  ];
  it.each(escapes.map((line) => ({ line })))('out of the tree, so the run ends: $line', async ({ line }) => {
    const { make } = await hostileGround();
    await expect(make(lying('scan', (nonce) => [`${nonce} ${line}`]))).rejects.toThrow(
      /leads out of the tree/,
    );
  });

  it.each(STAGES)(
    'with a nonce that is not of this run, in the %s, they are log and nothing else',
    async (stage) => {
      const { make } = await hostileGround();
      const lines = (nonce: string) =>
        ['guessed', nonce.slice(1), `${nonce}x`, nonce.toUpperCase().toLowerCase().slice(0, 11), '']
          .map((wrong) => `${wrong} *deleting   0 dir/a//`)
          .concat(
            '*deleting   dir/a',
            '../x',
            `${nonce}`,
            `${nonce} nonsense`,
            ` ${nonce} *deleting   0 dir/a//`,
          );
      const { tree } = await make(lying(stage, lines));
      expect([...snapshotTree(tree).keys()]).toEqual(['', 'changed', 'dir', 'dir/a', 'dir/up', 'link']);
    },
  );

  it('in the list of the transfer they change nothing', async () => {
    const { make } = await hostileGround();
    const { tree } = await make(lying('transfer', (nonce) => all.map((line) => `${nonce} ${line}`)));
    expect([...snapshotTree(tree).keys()]).toEqual(['', 'changed', 'dir', 'dir/a', 'dir/up', 'link']);
  });

  it('in the second look they reach nothing outside', async () => {
    const { make } = await hostileGround();
    // A directory that is said to be gone brings the second look about.
    const first = lying('directories', (nonce) => [`${nonce} *deleting   0 dir///`]);
    const both: Run = (command, io, signal) =>
      stageOf(command) === 'directories'
        ? first(command, io, signal)
        : lying('rescan', (nonce) => all.map((line) => `${nonce} ${line}`))(command, io, signal);
    await expect(make(both)).rejects.toThrow(/leads out of the tree/);
  });
});
