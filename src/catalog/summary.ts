import type { Image, Verdict } from '../model.ts';
import { formatRfc3339 } from '../time/local.ts';

/** A summary's fields in the order of the file; lists as arrays. */
export type Fields = ReadonlyMap<string, string | readonly string[]>;

/**
 * Reads a summary as dirvish writes it: `key: value`, `key:` with indented items, `SET`/`UNSET` lines (kept under
 * those names), `#` cutting values off. Unknown keys are kept; nothing is an error, since the truth about an image
 * must stay readable.
 */
export function parseSummary(text: string): Fields {
  const fields = new Map<string, string | string[]>();
  let list: string[] | undefined;
  for (const raw of text.split('\n')) {
    const line = raw.replace(/\s*#.*$/, '').trimEnd();
    if (line.trim() === '') continue;
    const keyed = /^([^\s:]\S*):(?:\s+(.*))?$/.exec(line);
    const flags = /^(SET|UNSET)\s+(.*)$/.exec(line);
    if (/^\s/.test(line)) list?.push(line.trim());
    else if (flags) fields.set(flags[1] ?? '', flags[2] ?? '');
    else if (keyed) list = addField(fields, keyed[1] ?? '', keyed[2]);
  }
  return fields;
}

function addField(
  fields: Map<string, string | string[]>,
  key: string,
  value: string | undefined,
): string[] | undefined {
  if (value !== undefined && value !== '') {
    fields.set(key, value);
    return undefined;
  }
  const list: string[] = [];
  fields.set(key, list);
  return list;
}

/** The text of a summary. A key `''` gives an empty line, a list its indented items; empty values are left out. */
export function formatSummary(entries: readonly (readonly [string, string | readonly string[]])[]): string {
  const lines: string[] = [];
  for (const [key, value] of entries) {
    if (key === '') lines.push('');
    else if (key === 'SET' || key === 'UNSET') lines.push(`${key} ${summaryValue(String(value))}`);
    else if (typeof value === 'string')
      lines.push(...(value === '' ? [] : [`${key}: ${summaryValue(value)}`]));
    else if (value.length > 0) lines.push(`${key}:`, ...value.map((item) => `\t${summaryValue(item)}`));
  }
  return `${lines.join('\n')}\n`;
}

/** dirvish cuts values off at a `#`, and lines end values: both are written as octal. */
export function summaryValue(value: string): string {
  return value.replace(/[#\n\r\0]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/** One field as text; a list's items joined by spaces. */
export function field(fields: Fields, key: string): string | undefined {
  const value = fields.get(key);
  return value === undefined || typeof value === 'string' ? value : value.join(' ');
}

/** One field as a list; a single value is a list of one. */
export function listField(fields: Fields, key: string): readonly string[] {
  const value = fields.get(key);
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

/**
 * The verdict of an image. Ours stands in `Vault-verdict`; dirvish's own: `success` and `warning` are good,
 * `error` is partial, `fatal` failed, and a summary without a status is of a run that never ended.
 */
export function verdictOf(fields: Fields): Verdict {
  const status = field(fields, 'Status');
  if (status === undefined) return 'incomplete';
  const ours = field(fields, 'Vault-verdict');
  if (ours === 'held' || ours === 'partial') return ours;
  if (/^(success|warn)/.test(status)) return 'good';
  if (status.startsWith('fatal')) return 'failed';
  return 'partial';
}

/** The summary of a held image, declared good; everything else in it stays to the letter. */
export function acceptedSummary(text: string, now: number, zone: string): string {
  return text
    .replace(/^Vault-verdict: .*$/m, `Vault-verdict: good\nVault-accepted: ${formatRfc3339(now, zone)}`)
    .replace(/^Status: (.*)$/m, 'Vault-held: $1\nStatus: success');
}

/** Where a summary was found, for what its fields don't tell. */
export interface SummaryPlace {
  readonly bank: string;
  readonly vault: string;
  readonly directory: string;
  readonly hasTree: boolean;
}

/**
 * The image that a summary describes. `localTime` turns dirvish's `YYYY-MM-DD hh:mm:ss` (the server's local time)
 * into seconds since the epoch; `Vault-time:` is exact and rules where it stands.
 */
export function imageOf(
  fields: Fields,
  place: SummaryPlace,
  localTime: (text: string) => number | undefined,
): Image {
  const time = (exact: string, local: string): number | undefined => {
    const precise = field(fields, exact);
    if (precise !== undefined) {
      const milliseconds = Date.parse(precise);
      if (!Number.isNaN(milliseconds)) return Math.floor(milliseconds / 1000);
    }
    const written = field(fields, local);
    return written === undefined ? undefined : localTime(written);
  };
  return {
    ...place,
    branch: field(fields, 'branch') ?? 'default',
    name: field(fields, 'Image') ?? place.directory,
    verdict: verdictOf(fields),
    status: field(fields, 'Status') ?? 'no status: the run never ended',
    client: field(fields, 'client') ?? '',
    tree: field(fields, 'tree') ?? '',
    reference: field(fields, 'Reference'),
    begun: time('Vault-begin', 'Backup-begin'),
    completed: time('Vault-time', 'Backup-complete'),
    expire: field(fields, 'Expire') ?? 'Never',
    pinned: fields.has('Vault-expire') && /never/i.test(field(fields, 'Expire') ?? ''),
    frozenUntil: isoSeconds(field(fields, 'Vault-frozen-until')),
    warnings: count(field(fields, 'Vault-warnings')) ?? 0,
    compared: field(fields, 'Vault-compared') === '1',
    files: count(field(fields, 'Vault-files')),
    directories: count(field(fields, 'Vault-directories')),
    bytes: count(field(fields, 'Vault-bytes')),
    without: (field(fields, 'UNSET') ?? '').split(' ').filter((name) => name !== ''),
  };
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function isoSeconds(text: string | undefined): number | undefined {
  const milliseconds = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
}
