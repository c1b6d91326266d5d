import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ran, type Options, type Ran } from './process.ts';
import { tempDir } from './temp.ts';

export type Program = 'dirvish' | 'dirvish-expire' | 'dirvish-locate' | 'dirvish-runall';

export interface DirvishOptions extends Options {
  /** The text of /etc/dirvish/master.conf. */
  readonly master: string;
  /** More files for /etc/dirvish, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** The time it believes in, as faketime takes it: `2026-11-20 22:00:00`. */
  readonly at?: string;
}

/** The program looks for its configuration in /etc only, so it sees a /etc/dirvish of its own. */
const OWN_ETC = `
  set -e
  mkdir -p /etc/dirvish
  mount -t tmpfs tmpfs /etc/dirvish
  cp -R "$1/." /etc/dirvish/
  if [ -e /etc/dirvish.conf ]; then mount --bind "$1/master.conf" /etc/dirvish.conf; fi
  shift
  exec "$@"
`;

/** Runs the real dirvish or one of its companions with a configuration of its own. */
export function dirvish(program: Program, args: readonly string[], options: DirvishOptions): Promise<Ran> {
  const { master, files = {}, at, ...how } = options;
  const etc = tempDir('dirvish');
  for (const [name, text] of Object.entries({ ...files, 'master.conf': master })) {
    mkdirSync(dirname(`${etc}/${name}`), { recursive: true });
    writeFileSync(`${etc}/${name}`, text);
  }
  const clock = at === undefined ? [] : ['faketime', '-f', `@${at}`];
  // Otherwise faketime also changes the times that rsync copies.
  const env = { ...how.env, NO_FAKE_STAT: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
  return ran(['unshare', '--mount', 'sh', '-c', OWN_ETC, 'sh', etc, ...clock, program, ...args], {
    ...how,
    env,
  });
}
