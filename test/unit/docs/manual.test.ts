import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { COMMANDS } from '../../../src/commands/table.ts';
import { OPTIONS } from '../../../src/config/options.ts';
import { commandsPart, exitCodesPart, globalsPart, optionsPart, page, reservedPart } from './manual.ts';
import { roff, syntax } from './roff.ts';

const DOCS = join(import.meta.dirname, '../../../docs');
const PARTS = {
  COMMANDS: commandsPart(COMMANDS.map(({ spec }) => spec)),
  GLOBALS: globalsPart(),
  EXITCODES: exitCodesPart(),
  OPTIONS: optionsPart(OPTIONS),
  RESERVED: reservedPart(OPTIONS),
};

// `npm run docs` writes the pages anew.
it.each(['vault.8', 'vault.conf.5'])(
  'docs/%s is what specs, option table and template make it',
  async (name) => {
    const template = readFileSync(join(DOCS, `${name}.in`), 'utf8');
    await expect(page(template, PARTS)).toMatchFileSnapshot(join(DOCS, name));
  },
);

it('tells of every command and every option', () => {
  for (const { spec } of COMMANDS) expect(PARTS.COMMANDS).toContain(`.SS ${roff(spec.name)}\n`);
  for (const name of Object.keys(OPTIONS)) {
    const tag = roff(name);
    expect(PARTS.OPTIONS.includes(`\\fB${tag}:\\fR`) || PARTS.RESERVED.includes(`\\fB${tag}\\fR`)).toBe(true);
  }
});

it('keeps text from being taken for requests and escapes', () => {
  expect(roff(".so /etc/passwd\n\\n'a-b'")).toBe('\\&.so /etc/passwd\n\\en\\(aqa\\-b\\(aq');
  expect(syntax('VAULT[:BRANCH]')).toBe('\\fIVAULT\\fR\\fB[:\\fR\\fIBRANCH\\fR\\fB]\\fR');
});

it('refuses a template that asks for what there is not', () => {
  expect(() => page('@NOTHING@', PARTS)).toThrow('@NOTHING@');
});
