import { isInclude, isReserved } from './option.ts';
import type { KindValues, Option, TableEntry } from './option.ts';
import { DIRVISH_OPTIONS } from './options/dirvish.ts';
import { DISK_OPTIONS } from './options/disk.ts';
import { ENGINE_OPTIONS } from './options/engine.ts';
import { EXPIRE_OPTIONS } from './options/expire.ts';
import { NOTIFY_OPTIONS } from './options/notify.ts';

/** Every option there is. Parsing, checking, `config show`, the manual and the samples come from it. */
export const OPTIONS = {
  ...DIRVISH_OPTIONS,
  ...EXPIRE_OPTIONS,
  ...ENGINE_OPTIONS,
  ...DISK_OPTIONS,
  ...NOTIFY_OPTIONS,
};

type Table = typeof OPTIONS;

/** The names of the options that have a value. */
export type OptionName = {
  [N in keyof Table]: Table[N] extends { readonly type: keyof KindValues } ? N : never;
}[keyof Table];

type ValueOf<O> = O extends { readonly choices: readonly (infer C)[] }
  ? C
  : O extends { readonly type: infer K extends keyof KindValues; readonly default: infer D }
    ? KindValues[K] | (undefined extends D ? undefined : never)
    : never;

/** The value in effect of every option. */
export type Settings = { readonly [N in OptionName]: ValueOf<Table[N]> };

/** Other spellings that dirvish accepts. */
const ALIASES: Readonly<Record<string, string>> = { fexclude: 'file-exclude' };

/** The table's entry for a name as written in a file; undefined for an unknown one. */
export function findEntry(name: string): { readonly name: string; readonly entry: TableEntry } | undefined {
  const known = ALIASES[name] ?? name;
  const entry = Object.entries<TableEntry>(OPTIONS).find(([each]) => each === known)?.[1];
  return entry === undefined ? undefined : { name: known, entry };
}

/** Whether a name is that of an option with a value. */
export function isOptionName(name: string): name is OptionName {
  const found = Object.entries<TableEntry>(OPTIONS).find(([each]) => each === name)?.[1];
  return found !== undefined && !isReserved(found) && !isInclude(found);
}

/** The names of all options that have a value, in the table's order. */
export function optionNames(): readonly OptionName[] {
  return Object.keys(OPTIONS).filter(isOptionName);
}

/** The definition of an option that has a value. */
export function optionOf(name: OptionName): Option {
  return OPTIONS[name];
}

/** All settings at their defaults. */
export function defaultSettings(): Settings {
  return settingsFrom(new Map());
}

/**
 * Settings out of checked values; the defaults for the rest. The values must have been made by values.ts for these
 * very options: that is what lets a table be a type.
 */
export function settingsFrom(values: ReadonlyMap<OptionName, unknown>): Settings {
  const all = optionNames().map((name) => [
    name,
    values.has(name) ? values.get(name) : OPTIONS[name].default,
  ]);
  return Object.fromEntries(all) as Settings;
}
