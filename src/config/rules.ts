import { VaultError } from '../errors.ts';
import { isNever, parseDate } from '../time/parse-date.ts';
import { inPeriod, parsePeriod, parseRanges } from '../time/period.ts';
import type { Period } from '../time/period.ts';
import { formatLocal } from '../time/local.ts';
import type { Settings } from './options.ts';

/** An expire rule taken apart. */
export interface Rule {
  readonly period: Period;
  /** A date expression; empty for never. */
  readonly date: string;
  readonly note?: string;
}

export type RuleResult = { readonly rule: Rule } | { readonly message: string };

/** What dirvish writes into a summary as `Expire:` and `Expire-rule:`. */
export interface Expiry {
  /** `+3 months == 2027-01-01 22:00:00`, or `Never`. */
  readonly expire: string;
  /** The rule that decided, as written; undefined where none did. */
  readonly rule: string | undefined;
  /** Worth telling, but no error. */
  readonly note?: string;
}

const FIELDS = ['min', 'hr', 'md', 'mo', 'wd'] as const;
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/**
 * Reads one expire rule: `MIN HOUR DAY MONTH WEEKDAY DATE` with the values of Time::Period, or
 * `wd { sun } md { 1-7 } DATE`. No date means never.
 */
export function parseRule(text: string): RuleResult {
  const parts = /[{}]/.test(text) ? splitPeriodRule(text) : splitCronRule(text);
  if ('message' in parts) return parts;
  const read = parsePeriod(parts.period);
  if ('message' in read) return read;
  const message = parts.date === '' ? undefined : checkExpireDate(parts.date);
  if (message !== undefined) return { message };
  const note = weekDayNote(parts.period);
  return { rule: { period: read.period, date: parts.date, ...(note === undefined ? {} : { note }) } };
}

type Parts = { readonly period: string; readonly date: string } | { readonly message: string };

function splitPeriodRule(text: string): Parts {
  const [, period, date] = /^(.*\})\s*([^}]*)$/.exec(text.trim()) ?? [];
  if (period === undefined || date === undefined)
    return { message: `"${text}" has a brace that is not closed` };
  return { period, date };
}

/** The crontab form, turned into that of Time::Period. */
function splitCronRule(text: string): Parts {
  const [, ...fields] = /^(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)(?:\s+(.*))?$/.exec(text.trim()) ?? [];
  const date = fields[FIELDS.length] ?? '';
  let period = '';
  for (const [index, scale] of FIELDS.entries()) {
    const field = fields[index];
    if (field === undefined) {
      return { message: `"${text}" needs five fields (minute, hour, day, month, weekday) and a date` };
    }
    if (field === '*') continue;
    if (field.includes('/')) return { message: `"${field}": steps are not understood; list the values` };
    const ranges = parseRanges(scale, field);
    if (typeof ranges === 'string') return { message: ranges };
    period += `${scale} { ${field.replaceAll(',', ' ')} } `;
  }
  return { period, date };
}

/** Numbers for days of the week are not those of cron: 1 is Sunday. */
function weekDayNote(period: string): string | undefined {
  const values = [...period.matchAll(/\b(?:wd|wday)\s*\{([^}]*)\}/gi)]
    .map((match) => match[1] ?? '')
    .join(' ');
  if (!/\d/.test(values)) return undefined;
  const names = values.trim().replace(/\d/g, (digit) => DAYS[Number(digit) - 1] ?? digit);
  return `weekday ${values.trim()} means ${names} here (1 is Sunday, unlike in crontab); names are clearer`;
}

/** What is wrong with a date for `expire`, `expire-default` or a rule; undefined for nothing. */
export function checkExpireDate(text: string): string | undefined {
  if (isNever(text)) return undefined;
  // Any moment will do: only that it is later than itself is asked.
  const now = 1_000_000_000;
  const result = parseDate(text, now, 'UTC', '"+3 months", "2027-01-31" or "never"');
  if ('message' in result) return result.message;
  const { hasDay, hasTime, relative, seconds } = result.date;
  if (relative && !hasDay && hasTime && !/[a-z]/i.test(text)) return `"${text}" is a time of day, not a date`;
  if (relative && seconds <= now) return `"${text}" is not in the future`;
  return undefined;
}

/** The date of expiry for an image made at `now` (seconds since the epoch), as dirvish works it out. */
export function expireFor(
  settings: Pick<Settings, 'expire' | 'expire-rule' | 'expire-default'>,
  now: number,
  zone: string,
): Expiry {
  if (settings.expire !== undefined) return expiry(settings.expire, undefined, now, zone);
  for (const text of settings['expire-rule'].toReversed()) {
    const result = parseRule(text);
    if ('message' in result) throw new VaultError('config', `expire-rule: ${result.message}`);
    const { period, date } = result.rule;
    if (inPeriod(period, now, zone)) return expiry(date === '' ? 'never' : date, text, now, zone);
  }
  return expiry(settings['expire-default'] ?? 'never', undefined, now, zone);
}

/** What an image's date of expiry comes from; `none` where nothing says anything about it. */
export type ExpirySource = 'expire' | 'rule' | 'default' | 'none';

/** Where the date came from that `expireFor` gave for these settings. */
export function expirySource(
  settings: Pick<Settings, 'expire' | 'expire-default'>,
  rule: string | undefined,
): ExpirySource {
  if (settings.expire !== undefined) return 'expire';
  if (rule !== undefined) return 'rule';
  return settings['expire-default'] === undefined ? 'none' : 'default';
}

function expiry(date: string, rule: string | undefined, now: number, zone: string): Expiry {
  if (isNever(date)) return { expire: 'Never', rule };
  const result = parseDate(date, now, zone);
  if ('message' in result) throw new VaultError('config', `expire: ${result.message}`);
  const { seconds } = result.date;
  const expire = `${date} == ${formatLocal(seconds, zone)}`;
  return seconds > now ? { expire, rule } : { expire, rule, note: `expires at once: ${expire}` };
}
