import type { CommandSpec, OptionSpec } from '../../../src/commands/spec.ts';
import { ANYWHERE, GROUP_HEADINGS, isInclude, isReserved } from '../../../src/config/option.ts';
import type { Include, Option, TableEntry } from '../../../src/config/option.ts';
import { DRY_RUN, EXIT_CODES, GLOBAL_OPTIONS, optionTerm } from '../../../src/show/help.ts';
import { formatDuration } from '../../../src/time/duration.ts';
import { bold, roff, syntax, tagged } from './roff.ts';

/** A page out of its template: lines `@NAME@` give way to the part of that name. Throws for one that is unknown. */
export function page(template: string, parts: Readonly<Record<string, string>>): string {
  return template.replace(/@([A-Z]+)@/g, (_, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new Error(`the template asks for @${name}@`);
    return part;
  });
}

/** What the specs say of all commands. */
export function commandsPart(specs: readonly CommandSpec[]): string {
  return specs
    .filter((spec) => !spec.hidden)
    .map(commandPart)
    .join('\n');
}

function commandPart(spec: CommandSpec): string {
  const own = [...spec.options, ...(spec.changes ? [DRY_RUN] : [])];
  const required = own.filter((option) => option.required).map((option) => syntax(optionTerm(option)));
  const optional = own.some((option) => !option.required) ? ['[\\fIOPTIONS\\fR]'] : [];
  const words = spec.arguments.map((each) => (each.required ? syntax(each.name) : `[${syntax(each.name)}]`));
  const usage = [bold(`vault ${spec.name}`), ...required, ...optional, ...words].join(' ');
  const examples = (spec.examples ?? []).map((line) => roff(line)).join('\n');
  return [
    `.SS ${roff(spec.name)}`,
    usage,
    '.PP',
    roff(spec.description ?? `${spec.summary}.`),
    ...own.map(optionPart),
    ...(examples === '' ? [] : [`.PP\n.EX\n${examples}\n.EE`]),
  ].join('\n');
}

function optionPart(option: OptionSpec): string {
  const short = option.short === undefined ? '' : `${bold(`-${option.short}`)}, `;
  const choices = option.choices === undefined ? '' : ` (${option.choices.join(', ')})`;
  const many = option.many ? '; may be repeated' : '';
  return tagged(short + syntax(optionTerm(option)), sentence(option.summary + choices + many));
}

export function globalsPart(): string {
  return GLOBAL_OPTIONS.map(optionPart).join('\n');
}

export function exitCodesPart(): string {
  return EXIT_CODES.map(([code, text]) => tagged(bold(code), sentence(text))).join('\n');
}

/** All options that can be set, by their headings. */
export function optionsPart(table: Readonly<Record<string, TableEntry>>): string {
  const parts: string[] = [];
  for (const [group, heading] of Object.entries(GROUP_HEADINGS)) {
    const entries = Object.entries(table).filter(([, entry]) => entry.group === group);
    const items = entries.flatMap(([name, entry]) => (isReserved(entry) ? [] : [entryPart(name, entry)]));
    if (items.length > 0) parts.push(`.SS ${heading}`, ...items);
  }
  return parts.join('\n');
}

function entryPart(name: string, entry: Option | Include): string {
  const value = isInclude(entry) ? 'FILE' : valueOf(entry);
  const facts = [entry.doc, ...defaultFact(entry), ...layersOf(entry), ...exampleFact(entry)];
  return tagged(`${bold(`${name}:`)} ${syntax(value)}`, roff(facts.join(' ')));
}

function valueOf(option: Option): string {
  if (option.choices) return option.choices.join('|');
  if (option.type === 'boolean') return '0|1';
  const list = ['list', 'rules', 'keep', 'schedule'].includes(option.type) ? ' ...' : '';
  return `${option.placeholder ?? 'TEXT'}${list}`;
}

function defaultFact(entry: Option | Include): string[] {
  if (isInclude(entry)) return [];
  if (entry.ignored !== undefined) return ['Accepted without effect.'];
  const value = defaultOf(entry);
  return value === undefined ? [] : [`Default: ${value}.`];
}

/** Last, since a full stop after it could be taken for a part of it. */
function exampleFact(entry: Option | Include): string[] {
  const needless = !isInclude(entry) && (entry.ignored !== undefined || defaultOf(entry) !== undefined);
  return entry.example === undefined || needless ? [] : [`Example: ${entry.example}`];
}

function defaultOf(option: Option): string | undefined {
  const { default: value } = option;
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return undefined;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number') return option.type === 'duration' ? formatDuration(value) : String(value);
  if (typeof value === 'object' && value !== null && 'format' in value) return String(value.format);
  return Array.isArray(value) ? value.join(' ') : String(value);
}

function layersOf(entry: Option | Include): string[] {
  const files = entry.layers.filter((layer) => layer !== 'command line');
  const all = ANYWHERE.filter((layer) => layer !== 'command line');
  if (files.length === all.length) return [];
  const last = files.at(-1);
  const names = files.length === 1 ? last : `${files.slice(0, -1).join(', ')} and ${last}`;
  return [`Only in files of the ${names}.`];
}

/** The options that are known and refused. */
export function reservedPart(table: Readonly<Record<string, TableEntry>>): string {
  const items = Object.entries(table).flatMap(([name, entry]) =>
    isReserved(entry) ? [tagged(bold(name), roff(entry.doc))] : [],
  );
  return items.join('\n');
}

function sentence(text: string): string {
  return roff(`${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`);
}
