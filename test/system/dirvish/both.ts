import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirvish, type DirvishOptions } from '../../support/dirvish.ts';
import type { Ran } from '../../support/process.ts';
import { fill, makePlace, type Place, type PlaceOptions } from '../run/place.ts';

/** A vault that both programs can continue. */
export interface Both extends Place {
  /** `dirvish --vault v …`, whatever comes of it. */
  readonly dirvish: (args: readonly string[], options?: Partial<DirvishOptions>) => Promise<Ran>;
  /** The same, as an image of this name; it has to be a success. */
  readonly dirvishImage: (name: string, ...args: readonly string[]) => Promise<void>;
}

/** A place with a filled source, whose client both programs take for this machine. */
export function makeBoth(options: PlaceOptions = {}): Both {
  const place = makePlace({ client: hostname(), ...options });
  fill(place.source);
  const call = (args: readonly string[], how: Partial<DirvishOptions> = {}) =>
    dirvish('dirvish', ['--vault', 'v', ...args], { master: place.master, ...how });
  return {
    ...place,
    dirvish: call,
    dirvishImage: async (name, ...args) => {
      const { code, err } = await call(['--image', name, ...args]);
      if (code !== 0 || err !== '') throw new Error(`dirvish ${name}: ${code}\n${err}`);
    },
  };
}

/** An rsync of dirvish's that does more than rsync; `"$@"` in the body are rsync's arguments. */
export function rsyncDoing(home: string, name: string, body: string): string {
  const file = `${home}/${name}`;
  writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return file;
}
