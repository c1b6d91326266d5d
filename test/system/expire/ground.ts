import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { objectsOf } from '../cli/program.ts';
import { mustSync, type Ran } from '../../support/process.ts';
import { fill, makePlace, type Place, type PlaceOptions } from '../run/place.ts';

/** What the summary of an image says. Times are local, as dirvish writes them: `2026-11-20 22:00:00`. */
export interface Written {
  readonly completed: string;
  /** The whole of `Expire:`; without it long past. */
  readonly expire?: string;
  readonly status?: string;
  readonly branch?: string;
  /** More lines. */
  readonly more?: readonly string[];
}

/** A place with images of any date, which share their files as a run's do. */
export interface Ground extends Place {
  /** Makes an image by hand, with its history line. */
  readonly written: (name: string, what: Written) => void;
  /** `vault expire …` with `--json`. */
  readonly expire: (...args: readonly string[]) => Promise<Expired>;
  readonly exists: (path: string) => boolean;
  /** Names in the vault that begin with a dot. */
  readonly dotted: () => string[];
}

export interface Expired extends Ran {
  readonly objects: readonly Record<string, unknown>[];
  /** By directory: what the plan says, and every code of a reason. */
  readonly plan: ReadonlyMap<string, { readonly action: string; readonly codes: readonly string[] }>;
  /** By directory: what became of it. */
  readonly outcomes: ReadonlyMap<string, string>;
  readonly result: Record<string, unknown>;
}

export const PAST = '+15 days == 2026-01-31 22:00:00';
export const AHEAD = '+15 years == 2041-01-31 22:00:00';

/** Makes a ground. No clock is checked before the first run: `--time now` does away with that. */
export function makeGround(options: PlaceOptions = {}): Ground {
  const place = makePlace(options);
  fill(place.source);
  const seed = `${place.home}/seed`;
  mkdirSync(seed);
  mustSync(['cp', '-a', `${place.source}/.`, seed]);
  // On the bank's own file system, so that images can share its files.
  const shared = `${place.vault}/.seed`;
  return {
    ...place,
    written: (name, what) => {
      if (!existsSync(shared)) mustSync(['cp', '-a', seed, shared]);
      mkdirSync(`${place.vault}/${name}`, { mode: 0o700 });
      mustSync(['cp', '-al', shared, `${place.vault}/${name}/tree`]);
      writeFileSync(`${place.vault}/${name}/summary`, summaryText(name, what), { mode: 0o600 });
      writeFileSync(`${place.vault}/${name}/log`, `made by hand: ${name}\n`, { mode: 0o600 });
      addHistory(place.vault, name, what);
    },
    expire: async (...args) => expired(await place.call(['expire', ...args, '--json'])),
    exists: (path) => existsSync(`${place.vault}/${path}`),
    dotted: () => readdirSync(place.vault).filter((entry) => entry.startsWith('.') && entry !== '.seed'),
  };
}

function summaryText(name: string, what: Written): string {
  return [
    'client: localhost',
    'tree: /source',
    'vault: v',
    `branch: ${what.branch ?? 'default'}`,
    `Image: ${name}`,
    'Reference: default',
    `Image-now: ${what.completed}`,
    `Expire: ${what.expire ?? PAST}`,
    ...(what.more ?? []),
    `Backup-begin: ${what.completed}`,
    `Backup-complete: ${what.completed}`,
    ...(what.status === '' ? [] : [`Status: ${what.status ?? 'success'}`]),
    '',
  ].join('\n');
}

function addHistory(
  vault: string,
  name: string,
  { completed, expire = PAST, branch = 'default' }: Written,
): void {
  const path = `${vault}/dirvish/${branch}.hist`;
  if (!existsSync(path)) writeFileSync(path, '#IMAGE\tCREATED\tREFERECE\tEXPIRES\n', { mode: 0o600 });
  writeFileSync(path, `${name}\t${completed}\tdefault\t${expire}\n`, { flag: 'a' });
}

/** The NDJSON of an expire, taken apart. */
export function expired(ran: Ran): Expired {
  const objects = objectsOf(ran.out);
  const images = objects.filter(({ type }) => type === 'image');
  const codes = (reasons: unknown) =>
    Array.isArray(reasons) ? reasons.map((each: { code: string }) => each.code) : [];
  return {
    ...ran,
    objects,
    plan: new Map(
      images
        .filter(({ action }) => action !== undefined)
        .map((image) => [
          String(image['directory']),
          { action: String(image['action']), codes: codes(image['reasons']) },
        ]),
    ),
    outcomes: new Map(
      images
        .filter(({ outcome }) => outcome !== undefined)
        .map((image) => [String(image['directory']), String(image['outcome'])]),
    ),
    result: objects.at(-1) ?? {},
  };
}

/** Four images: two that may go, one that is to stay by its date, and the newest, which stays though it is past. */
export function makeFour(): Ground {
  const ground = makeGround();
  ground.written('old', { completed: '2026-01-10 22:00:00' });
  ground.written('older', { completed: '2026-01-09 22:00:00', expire: PAST });
  ground.written('kept', { completed: '2026-01-11 22:00:00', expire: AHEAD });
  ground.written('newest', { completed: '2026-01-12 22:00:00' });
  return ground;
}
