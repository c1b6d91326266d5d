import { writeFileSync } from 'node:fs';
import { freePort } from './port.ts';
import { start, type Running } from './process.ts';
import { tempDir } from './temp.ts';

export interface RsyncdOptions {
  /** The module's directory. */
  readonly path: string;
  /** `data` without it. */
  readonly module?: string;
  /** More lines for the module, such as `exclude = /secret` or `auth users = backup`. */
  readonly config?: readonly string[];
}

export interface Rsyncd {
  readonly port: number;
  readonly module: string;
  /** `rsync://127.0.0.1:PORT/MODULE/`. */
  readonly url: string;
  readonly line: Running['line'];
  readonly stop: () => Promise<void>;
}

const ATTEMPTS = 5;

/**
 * Node's pipes are sockets: they can't be opened by name (`/dev/stdout`), and one as standard input means inetd to the
 * daemon.
 */
const PIPED = ['sh', '-c', '"$@" < /dev/null | cat', 'sh'];

/** A real rsync daemon on a loopback port; gone at the end of the test. */
export async function rsyncd(options: RsyncdOptions): Promise<Rsyncd> {
  const home = tempDir('rsyncd');
  const module = options.module ?? 'data';
  writeFileSync(`${home}/rsyncd.conf`, daemonConfig(home, module, options));
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const where = [`--port=${port}`, '--address=127.0.0.1', `--config=${home}/rsyncd.conf`];
    const server = start([...PIPED, 'rsync', '--daemon', '--no-detach', '--log-file=/dev/stdout', ...where], {
      timeoutMs: 3_600_000,
    });
    try {
      await server.line(/ listening on port /);
      const url = `rsync://127.0.0.1:${port}/${module}/`;
      return { port, module, url, line: server.line, stop: server.stop };
    } catch (error) {
      if (attempt === ATTEMPTS || !/Address already in use/.test(String(error))) throw error;
    }
  }
}

function daemonConfig(home: string, module: string, options: RsyncdOptions): string {
  const root = process.getuid?.() === 0;
  return [
    `pid file = ${home}/pid`,
    'use chroot = no',
    'reverse lookup = no',
    'numeric ids = yes',
    ...(root ? ['uid = 0', 'gid = 0'] : []),
    `[${module}]`,
    `path = ${options.path}`,
    'read only = yes',
    ...(options.config ?? []),
    '',
  ].join('\n');
}
