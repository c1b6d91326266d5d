import { textOf } from '../raw-text.ts';
import { ancestorsOf } from './clone.ts';
import type { Finding } from './judge.ts';
import { fileErrors, pathOfError, toleratedBy, unexplained, type FileError } from './outcome.ts';
import type { ImagePlan } from './plan.ts';
import type { Listing } from './scan.execute.ts';
import type { Totals } from './scan.ts';
import type { Tally } from './tally.ts';
import type { Work } from './work.execute.ts';

/** What an attempt that came to its end has made. */
export interface Made {
  readonly kind: 'made';
  readonly command: string;
  readonly tally: Tally;
  readonly totals: Totals | undefined;
  readonly findings: readonly Finding[];
  readonly held: boolean;
  /** Some files could not be read. */
  readonly partial: boolean;
  readonly missing: readonly string[];
  readonly warnings: readonly string[];
}

/** How the steps went that made it. */
export interface Steps {
  readonly command: string;
  readonly scanned: Listing;
  readonly findings: readonly Finding[];
  readonly held: boolean;
  readonly lost: readonly string[];
  readonly strays: ReadonlySet<string>;
}

/** A tree that is made, but not yet counted. */
export interface Uncounted extends Made {
  /** Whether there is a reason for entries that the client listed and that are not there. */
  readonly explained: boolean;
}

/** Says what came of an attempt, from what its rsyncs said. Pure. */
export function resultOf(work: Work, { command, scanned, findings, held, lost, strays }: Steps): Uncounted {
  const { plan, listings } = work;
  const errors: FileError[] = [];
  let nameless = false;
  for (const listing of listings.filter((each) => each.end.outcome === 'partial')) {
    const all = fileErrors(listing.messages);
    errors.push(...all.filter((error) => !isBelow(pathOfError(error), plan, strays)));
    if (all.length === 0 || listing.dropped > 0 || unexplained(listing.messages) > 0) nameless = true;
  }
  const bad = errors.filter((error) => !toleratedBy(plan.settings.tolerate, readable(error.path)));
  const partial = nameless || bad.length > 0;
  const tolerated = new Set(errors.map((error) => error.path)).size;
  const warnings: string[] = [];
  if (!partial && tolerated > 0) warnings.push(`${tolerated} tolerated paths could not be read`);
  if (!partial && lost.length > 0) {
    const more = lost.length === 1 ? '' : ` and ${lost.length - 1} more`;
    warnings.push(`vanished during the run: ${lost[0]}${more}`);
  } else if (listings.some((listing) => listing.end.outcome === 'vanished')) {
    warnings.push('some files vanished before they could be read');
  }
  for (const finding of findings) if (finding.level === 'warn') warnings.push(finding.message);
  const missing = [...new Set(bad.map((error) => readable(error.path)))];
  if (nameless) missing.push('(more, which rsync did not name or which were too many: see rsync_error)');
  const { tally, totals } = scanned;
  const explained =
    lost.length > 0 || strays.size > 0 || listings.some((each) => each.end.outcome !== 'good');
  return { kind: 'made', command, tally, totals, findings, held, partial, missing, warnings, explained };
}

/** rsync's messages are kept as bytes; people and configuration have text. */
function readable(path: string): string {
  return textOf(Buffer.from(path, 'latin1'));
}

/** Whether a path on the client lies below one of these directories of the tree (latin1). */
function isBelow(path: string, plan: ImagePlan, directories: ReadonlySet<string>): boolean {
  const base = `${Buffer.from(plan.setup.source.path).toString('latin1')}/`;
  if (!path.startsWith(base)) return false;
  return ancestorsOf(Buffer.from(path.slice(base.length), 'latin1')).some((each) =>
    directories.has(each.toString('latin1')),
  );
}
