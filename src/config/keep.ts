import { parseDuration } from '../time/duration.ts';
import { mostSimilar } from './similar.ts';

/** The periods of which a keep rule keeps the newest image each. */
export type KeepPeriod = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly';

/** One line of `keep:` taken apart. */
export type KeepRule =
  | { readonly kind: 'last'; readonly count: number }
  | { readonly kind: 'within'; readonly seconds: number }
  | { readonly kind: 'period'; readonly period: KeepPeriod; readonly count: number };

export type KeepResult = { readonly rule: KeepRule } | { readonly message: string };

const PERIODS: readonly KeepPeriod[] = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'];
const WORDS: readonly string[] = ['last', 'within', ...PERIODS];
const EXAMPLES = '"last 7", "within 30 days" or "daily 14"';

/** Reads one item of `keep:`: `last N`, `within DURATION`, or `hourly`, `daily`, `weekly`, `monthly`, `yearly` N. */
export function parseKeep(text: string): KeepResult {
  const [, word = '', value = ''] = /^(\S+)(?:\s+(.*))?$/.exec(text.trim().toLowerCase()) ?? [];
  if (!WORDS.includes(word)) {
    const similar = mostSimilar(word, WORDS);
    const hint = similar === undefined ? `write ${EXAMPLES}` : `did you mean "${similar}"?`;
    return { message: `"${text}" keeps nothing: ${hint}` };
  }
  if (value === '') return { message: `"${text}" does not say how many; write ${EXAMPLES}` };
  if (word === 'within') return readWithin(text, value);
  if (!/^\d+$/.test(value)) return { message: `"${text}": "${value}" is not a whole number` };
  const count = Number(value);
  if (count === 0 || !Number.isSafeInteger(count))
    return { message: `"${text}": at least 1, or leave it out` };
  const period = PERIODS.find((each) => each === word);
  return { rule: period === undefined ? { kind: 'last', count } : { kind: 'period', period, count } };
}

function readWithin(text: string, value: string): KeepResult {
  const seconds = parseDuration(value);
  if (seconds !== undefined && seconds > 0) return { rule: { kind: 'within', seconds } };
  if (/month|year/.test(value)) {
    return { message: `"${text}": months and years have no fixed length; say it in days or weeks` };
  }
  return { message: `"${text}": "${value}" is not a duration such as 12 hours, 30 days or 8 weeks` };
}
