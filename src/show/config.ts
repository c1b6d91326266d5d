import type { JsonObject } from '../commands/spec.ts';
import type { Origin } from '../config/apply.ts';
import type { Checked } from '../config/check.ts';
import type { Loaded } from '../config/load.ts';
import { GROUP_HEADINGS } from '../config/option.ts';
import type { Group, ScheduleEntry } from '../config/option.ts';
import { optionNames, optionOf } from '../config/options.ts';
import type { OptionName } from '../config/options.ts';
import { isList } from '../config/values.ts';
import { commandLine } from '../exec/command.ts';
import { formatDuration } from '../time/duration.ts';
import { problemText } from './error.ts';
import { paint, table } from './table.ts';
import type { Cell, Layout } from './table.ts';
import { printable } from './text.ts';

/** One option in effect: its values as one would write them, each with the place it came from. */
interface Shown {
  readonly name: OptionName;
  readonly values: readonly { readonly text: string; readonly origin: Origin | undefined }[];
}

/** The value in effect of every option, and the file and line it came from. */
export function configText(loaded: Loaded, layout: Layout): string {
  const groups = new Map<Group, Shown[]>();
  for (const name of optionNames()) {
    const { group } = optionOf(name);
    groups.set(group, [...(groups.get(group) ?? []), shownOption(loaded, name)]);
  }
  const columns = [{ title: 'OPTION' }, { title: 'VALUE' }, { title: 'FROM' }];
  const order = Object.keys(GROUP_HEADINGS);
  const sorted = [...groups].toSorted(([one], [other]) => order.indexOf(one) - order.indexOf(other));
  const parts = sorted.map(([group, options]) => {
    const rows = options.flatMap((option) => rowsOf(option));
    return `${paint(GROUP_HEADINGS[group], 'bold', layout)}\n${table(columns, rows, layout)}`;
  });
  return parts.join('\n\n');
}

/** One object for every option. `value` is text as in a file; for lists there is `items`, each with its place. */
export function configObjects(loaded: Loaded): readonly JsonObject[] {
  return optionNames().map((name) => {
    const { type, doc } = optionOf(name);
    const { values } = shownOption(loaded, name);
    const base = { type: 'option', name, kind: type, doc, isDefault: !loaded.origins.has(name) };
    if (isList(optionOf(name))) {
      return { ...base, items: values.map(({ text, origin }) => ({ value: text, ...origin })) };
    }
    return { ...base, value: values[0]?.text, ...loaded.origins.get(name) };
  });
}

/** What a check of the configuration found, for people; the problems are told by the error. */
export function checkText(checked: Checked): string {
  const count = checked.files.length;
  const files = `${count} ${count === 1 ? 'file' : 'files'} read`;
  const notes = checked.notes.map((note) => `note: ${problemText(note)}`);
  return [...notes, checked.problems.length === 0 ? `${files}, no problems` : files].join('\n');
}

/** One object for each file read and each note. */
export function checkObjects(checked: Checked): readonly JsonObject[] {
  return [
    ...checked.files.map((file) => ({ type: 'file', file })),
    ...checked.notes.map((note) => ({ type: 'note', ...note })),
  ];
}

function shownOption(loaded: Loaded, name: OptionName): Shown {
  const origin = loaded.origins.get(name);
  const texts = valueTexts(loaded, name);
  const items = loaded.itemOrigins.get(name);
  return { name, values: texts.map((text, index) => ({ text, origin: items?.[index] ?? origin })) };
}

function rowsOf({ name, values }: Shown): readonly (readonly Cell[])[] {
  if (values.length === 0) return [[name, { text: '-', style: 'dim' }, { text: 'default', style: 'dim' }]];
  return values.map(({ text, origin }, index) => {
    const from: Cell = origin === undefined ? { text: 'default', style: 'dim' } : placeText(origin);
    return [index === 0 ? name : '', printable(text), from];
  });
}

function placeText({ layer, file, line }: Origin): string {
  if (file === undefined) return layer;
  return printable(line === undefined ? file : `${file}:${line}`);
}

/** A value as one would write it into a file; several for lists, none where nothing is set. */
function valueTexts(loaded: Loaded, name: OptionName): readonly string[] {
  const value = loaded.settings[name];
  const { type } = optionOf(name);
  if (value === undefined) return [];
  if (typeof value === 'boolean') return [value ? '1' : '0'];
  if (typeof value === 'number') return [type === 'duration' ? formatDuration(value) : String(value)];
  if (typeof value === 'string') return [value];
  if ('format' in value) return [value.argv.length === 0 ? value.format : commandLine(value.argv)];
  const texts = value.map((item) => (typeof item === 'string' ? item : scheduleText(item)));
  return type === 'command' ? [commandLine(texts)] : texts;
}

function scheduleText({ vault, branch, time }: ScheduleEntry): string {
  const address = branch === undefined ? vault : `${vault}:${branch}`;
  return time === undefined ? address : `${address} ${time}`;
}
