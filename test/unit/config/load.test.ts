import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadBranch, loadMaster } from '../../../src/config/load.ts';
import { problemText } from '../../../src/show/error.ts';
import { failure, site } from './site.ts';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/config');
const V = { vault: 'v', branch: undefined };

function namesIn(kind: string): readonly string[] {
  const names = readdirSync(join(FIXTURES, kind)).filter((name) => name.endsWith('.conf'));
  return names.map((name) => name.slice(0, -'.conf'.length));
}

describe('broken files', () => {
  it('are many', () => {
    expect(namesIn('invalid').length).toBeGreaterThanOrEqual(25);
  });

  it.each(namesIn('invalid'))('%s: every problem is told', async (name) => {
    const text = readFileSync(join(FIXTURES, 'invalid', `${name}.conf`));
    const isMaster = name.startsWith('master-');
    const { where, directory } = isMaster ? site(text.toString()) : site(undefined, text);
    const error = await failure(isMaster ? loadMaster(where) : loadBranch(where, V));
    expect(error.kind).toBe('config');
    const told = [error.message, ...error.problems.map(problemText)].join('\n').replaceAll(directory, 'DIR');
    await expect(`${told}\n`).toMatchFileSnapshot(join(FIXTURES, 'invalid', `${name}.txt`));
  });
});

describe('good files', () => {
  it.each(namesIn('valid'))('%s loads', async (name) => {
    const text = readFileSync(join(FIXTURES, 'valid', `${name}.conf`), 'utf8');
    const { where, directory } = site(undefined, text.replaceAll('\n', name.startsWith('e') ? '\r\n' : '\n'));
    copyFileSync(join(FIXTURES, 'valid', 'patterns.list'), join(directory, 'bank/v/dirvish/patterns.list'));
    const { settings, notes } = await loadBranch(where, V);
    const own = Object.entries(settings).filter(([option]) => option !== 'bank' && option !== 'time-zone');
    const told = { settings: Object.fromEntries(own), notes: notes.map(problemText) };
    const json = `${JSON.stringify(told, null, 2)}\n`.replaceAll(directory, 'DIR');
    await expect(json).toMatchFileSnapshot(join(FIXTURES, 'valid', `${name}.json`));
  });
});
