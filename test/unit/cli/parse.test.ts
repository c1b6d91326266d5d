import { describe, expect, it } from 'vitest';
import { parseCommandLine, type CommandEntry, type Invocation } from '../../../src/cli.ts';
import { argumentBytes, argumentsOf, hasFlag } from '../../../src/commands/argv.ts';
import type { CommandSpec } from '../../../src/commands/spec.ts';
import { VaultError } from '../../../src/errors.ts';

const COPY: CommandSpec = {
  name: 'copy',
  summary: 'copy things',
  arguments: [
    { name: 'VAULT', summary: 'from here', required: true },
    { name: 'PATH', summary: 'these', required: false, many: true },
  ],
  options: [
    { name: 'image-time', value: 'TIME', summary: 'then' },
    { name: 'exclude', value: 'PATTERN', summary: 'not these', many: true },
    { name: 'engine', value: 'NAME', summary: 'how', choices: ['fast', 'slow'] },
    { name: 'init', summary: 'anew' },
  ],
  changes: true,
};
const SHOW: CommandSpec = {
  name: 'config show',
  summary: 'show it',
  arguments: [{ name: 'VAULT', summary: 'of this', required: false }],
  options: [{ name: 'as', value: 'FORM', summary: 'in this form', required: true }],
  changes: false,
};
const ENTRIES: readonly CommandEntry[] = [COPY, SHOW].map((spec) => ({
  spec,
  load: () => Promise.resolve({ run: () => Promise.resolve(0) }),
}));

function parse(...argv: string[]): Invocation {
  return parseCommandLine(argv, ENTRIES, 80);
}

function command(...argv: string[]) {
  const invocation = parse(...argv);
  if (invocation.kind !== 'command')
    throw new Error(`${argv.join(' ')} is no command but ${invocation.kind}`);
  return invocation;
}

function usageError(...argv: string[]) {
  try {
    parse(...argv);
  } catch (error) {
    if (error instanceof VaultError && error.kind === 'usage')
      return `${error.message} ${error.hint ?? ''}`.trim();
    throw error;
  }
  throw new Error(`${argv.join(' ')} was understood`);
}

describe('a command line', () => {
  it('gives arguments and options by their names in the spec', () => {
    const { args } = command(
      'copy',
      'v',
      'a',
      'b',
      '--image-time',
      '-1',
      '--exclude=x',
      '--exclude',
      'y',
      '--init',
    );
    expect(args.required('VAULT')).toBe('v');
    expect(args.all('PATH')).toEqual(['a', 'b']);
    expect(args.option('image-time')).toBe('-1');
    expect(args.all('exclude')).toEqual(['x', 'y']);
    expect(args.flag('init')).toBe(true);
    expect(args.option('engine')).toBeUndefined();
  });
  it('leaves out what was not given', () => {
    const { args, globals } = command('copy', 'v');
    expect([args.all('PATH'), args.all('exclude'), args.flag('init')]).toEqual([[], [], false]);
    expect(globals).toEqual({
      config: undefined,
      stateDir: undefined,
      json: false,
      quiet: false,
      verbose: false,
      dryRun: false,
    });
  });
  it('takes global options before, between and after', () => {
    const all = { config: 'f', stateDir: 'd', json: true, quiet: true };
    expect(command('--config', 'f', '--json', 'copy', 'v', '-q', '--state-dir', 'd').globals).toMatchObject(
      all,
    );
    expect(command('config', '--config=f', 'show', '--as', 'x', '--json').globals).toMatchObject({
      config: 'f',
    });
    expect(command('--json', 'config', '--quiet', 'show', '--as', 'x').globals).toMatchObject({
      json: true,
      quiet: true,
    });
  });
  it('takes the innermost of two', () => {
    expect(command('--config', 'a', 'copy', 'v', '--config', 'b').globals.config).toBe('b');
  });
  it('does not take values for options', () => {
    const { args, globals } = command('copy', 'v', '--exclude', '--json', '--exclude', '-q', '--', '--quiet');
    expect(args.all('exclude')).toEqual(['--json', '-q']);
    expect(args.all('PATH')).toEqual(['--quiet']);
    expect([globals.json, globals.quiet]).toEqual([false, false]);
  });
  it('has --dry-run where something is changed', () => {
    expect(command('copy', 'v', '-n').globals.dryRun).toBe(true);
    expect(usageError('config', 'show', '--as', 'x', '--dry-run')).toContain("Unknown option '--dry-run'.");
  });
  it('is a bug to ask for what the spec lacks', () => {
    const { args } = command('copy', 'v');
    expect(() => args.option('imagetime')).toThrow('copy has no option imagetime');
    expect(() => args.argument('vault')).toThrow('copy has no argument vault');
    expect(() => args.required('PATH')).toThrow('copy does not require');
  });
});

describe('mistakes', () => {
  it.each([
    [['cpoy', 'v'], "Unknown command 'cpoy'. Did you mean copy? 'vault --help' lists all commands."],
    [['frobnicate'], "Unknown command 'frobnicate'. 'vault --help' lists all commands."],
    [['config', 'shwo'], "Unknown command 'shwo'. Did you mean show? 'vault config --help' tells more."],
    [['--jsno', 'copy'], "Unknown option '--jsno'. Did you mean --json? 'vault --help' lists all commands."],
    [
      ['copy', 'v', '--exlude', 'x'],
      "Unknown option '--exlude'. Did you mean --exclude? 'vault copy --help' tells more.",
    ],
    [['copy'], "Missing required argument 'VAULT'. 'vault copy --help' tells more."],
    [
      ['config', 'show'],
      "Required option '--as <FORM>' not specified. 'vault config show --help' tells more.",
    ],
    [
      ['config', 'show', '--as'],
      "Option '--as <FORM>' argument missing. 'vault config show --help' tells more.",
    ],
    [
      ['config', 'show', '--as', 'x', 'a', 'b'],
      "Too many arguments for 'show'. Expected 1 argument but got 2. 'vault config show --help' tells more.",
    ],
    [
      ['copy', 'v', '--engine', 'x'],
      "Option '--engine <NAME>' argument 'x' is invalid. Allowed choices are fast, slow. 'vault copy --help' tells more.",
    ],
    [
      ['copy', 'v', '--init=1'],
      "Unknown option '--init=1'. Did you mean --init? 'vault copy --help' tells more.",
    ],
    [['-q', 'copy', 'v', '-v'], 'Options --quiet and --verbose exclude each other.'],
  ])('%j', (argv, text) => expect(usageError(...argv)).toBe(text));
});

describe('help', () => {
  it('is shown on request, whatever else is wrong', () => {
    for (const argv of [
      ['--help'],
      ['help'],
      ['copy', '-h'],
      ['help', 'copy'],
      ['config', 'show', '--help'],
    ]) {
      expect(parse(...argv)).toMatchObject({ kind: 'help', misused: false });
    }
  });
  it('is all there is to say where no command is given', () => {
    expect(parse()).toMatchObject({ kind: 'help', misused: true });
    expect(parse('--json')).toMatchObject({ kind: 'help', misused: true });
    expect(parse('config')).toMatchObject({ kind: 'help', misused: true });
  });
  it('tells of the command that was meant', () => {
    expect(parse('help', 'copy')).toMatchObject({
      text: expect.stringMatching(/^Usage: vault copy \[OPTIONS\] VAULT/),
    });
    expect(parse('config', 'show', '-h')).toMatchObject({
      text: expect.stringMatching(/^Usage: vault config show --as FORM \[OPTIONS\] \[VAULT\]\n/),
    });
    expect(parse('config')).toMatchObject({ text: expect.stringContaining('config show  show it') });
  });
  it('yields to --version', () => {
    expect(parse('--version')).toEqual({ kind: 'version' });
    expect(parse('-V', 'copy', 'v')).toEqual({ kind: 'version' });
  });
});

describe('the bytes of a command line', () => {
  const cmdline = Buffer.concat([
    Buffer.from('node\0--flag\0main.js\0copy\0\0a'),
    Buffer.from([0xff]),
    Buffer.from('\0ü\0'),
  ]);
  it('come through, empty arguments too', () => {
    const argv = argumentsOf(cmdline, 4);
    expect(argv.map((each) => argumentBytes(each).toString('latin1'))).toEqual(['copy', '', 'a\u00ff', 'Ã¼']);
    expect(argumentsOf(cmdline, 0)).toEqual([]);
    const { args } = command(...argv.filter((each) => each !== ''));
    expect(args.all('PATH').map(argumentBytes)).toEqual([Buffer.from('ü')]);
    expect(argumentBytes(args.required('VAULT'))).toEqual(Buffer.from([0x61, 0xff]));
  });
  it('are searched for flags up to --', () => {
    expect(hasFlag(['run', '--json'], '--json')).toBe(true);
    expect(hasFlag(['run', '--', '--json'], '--json')).toBe(false);
  });
});
