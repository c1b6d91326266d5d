import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expireFor } from '../../../src/config/rules.ts';
import { parseDate } from '../../../src/time/parse-date.ts';
import { strftime } from '../../../src/time/strftime.ts';
import { needs } from '../../support/needs.ts';
import { mustSync } from '../../support/process.ts';

needs('perl');

const ZONES = ['Europe/Vienna', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC'];
const START = Date.UTC(2026, 0, 1) / 1000;
const TWO_YEARS = 731 * 86_400;

/** All answers of one Perl process. */
function ask(zone: string, questions: readonly string[]): readonly string[] {
  const input = questions.map((question) => `${question}\n`).join('');
  const out = mustSync(['perl', join(import.meta.dirname, 'oracle.pl')], {
    input,
    env: { TZ: zone },
  }).toString();
  const answers = out.split('\n').slice(0, -1);
  expect(answers).toHaveLength(questions.length);
  return answers;
}

/** Moments all over two years, an odd number of seconds apart, and each quarter of an hour around changes of the clocks. */
function moments(zone: string): readonly number[] {
  const all: number[] = [];
  const step = zone === 'Europe/Vienna' ? 4033 : 30_011;
  for (let at = START; at < START + TWO_YEARS; at += step) all.push(at);
  let before = strftime('%z', START, zone);
  for (let at = START; at < START + TWO_YEARS; at += 900) {
    const offset = strftime('%z', at, zone);
    if (offset !== before) for (let near = -96; near <= 96; near += 1) all.push(at + near * 900);
    before = offset;
  }
  return all;
}

function lines(...path: string[]): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, '../../../fixtures', ...path), 'utf8');
  return text.split('\n').filter((line) => !line.startsWith('#'));
}

function ruleSets(): readonly (readonly string[])[] {
  const all = lines('config', 'oracle', 'rules.txt').join('\n').trim();
  return all.split('\n\n').map((set) => set.split('\n'));
}

/** A rule in the form and with the date that Time::Period and Time::ParseDate take. */
function forPerl(rule: string): { readonly period: string; readonly date: string } {
  const braces = /^(.*\})\s*([^}]*)$/.exec(rule);
  // dirvish's manual separates values by commas here, too, but Time::Period takes that for an error.
  if (braces !== null) {
    const period = (braces[1] ?? '').replace(/\{[^}]*\}/g, (values) => values.replaceAll(',', ' '));
    return { period, date: braces[2] ?? '' };
  }
  const [min, hr, md, mo, wd, ...date] = rule.split(/\s+/);
  const fields = Object.entries({ min, hr, md, mo, wd }).filter(([, field]) => field !== '*');
  const period = fields.map(([scale, field]) => `${scale} { ${field?.replaceAll(',', ' ')} }`).join(' ');
  return { period, date: date.join(' ') };
}

describe('rules', () => {
  it.each(ZONES)('expire as Time::Period and Time::ParseDate have it over two years in %s', (zone) => {
    const times = moments(zone);
    for (const rules of ruleSets()) {
      const parts = rules.map(forPerl);
      const matches = ask(
        zone,
        times.flatMap((now) => parts.map(({ period }) => `in\t${now}\t${period}`)),
      );
      const decided = times.map((_, index) => {
        const row = matches.slice(index * parts.length, (index + 1) * parts.length);
        expect(row).not.toContain('-1');
        return row.lastIndexOf('1');
      });
      const dates = decided.map((rule) => (rule < 0 ? '+15 days' : parts[rule]?.date || 'never'));
      const asked = times.flatMap((now, index) =>
        dates[index] === 'never' ? [] : [`at\t${now}\t${dates[index]}`],
      );
      const seconds = ask(zone, asked);
      const shown = ask(
        zone,
        seconds.map((at) => `tm\t${at}\t%Y-%m-%d %H:%M:%S`),
      );
      let next = 0;
      const theirs = times.map((now, index) => {
        const rule = rules[decided[index] ?? -1];
        const expire = dates[index] === 'never' ? 'Never' : `${dates[index]} == ${shown[next++]}`;
        return { now, expire, rule };
      });
      const settings = { expire: undefined, 'expire-rule': rules, 'expire-default': '+15 days' };
      expect(times.map((now) => ({ now, ...expireFor(settings, now, zone) }))).toEqual(theirs);
      expect(new Set(decided).size).toBeGreaterThan(1);
    }
  });
});

describe('date expressions', () => {
  it.each(ZONES)('mean what they mean to Time::ParseDate in %s', (zone) => {
    const times = moments(zone).filter((_, index) => index % 5 === 0);
    const expressions = lines('time', 'expressions.txt').filter((line) => line !== '');
    const cases = expressions.flatMap((text) => times.map((now) => ({ text, now })));
    const theirs = ask(
      zone,
      cases.map(({ text, now }) => `at\t${now}\t${text}`),
    );
    const wrong = cases.flatMap(({ text, now }, index) => {
      const read = parseDate(text, now, zone);
      const ours = 'date' in read ? String(read.date.seconds) : read.message;
      return ours === theirs[index] ? [] : [{ text, now, ours, theirs: theirs[index] }];
    });
    expect(wrong.slice(0, 20)).toEqual([]);
  });
});

describe('strftime', () => {
  it.each(ZONES)("writes what the C library's does in %s", (zone) => {
    const times = moments(zone).filter((_, index) => index % 3 === 0);
    const format = 'a A b B c C d D e F g G h H I j k l m M p P r R s S T u U V w W x X y Y z %'
      .split(' ')
      .map((letter) => `%${letter}`)
      .join('|');
    const theirs = ask(
      zone,
      times.map((now) => `tm\t${now}\t${format}`),
    );
    expect(times.map((now) => strftime(format, now, zone))).toEqual(theirs);
  });
});
