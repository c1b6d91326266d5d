import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mustSync } from './process.ts';

/** Compiles a C file of the project, once for each state of it; the path of the result. */
export function compile(source: URL, flags: readonly string[] = []): string {
  const file = fileURLToPath(source);
  const hash = createHash('sha256')
    .update(readFileSync(file))
    .update(flags.join('\0'))
    .digest('hex')
    .slice(0, 16);
  const directory = ownDirectory();
  const target = join(directory, hash);
  if (existsSync(target)) return target;
  const fresh = `${target}.${process.pid}`;
  mustSync(['gcc', '-O1', '-Wall', '-Wextra', '-Werror', ...flags, '-o', fresh, file]);
  renameSync(fresh, target);
  return target;
}

/** Kept between runs. Nobody else may have put a program there. */
function ownDirectory(): string {
  const uid = process.getuid?.() ?? 0;
  const directory = join(tmpdir(), `vault-test-build-${uid}`);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const stat = lstatSync(directory);
  if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o022) !== 0) {
    throw new Error(`${directory} is not a directory of ours alone`);
  }
  return directory;
}
