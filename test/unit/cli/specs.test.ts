import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../src/cli.ts';
import type { CommandSpec } from '../../../src/commands/spec.ts';
import { COMMANDS } from '../../../src/commands/table.ts';
import { splitWords } from '../../../src/config/words.ts';
import { commandHelp, GLOBAL_OPTIONS, listHelp } from '../../../src/show/help.ts';

const DIRECTORY = new URL('../../../src/commands/', import.meta.url);
const files = readdirSync(DIRECTORY);
const found: CommandSpec[] = [];
for (const file of files.filter((each) => each.endsWith('.ts') && !each.endsWith('.run.ts'))) {
  const module: { spec?: CommandSpec } = await import(new URL(file, DIRECTORY).href);
  if (module.spec !== undefined) found.push(module.spec);
}

describe.each(found.map((spec) => [spec.name, spec] as const))('the spec of %s', (_, spec) => {
  it('is in the table as soon as it can be run', () => {
    const runnable = files.includes(`${spec.name.replace(' ', '-')}.run.ts`);
    expect(COMMANDS.some((entry) => entry.spec === spec)).toBe(runnable);
  });
  it('is short and alike', () => {
    const texts = [spec, ...spec.arguments, ...spec.options].map((each) => each.summary);
    expect(texts.filter((text) => /\.$|^[A-Z][a-z]/.test(text))).toEqual([]);
    expect(spec.summary.length).toBeLessThan(60);
  });
  it('has no name twice', () => {
    const all = [
      ...spec.options,
      ...GLOBAL_OPTIONS,
      { name: 'dry-run', short: 'n' },
      { name: 'help', short: 'h' },
    ];
    const names = all.flatMap((each) => [each.name, ...('short' in each && each.short ? [each.short] : [])]);
    expect(names).toEqual([...new Set(names)]);
    expect(spec.options.filter((each) => each.name.startsWith('no-'))).toEqual([]);
  });
  it('has a help that fits 80 columns and prints the exit codes', () => {
    const lines = commandHelp(spec, 80).split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines).toContain('Exit codes');
    expect(lines).toContain('  11   client unreachable, or its host key unknown or changed');
  });
  it('has examples that are understood', () => {
    const entries = found.map((each) => ({
      spec: each,
      load: () => Promise.resolve({ run: () => Promise.resolve(0) }),
    }));
    for (const example of spec.examples ?? []) {
      const split = splitWords(example);
      const [program, ...argv] = 'words' in split ? split.words : [];
      expect(program).toBe('vault');
      expect(parseCommandLine(argv, entries, 80)).toMatchObject({ kind: 'command', entry: { spec } });
    }
  });
});

describe('the list of commands', () => {
  it('fits 80 columns, prints the exit codes and leaves out what is hidden', () => {
    const hidden = found.slice(0, 1).map((spec) => ({ ...spec, name: 'secret', hidden: true }));
    const text = listHelp('', [...found, ...hidden], 80);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(text).toContain('\nExit codes\n');
    expect(text).not.toContain('secret');
  });
});
