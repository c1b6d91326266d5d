import type { Source } from './rsync.ts';

export type Engine = 'delta' | 'link-dest';

export interface EngineChoice {
  readonly engine: Engine;
  /** Why `delta` was not taken, in the user's words; undefined where it was, or where nothing else was possible. */
  readonly reason: string | undefined;
}

export interface EngineFacts {
  readonly wanted: 'auto' | Engine;
  readonly hasReference: boolean;
  readonly source: Source;
  readonly userOptions: readonly string[];
  /** [3, 2, 7]; undefined when it could not be found out. */
  readonly serverRsync: readonly number[] | undefined;
  readonly clientRsync: readonly number[] | undefined;
  readonly permissions: boolean;
  readonly devices: boolean;
  /** Of ACLs and extended attributes: what the reference has, or may have, and the new image is to be without. */
  readonly dropped: readonly string[];
}

/** Long options that the equivalence test covers, or that change how bytes travel and not what arrives. */
const ALLOWED_LONG = new Set(
  `acls archive bwlimit checksum checksum-choice compress compress-choice compress-level contimeout cvs-exclude
  debug devices exclude exclude-from filter group hard-links human-readable include include-from info ipv4 ipv6
  itemize-changes links new-compress no-compress no-human-readable no-whole-file numeric-ids old-compress one-file-system owner perms port progress protect-args quiet recursive rsync-path
  secluded-args skip-compress sockopts sparse specials stats times timeout verbose whole-file xattrs zc zl`
    .split(/\s+/)
    .filter((name) => name !== ''),
);
/** `-C` stands alone: the transfer leaves filters out. */
const ALLOWED_SHORT = /^-([aAcDghHilopqrsStvWxXz46]+|C)$/;
/**
 * Rules that only choose names. Files with rules (`-F`, `dir-merge`) are the client's: a rule in one can act on the
 * receiving side or on attributes, and no list of changes would tell.
 */
const PLAIN_RULE = /^\s*([-+]|exclude|include)[ _]/;

/** Which engine makes the image. `delta` only where it is proven to give the same image as plain rsync. */
export function chooseEngine(facts: EngineFacts): EngineChoice {
  if (!facts.hasReference) return { engine: 'link-dest', reason: undefined };
  if (facts.wanted === 'link-dest') return { engine: 'link-dest', reason: 'the option `engine` says so' };
  const reason = objection(facts);
  return reason === undefined ? { engine: 'delta', reason } : { engine: 'link-dest', reason };
}

function objection(facts: EngineFacts): string | undefined {
  if (facts.source.kind === 'daemon') return 'the tree is served by an rsync daemon';
  // A fresh directory's mode would follow from the umask then, that of a clone from the reference.
  if (!facts.permissions) return 'permissions and owners are not kept';
  // A file that became a device is in no list then, neither as deleted nor as changed.
  if (!facts.devices) return 'devices are not kept';
  if (facts.dropped.length > 0) return `the reference has ${facts.dropped.join(' and ')}, now switched off`;
  if (!atLeast(facts.serverRsync, [3, 1])) return 'the rsync of this machine is older than 3.1 or not known';
  if (facts.source.kind === 'ssh' && !atLeast(facts.clientRsync, [3, 1])) {
    return "the client's rsync is older than 3.1 or not known";
  }
  const strange = facts.userOptions.find((option) => !allowedOption(option));
  return strange === undefined ? undefined : `rsync-option ${strange} is not one that it is proven for`;
}

/** Whether an rsync option of the user's is one that the delta engine is proven for. */
export function allowedOption(option: string): boolean {
  if (!option.startsWith('--')) return ALLOWED_SHORT.test(option);
  const [, name = '', value] = /^--([a-z0-9-]+)(?:=(.*))?$/s.exec(option) ?? [];
  if (!ALLOWED_LONG.has(name)) return false;
  return name !== 'filter' || PLAIN_RULE.test(value ?? '');
}

/** The version in what `rsync --version` prints; undefined for openrsync and whatever else. */
export function parseRsyncVersion(text: string): readonly number[] | undefined {
  const match = /^rsync\s+version v?(\d+)\.(\d+)(?:\.(\d+))?/m.exec(text);
  if (!match) return undefined;
  return [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

/** Compares versions number by number. */
export function atLeast(version: readonly number[] | undefined, wanted: readonly number[]): boolean {
  if (version === undefined) return false;
  for (const [index, number] of wanted.entries()) {
    const ours = version[index] ?? 0;
    if (ours !== number) return ours > number;
  }
  return true;
}
