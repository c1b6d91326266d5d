/** What an option of the configuration is. Pure data; the table itself is in options.ts. */

/** Where a value may come from. Later layers override earlier ones; lists accumulate. */
export type Layer = 'master' | 'client' | 'vault' | 'branch' | 'command line';

export const ANYWHERE: readonly Layer[] = ['master', 'client', 'vault', 'branch', 'command line'];
export const MASTER_ONLY: readonly Layer[] = ['master', 'command line'];

/** How a file is stored beside the tree: `log:` and `index:`. `argv` is empty for none and text. */
export interface Packing {
  readonly format: 'none' | 'text' | 'gzip' | 'bzip2';
  /** The program to pack the file with (`gzip`, `/usr/bin/bzip2 -9`), to which the file's name is added. */
  readonly argv: readonly string[];
}

/** One entry of `Runall:`. */
export interface ScheduleEntry {
  readonly vault: string;
  readonly branch: string | undefined;
  /** The time the image is dated to (`22:00`), forced into the past; undefined for now. */
  readonly time: string | undefined;
}

/** The value type of each kind. Durations are seconds, percentages 0 to 100. */
export interface KindValues {
  boolean: boolean;
  string: string;
  /** Absolute. */
  path: string;
  list: readonly string[];
  /** Absolute paths, without a slash at the end. */
  directories: readonly string[];
  integer: number;
  number: number;
  percent: number;
  octal: string;
  duration: number;
  choice: string;
  command: readonly string[];
  packing: Packing;
  /** A date expression such as `+3 months` or `never`, checked but not evaluated. */
  date: string;
  /** A time expression such as `22:00` or `yesterday 22:00`, checked but not evaluated. */
  time: string;
  /** Expire rules, checked but as text; rules.ts evaluates them. */
  rules: readonly string[];
  /** What to keep, checked but as text; keep.ts takes it apart. */
  keep: readonly string[];
  schedule: readonly ScheduleEntry[];
  /** An IANA time zone; load.ts puts the machine's own in place of `system`. */
  zone: string;
  /** `[USER@]HOST`. */
  client: string;
  /** As written; `parseTree` takes it apart. */
  tree: string;
  /** A vault, branch or image. */
  name: string;
  /** The name of an image, with % conversions of strftime. */
  pattern: string;
}

export type Kind = keyof KindValues;

/** The headings under which options are shown and documented. */
export type Group =
  | 'where'
  | 'what'
  | 'names'
  | 'transfer'
  | 'safety'
  | 'schedule'
  | 'expiry'
  | 'hooks'
  | 'disks'
  | 'notification'
  | 'later';

/** Those headings, in the order in which they are shown. */
export const GROUP_HEADINGS: Readonly<Record<Group, string>> = {
  where: 'Where things are',
  what: 'What is backed up',
  names: 'Images and their names',
  transfer: 'Transfer',
  safety: 'Safety',
  schedule: 'Schedule',
  expiry: 'Expiry',
  hooks: 'Hooks',
  disks: 'Disks',
  notification: 'Notification',
  later: 'Later',
};

export interface Option<K extends Kind = Kind, D = unknown> {
  readonly type: K;
  readonly default: D;
  readonly group: Group;
  /** One line. */
  readonly doc: string;
  readonly layers: readonly Layer[];
  /** All values of a choice. */
  readonly choices?: readonly string[];
  /** The least allowed number. */
  readonly min?: number;
  /** What stands for the value in the manual: `DIR`. */
  readonly placeholder?: string;
  /** A value (of a list: an item) for samples and manual; needed where there is no default. */
  readonly example?: string;
  /** Accepted without effect; the text says why. */
  readonly ignored?: string;
}

/** An option of later work or of the command line only: known, and an error where it is used. */
export interface Reserved {
  readonly reserved: string;
  readonly group: Group;
  readonly doc: string;
}

/** A line that reads another file at its place: `config:`, `file-exclude:`. */
export interface Include {
  readonly include: 'configuration' | 'exclude';
  readonly group: Group;
  readonly example: string;
  readonly doc: string;
  readonly layers: readonly Layer[];
}

export type TableEntry = Option | Reserved | Include;

type More = Partial<Pick<Option, 'layers' | 'min' | 'placeholder' | 'example' | 'ignored'>>;

/** An option with a value always there. */
export function option<K extends Kind>(
  type: K,
  value: KindValues[K],
  group: Group,
  doc: string,
  more: More = {},
): Option<K, KindValues[K]> {
  return { type, default: value, group, doc, layers: ANYWHERE, ...more };
}

/** An option that is undefined until it is set. */
export function optional<K extends Kind>(
  type: K,
  group: Group,
  doc: string,
  more: More = {},
): Option<K, undefined> {
  return { type, default: undefined, group, doc, layers: ANYWHERE, ...more };
}

/** One of several words. */
export function choice<const C extends readonly string[]>(
  choices: C,
  value: C[number],
  group: Group,
  doc: string,
  more: More = {},
): Option<'choice', C[number]> & { readonly choices: C } {
  return { type: 'choice', default: value, choices, group, doc, layers: ANYWHERE, ...more };
}

/** An option of later work. */
export function later(doc: string, group: Group = 'later'): Reserved {
  return { reserved: 'is known, but not supported by this version', group, doc };
}

export function isReserved(entry: TableEntry): entry is Reserved {
  return 'reserved' in entry;
}

export function isInclude(entry: TableEntry): entry is Include {
  return 'include' in entry;
}
