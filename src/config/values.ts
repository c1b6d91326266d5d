import { parseDuration } from '../time/duration.ts';
import { isNever, parseDate } from '../time/parse-date.ts';
import { strftime, unknownConversion } from '../time/strftime.ts';
import { parseKeep } from './keep.ts';
import { isUsableName } from './names.ts';
import type { Kind, KindValues, Option, Packing, ScheduleEntry } from './option.ts';
import { checkExpireDate, parseRule } from './rules.ts';
import { parseTree } from './tree.ts';
import { splitWords } from './words.ts';

/** A checked value, or what is wrong with the text. */
export type Reading<T> = { readonly value: T; readonly note?: string } | { readonly message: string };

type Readers = { readonly [K in Kind]: (text: string, option: Option) => Reading<KindValues[K]> };

const CLIENT_NAME = /^([a-z_][a-z0-9_-]*@)?[A-Za-z0-9][A-Za-z0-9._-]*$/;
const EMPTY = { message: 'is empty' };
const LISTS: ReadonlySet<Kind> = new Set(['list', 'directories', 'rules', 'keep', 'schedule']);
const IMAGE_NAME = /^[^\s/.-][^\s/]*$/;

const READERS: Readers = {
  boolean: (text) => {
    if (text === '0' || text === '1') return { value: text === '1' };
    return { message: `"${text}" is neither 0 nor 1 (dirvish takes any text, even "no", for yes)` };
  },
  string: (text) => (text === '' ? EMPTY : { value: text }),
  path: (text) => (text.startsWith('/') ? { value: text } : { message: `"${text}" is not an absolute path` }),
  list: (text) => (text === '' ? EMPTY : { value: [text] }),
  directories: (text) => {
    if (text.startsWith('/')) return { value: [text.replace(/(?<=.)\/+$/, '')] };
    return { message: `"${text}" is not an absolute path` };
  },
  rules: (text) => {
    const result = parseRule(text);
    if ('message' in result) return result;
    const { note } = result.rule;
    return { value: [text], ...(note === undefined ? {} : { note }) };
  },
  keep: (text) => {
    const result = parseKeep(text);
    return 'message' in result ? result : { value: [text] };
  },
  integer: (text, option) => number(text, /^\d+$/, 'a whole number', option),
  number: (text, option) => number(text, /^\d+(\.\d+)?$/, 'a number', option),
  percent: (text) => {
    const value = /^(\d+(?:\.\d+)?)\s*%?$/.exec(text)?.[1];
    if (value !== undefined && Number(value) <= 100) return { value: Number(value) };
    return { message: `"${text}" is not a percentage from 0 to 100` };
  },
  octal: (text) => {
    if (/^0?[0-7]{3,4}$/.test(text)) return { value: text };
    return { message: `"${text}" is not an octal mode such as 0700` };
  },
  duration: (text) => {
    const value = parseDuration(text);
    if (value !== undefined) return { value };
    return { message: `"${text}" is not a duration such as 600, 10m, 6h or 30 days` };
  },
  choice: (text, option) => {
    if (option.choices?.includes(text)) return { value: text };
    return { message: `"${text}" is none of ${(option.choices ?? []).join(', ')}` };
  },
  command: (text) => {
    const split = splitWords(text);
    if ('message' in split) return split;
    return split.words[0] ? { value: split.words } : { message: 'the command is empty' };
  },
  packing: readPacking,
  date: (text) => {
    const message = checkExpireDate(text);
    return message === undefined ? { value: text } : { message };
  },
  time: (text) => {
    const message = checkTime(text);
    return message === undefined ? { value: text } : { message };
  },
  schedule: (text) => {
    const entry = readSchedule(text);
    return 'message' in entry ? entry : { value: [entry.value] };
  },
  zone: (text) => {
    if (text === 'system' || isZone(text)) return { value: text };
    return { message: `"${text}" is not a time zone such as Europe/Vienna or UTC` };
  },
  client: (text) => {
    if (CLIENT_NAME.test(text)) return { value: text };
    return { message: `"${text}" is not a host name, nor USER@HOST` };
  },
  tree: (text) => {
    if (parseTree(text) !== undefined) return { value: text };
    return {
      message: `"${text}" is neither an absolute path nor :MODULE/PATH of an rsync daemon, with at most one alias (write a space in a path as "\\ ")`,
    };
  },
  name: (text) => {
    if (isUsableName(text)) return { value: text };
    return {
      message: `"${text}" can't be a name: no white space, "/", ":" or "@", and no "." or "-" in front`,
    };
  },
  pattern: (text) => {
    const unknown = unknownConversion(text);
    if (unknown !== undefined) return { message: `"${unknown}" is unknown to strftime` };
    const example = strftime(text, 0, 'UTC');
    if (IMAGE_NAME.test(example) && example !== 'dirvish') return { value: text };
    return {
      message: `"${text}" can't be the name of an image: no spaces or slashes, and no . or - in front`,
    };
  },
};

/** Reads the text of one value; for lists, of one item (the value is then a list of one). */
export function readValue(option: Option, text: string): Reading<KindValues[Kind]> {
  return READERS[option.type](text, option);
}

/** Whether values of this option accumulate. */
export function isList(option: Option): boolean {
  return LISTS.has(option.type);
}

function number(text: string, form: RegExp, what: string, option: Option): Reading<number> {
  const value = Number(text);
  if (form.test(text) && Number.isFinite(value) && value >= (option.min ?? 0)) return { value };
  const least = option.min === undefined || option.min === 0 ? '' : ` of at least ${option.min}`;
  return { message: `"${text}" is not ${what}${least}` };
}

function readPacking(text: string): Reading<Packing> {
  if (text === 'none' || text === 'no') return { value: { format: 'none', argv: [] } };
  if (text === 'text') return { value: { format: 'text', argv: [] } };
  const split = splitWords(text);
  const argv = 'words' in split ? split.words : [];
  const program = /^(?:\/.*\/)?(gzip|bzip2)$/.exec(argv[0] ?? '')?.[1];
  if (program === 'gzip' || program === 'bzip2') return { value: { format: program, argv } };
  return { message: `"${text}" is none of none, text, gzip, bzip2, nor the path of gzip or bzip2` };
}

function readSchedule(text: string): Reading<ScheduleEntry> {
  const [, address = '', time] = /^(\S+)(?:\s+(.+))?$/.exec(text) ?? [];
  const [vault = '', branch, ...more] = address.split(':');
  if (more.length > 0 || !isUsableName(vault) || (branch !== undefined && !isUsableName(branch))) {
    return { message: `"${address}" is not VAULT or VAULT:BRANCH` };
  }
  const message = time === undefined ? undefined : checkTime(time);
  return message === undefined ? { value: { vault, branch, time } } : { message };
}

/** What is wrong with a time to date an image to. */
function checkTime(text: string): string | undefined {
  if (isNever(text)) return '"never" is no time for an image';
  const result = parseDate(text, 0, 'UTC', '"22:00" or "yesterday 22:00"');
  return 'message' in result ? result.message : undefined;
}

function isZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
