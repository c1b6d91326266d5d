import type { ArgumentSpec, CommandSpec, OptionSpec } from '../commands/spec.ts';
import { pad, textWidth, wrap } from './text.ts';

const INDENT = '  ';
const GAP = '  ';
const TERM_AT_MOST = 28;

/** The options of every command. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { name: 'config', value: 'FILE', summary: 'use this master configuration file' },
  { name: 'state-dir', value: 'DIR', summary: "keep vault's own state there" },
  { name: 'json', summary: 'print one JSON object a line, the last of type "result"' },
  { name: 'quiet', short: 'q', summary: 'print only results, warnings and errors' },
  { name: 'verbose', short: 'v', summary: 'also print what is done and why' },
];

/** What `changes: true` adds to a command. */
export const DRY_RUN: OptionSpec = {
  name: 'dry-run',
  short: 'n',
  summary: 'show what would be done and change nothing',
};

const HELP: OptionSpec = { name: 'help', short: 'h', summary: 'show this help' };
const VERSION: OptionSpec = { name: 'version', short: 'V', summary: 'print the version' };

export const EXIT_CODES: readonly (readonly [string, string])[] = [
  ['0', 'all done; warnings allowed'],
  ['1', 'a bug in vault'],
  ['2', 'usage'],
  ['3', 'partial: an image was kept but some files could not be read'],
  ['4', 'failed: nothing new was kept for at least one vault'],
  ['5', 'held: an image was made, but its change is suspicious; see vault accept'],
  ['6', 'locked by another run'],
  ['7', 'no such disk, wrong disk, not mounted'],
  ['8', 'configuration'],
  ['9', 'a hook failed'],
  ['10', 'refused for safety (restore target, ownership, path)'],
  ['11', 'client unreachable, or its host key unknown or changed'],
  ['12', 'needs attention (status --alarm, doctor, verify)'],
  ['130', 'interrupted'],
];

/** The help of one command, laid out for a width in cells. */
export function commandHelp(spec: CommandSpec, columns: number): string {
  const own = [...spec.options, ...(spec.changes ? [DRY_RUN] : [])];
  const usage = [
    'vault',
    spec.name,
    ...own.filter((option) => option.required).map(optionUsage),
    '[OPTIONS]',
  ];
  const blocks = [
    wrapUsage([...usage, ...spec.arguments.map(argumentUsage)], columns),
    paragraphs(spec.description ?? `${capital(spec.summary)}.`, columns),
    section(
      'Arguments',
      spec.arguments.map((each) => [argumentUsage(each), each.summary] as const),
      columns,
    ),
    section('Options', own.map(optionEntry), columns),
    section('Options of every command', [...GLOBAL_OPTIONS, HELP].map(optionEntry), columns),
    (spec.examples ?? []).length === 0
      ? ''
      : ['Examples', ...(spec.examples ?? []).map((e) => INDENT + e)].join('\n'),
    section('Exit codes', EXIT_CODES, columns),
  ];
  return joined(blocks);
}

/** The help of the program, or of a group of commands (`config`). */
export function listHelp(group: string, specs: readonly CommandSpec[], columns: number): string {
  const shown = specs.filter((spec) => !spec.hidden);
  const program = group === '';
  const intro = program
    ? 'Complete, browsable, hard-linked snapshots of machines on removable disks, in the manner of dirvish.'
    : '';
  return joined([
    `Usage: vault ${program ? '' : `${group} `}COMMAND [OPTIONS] [ARGUMENTS]`,
    paragraphs(intro, columns),
    section(
      'Commands',
      shown.map((spec) => [spec.name, spec.summary] as const),
      columns,
    ),
    section(
      'Options of every command',
      [...GLOBAL_OPTIONS, HELP, ...(program ? [VERSION] : [])].map(optionEntry),
      columns,
    ),
    section('Exit codes', EXIT_CODES, columns),
    `'vault ${program ? '' : `${group} `}COMMAND --help' tells more about a command.`,
  ]);
}

/** An option as typed: `--image-time TIME`. */
export function optionTerm(option: OptionSpec): string {
  return option.value === undefined ? `--${option.name}` : `--${option.name} ${option.value}`;
}

function optionEntry(option: OptionSpec): readonly [string, string] {
  const short = option.short === undefined ? '    ' : `-${option.short}, `;
  const choices = option.choices === undefined ? '' : ` (${option.choices.join(', ')})`;
  const many = option.many ? ' (may be repeated)' : '';
  return [short + optionTerm(option), option.summary + choices + many];
}

function optionUsage(option: OptionSpec): string {
  return optionTerm(option);
}

function argumentUsage(argument: ArgumentSpec): string {
  const name = argument.many ? `${argument.name}...` : argument.name;
  return argument.required ? name : `[${name}]`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function joined(blocks: readonly string[]): string {
  return blocks.filter((block) => block !== '').join('\n\n');
}

function paragraphs(text: string, columns: number): string {
  return wrap(text, columns).join('\n');
}

/** An option and its value stay on one line. */
function wrapUsage(words: readonly string[], columns: number): string {
  const prefix = 'Usage: ';
  const lines = wrap(words.map((word) => word.replaceAll(' ', '\u00a0')).join(' '), columns - prefix.length);
  return prefix + lines.join(`\n${' '.repeat(prefix.length)}`).replaceAll('\u00a0', ' ');
}

/** Terms in a column and their texts beside them; a long term has its text on the next line. */
function section(title: string, entries: readonly (readonly [string, string])[], columns: number): string {
  if (entries.length === 0) return '';
  const width = Math.min(TERM_AT_MOST, Math.max(...entries.map(([term]) => textWidth(term))));
  const indent = ' '.repeat(INDENT.length + width + GAP.length);
  const lines = entries.flatMap(([term, text]) => {
    const [first = '', ...rest] = wrap(text, Math.max(24, columns - indent.length));
    const head = INDENT + pad(term, width);
    const beside = textWidth(term) <= width ? [head + GAP + first] : [INDENT + term, indent + first];
    return [...beside, ...rest.map((line) => indent + line)];
  });
  return [title, ...lines].join('\n');
}
