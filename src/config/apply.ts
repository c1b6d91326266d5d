import type { Problem } from '../errors.ts';
import { isInclude, isReserved } from './option.ts';
import type { Include, Layer, Option } from './option.ts';
import { findEntry, isOptionName, OPTIONS } from './options.ts';
import type { OptionName } from './options.ts';
import type { Item, Statement } from './parse.ts';
import { mostSimilar } from './similar.ts';
import { isList, readValue } from './values.ts';

/** Where a value came from: a layer, and a line of a file unless it is the command line. */
export interface Origin {
  readonly layer: Layer;
  readonly file?: string;
  readonly line?: number;
}

/** Worth telling, but no reason to stop. */
export type Note = Problem;

/** The configuration while it is being put together, layer by layer. */
export interface Draft {
  readonly values: Map<OptionName, unknown>;
  readonly origins: Map<OptionName, Origin>;
  /** For lists: the origin of each item, in the order of the items. */
  readonly itemOrigins: Map<OptionName, readonly Origin[]>;
  readonly problems: Problem[];
  readonly notes: Note[];
}

/** What a statement asks its reader to do now, since it needs the file system. */
export interface Directive {
  readonly kind: Include['include'] | 'client';
  readonly text: string;
  readonly line: number;
}

export function emptyDraft(): Draft {
  return { values: new Map(), origins: new Map(), itemOrigins: new Map(), problems: [], notes: [] };
}

/** Adds one statement to the draft, with its problems and notes. */
export function applyStatement(
  draft: Draft,
  statement: Statement,
  layer: Layer,
  file: string,
): Directive | undefined {
  const at = (line: number): Origin => ({ layer, file, line });
  if (statement.verb === 'option') return applyOption(draft, statement, at);
  for (const name of statement.names) {
    const message = applyVerb(draft, statement.verb, name, at(statement.line), statement.items);
    if (message !== undefined) draft.problems.push({ file, line: statement.line, message });
  }
  return undefined;
}

type OptionStatement = Extract<Statement, { verb: 'option' }>;
type At = (line: number) => Origin;

function applyOption(draft: Draft, statement: OptionStatement, at: At): Directive | undefined {
  const { name, line, text, items } = statement;
  const found = findEntry(name);
  if (found === undefined) {
    reportUnknown(draft, name, at(line));
    return undefined;
  }
  const { entry } = found;
  if (isReserved(entry)) {
    problem(draft, at(line), `${name}: ${entry.reserved}`);
  } else if (!entry.layers.includes(at(line).layer)) {
    problem(draft, at(line), `${name}: only allowed in ${placesOf(entry.layers)}`);
  } else if (isInclude(entry)) {
    return single(draft, statement, at, entry.include);
  } else if (isOptionName(found.name)) {
    if (entry.ignored !== undefined) note(draft, at(line), `${name}: ${entry.ignored}`);
    const values = text === undefined ? items : [{ text, line }, ...items];
    if (isList(entry)) for (const item of values) addItem(draft, found.name, entry, item, at(item.line));
    else return single(draft, statement, at, found.name === 'client' ? 'client' : found.name);
  }
  return undefined;
}

/** A statement with exactly one value: sets it, or hands it on as a directive. */
function single(
  draft: Draft,
  statement: OptionStatement,
  at: At,
  target: Directive['kind'] | OptionName,
): Directive | undefined {
  const { name, line, text, items } = statement;
  if (items[0] !== undefined) {
    problem(draft, at(items[0].line), `${name}: takes one value, on the line of its name`);
    return undefined;
  }
  if (text === undefined) {
    problem(draft, at(line), `${name}: has no value`);
    return undefined;
  }
  if (target === 'configuration' || target === 'exclude') return { kind: target, text, line };
  if (!setValue(draft, target, text, at(line)) || target !== 'client') return undefined;
  return { kind: 'client', text, line };
}

/** Sets an option of one value from its text. False, with a problem noted, when the text is wrong. */
export function setValue(draft: Draft, name: OptionName, text: string, origin: Origin): boolean {
  const read = readValue(OPTIONS[name], text);
  if ('message' in read) {
    problem(draft, origin, `${name}: ${read.message}`);
    return false;
  }
  if (read.note !== undefined) note(draft, origin, `${name}: ${read.note}`);
  draft.values.set(name, read.value);
  draft.origins.set(name, origin);
  return true;
}

/** Adds one item to a list. */
export function addItem(draft: Draft, name: OptionName, option: Option, item: Item, origin: Origin): void {
  const read = readValue(option, item.text);
  if ('message' in read) {
    problem(draft, origin, `${name}: ${read.message}`);
    return;
  }
  if (read.note !== undefined) note(draft, origin, `${name}: ${read.note}`);
  const before = draft.values.get(name) ?? option.default;
  const value = [...(Array.isArray(before) ? before : []), ...(Array.isArray(read.value) ? read.value : [])];
  draft.values.set(name, value);
  draft.origins.set(name, origin);
  draft.itemOrigins.set(name, [...(draft.itemOrigins.get(name) ?? []), origin]);
}

function applyVerb(
  draft: Draft,
  verb: 'SET' | 'UNSET' | 'RESET',
  name: string,
  origin: Origin,
  items: readonly Item[],
): string | undefined {
  const found = findEntry(name);
  if (found === undefined) return `${verb} ${name}: no such option${didYouMean(name)}`;
  const { entry } = found;
  if (isReserved(entry)) return `${verb} ${name}: ${entry.reserved}`;
  if (isInclude(entry) || !isOptionName(found.name)) return `${verb} ${name}: reads a file, and has no value`;
  if (!entry.layers.includes(origin.layer))
    return `${verb} ${name}: only allowed in ${placesOf(entry.layers)}`;
  if (verb === 'SET' && entry.type !== 'boolean')
    return `SET ${name}: is not a switch; write "${name}: value"`;
  if (verb === 'UNSET' && isList(entry)) return `UNSET ${name}: is a list; write "RESET ${name}"`;
  if (verb === 'RESET' && items[0] !== undefined && !isList(entry)) return `RESET ${name}: is not a list`;
  resetOption(draft, found.name, origin);
  if (entry.type === 'boolean' && verb !== 'RESET') draft.values.set(found.name, verb === 'SET');
  for (const item of items) addItem(draft, found.name, entry, item, { ...origin, line: item.line });
  return undefined;
}

/** Puts an option back: a list to empty, anything else to its default. */
export function resetOption(draft: Draft, name: OptionName, origin: Origin): void {
  draft.values.set(name, OPTIONS[name].default);
  draft.origins.set(name, origin);
  draft.itemOrigins.delete(name);
}

function reportUnknown(draft: Draft, name: string, origin: Origin): void {
  if (/^[A-Z]/.test(name)) note(draft, origin, `${name}: left to other programs${didYouMean(name)}`);
  else problem(draft, origin, `${name}: no such option${didYouMean(name)}`);
}

function didYouMean(name: string): string {
  const known = mostSimilar(name, Object.keys(OPTIONS));
  return known === undefined ? '' : `; did you mean "${known}"?`;
}

function placesOf(layers: readonly Layer[]): string {
  const places = layers.map((layer) =>
    layer === 'command line' ? 'on the command line' : `the ${layer} file`,
  );
  return places.join(' or ');
}

function problem(draft: Draft, { file, line }: Origin, message: string): void {
  draft.problems.push({
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    message,
  });
}

function note(draft: Draft, { file, line }: Origin, message: string): void {
  draft.notes.push({
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    message,
  });
}
