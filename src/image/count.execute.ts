import { succeeded } from '../exec/command.ts';
import { inVault, type Means } from './means.ts';

/**
 * How many entries a tree has (its root among them), and how many are directories; undefined where not all of it can
 * be looked at: without root's rights some directories stay closed, and devices are not made.
 */
export async function entriesOf(
  means: Means,
  tree: string,
): Promise<{ readonly entries: number; readonly directories: number } | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  let entries = 0;
  let directories = 0;
  const stdout = (chunk: Buffer) => {
    entries += chunk.length;
    for (const byte of chunk) if (byte === 100) directories += 1;
  };
  const argv = ['find', '.', '-printf', '%y'];
  const result = await means.run(inVault(means, argv, tree), { stdout }, means.signal);
  return succeeded(result) ? { entries, directories } : undefined;
}

/** Bytes on the disk of the files that only this tree has; 0 where it can't be told. */
export async function bytesOnlyIn(means: Means, tree: string): Promise<number> {
  let bytes = 0;
  let rest = '';
  const stdout = (chunk: Buffer) => {
    const lines = `${rest}${chunk.toString('latin1')}`.split('\n');
    rest = lines.pop() ?? '';
    // find counts blocks of 512 bytes.
    for (const line of lines) bytes += Number(line) * 512;
  };
  const argv = ['find', '.', '-type', 'f', '-links', '1', '-printf', '%b\\n'];
  const result = await means.run(inVault(means, argv, tree), { stdout }, means.signal);
  return succeeded(result) ? bytes : 0;
}
