import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ConfigWhere } from '../../../src/config/find.ts';
import { VaultError } from '../../../src/errors.ts';
import { tempDir } from '../../support/temp.ts';

interface Site {
  readonly directory: string;
  readonly where: ConfigWhere;
  /** Writes a file below the site's directory, `BANK` standing for its bank. */
  readonly write: (path: string, text: string | Buffer) => void;
}

/** A directory with a master file (`etc/vault/master.conf`) and a bank with the vault `v`. */
export function site(
  master = 'bank:\n\tBANK\n',
  vault: string | Buffer = 'client: localhost\ntree: /etc\n',
): Site {
  const directory = tempDir('config');
  const write = (path: string, text: string | Buffer) => {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof text === 'string' ? text.replaceAll('BANK', join(directory, 'bank')) : text);
  };
  write('etc/vault/master.conf', master);
  write('bank/v/dirvish/default.conf', vault);
  const uid = process.getuid?.() ?? 0;
  return { directory, write, where: { env: {}, uid, etc: join(directory, 'etc') } };
}

/** The expected failure of what has to fail. */
export async function failure(promise: Promise<unknown>): Promise<VaultError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof VaultError) return error;
  throw new Error('did not fail as it should', { cause: error });
}
