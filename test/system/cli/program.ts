import { cpSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir } from '../../support/temp.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** The built program. */
export const VAULT = join(ROOT, 'dist/main.js');

/** A copy of the built program in which `vault trust CLIENT` does what the given body of a command function says. */
export function programDoing(body: string): string {
  const directory = tempDir('program');
  cpSync(join(ROOT, 'dist'), join(directory, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(directory, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  const source = `import { VaultError } from '../errors.js';\nexport const run = async (context, args) => {\n${body}\n};\n`;
  writeFileSync(join(directory, 'dist/commands/trust.run.js'), source);
  return join(directory, 'dist/main.js');
}

/** All lines of an NDJSON output. Throws where one is no JSON. */
export function objectsOf(out: string): readonly Record<string, unknown>[] {
  if (out !== '' && !out.endsWith('\n')) throw new Error(`the last line is not whole: ${out}`);
  return out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
