import type { EntryType } from './tree.ts';

/**
 * What can happen to a tree, as plain values. `of` and `in` choose among the paths that exist when the operation's
 * turn comes (modulo their number), so that any list of operations can be carried out, and so can any part of it.
 * `at` is the moment: times follow from it. Names and targets are bytes as latin1.
 */
export type Operation =
  | {
      readonly do: 'create';
      readonly in: number;
      readonly name: string;
      readonly what: What;
      readonly as: Attributes;
    }
  | { readonly do: 'retype'; readonly of: number; readonly what: What; readonly as: Attributes }
  | { readonly do: 'rewrite'; readonly of: number; readonly how: Rewrite; readonly as: Attributes }
  | { readonly do: 'chmod'; readonly of: Target; readonly mode: number }
  | { readonly do: 'chown'; readonly of: Target; readonly uid: number; readonly gid: number }
  | { readonly do: 'touch'; readonly of: Target; readonly at: number; readonly sameSecond: boolean }
  | { readonly do: 'xattr'; readonly of: Target; readonly name: string; readonly value: string }
  | { readonly do: 'unxattr'; readonly of: Target; readonly name: string }
  | {
      readonly do: 'acl';
      readonly of: Target;
      readonly kind: 'access' | 'default';
      readonly uid: number;
      readonly perm: number;
    }
  | {
      readonly do: 'link';
      readonly of: number;
      readonly in: number;
      readonly name: string;
      readonly at: number;
    }
  | {
      readonly do: 'rename';
      readonly of: number;
      readonly in: number;
      readonly name: string;
      readonly at: number;
    }
  | { readonly do: 'delete'; readonly of: number; readonly at: number }
  | { readonly do: 'clear'; readonly of: Target; readonly at: number }
  | { readonly do: 'filter'; readonly in: number; readonly rules: readonly string[]; readonly at: number };

/** `root`, or a choice among all paths. */
export type Target = number | 'root';

export type What =
  | { readonly type: 'file'; readonly size: number; readonly from: number; readonly length: number }
  | { readonly type: 'directory' | 'fifo' | 'socket' | 'char' | 'block' }
  | { readonly type: 'symlink'; readonly target: string };

/** In place, so that all links to the file change; `fresh` writes a new file and renames it over the old name. */
export type Rewrite = 'same size' | 'same second' | 'longer' | 'empty' | 'fresh';

export interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly at: number;
}

/** What an operation has to know of an inode; all its links share one. */
export interface Inode {
  type: EntryType;
  size: number;
  seconds: number;
  nanoseconds: number;
}

/** By path as latin1, the root being the empty string. */
export type Model = Map<string, Inode>;

/** One record for apply.c. */
export type Instruction = readonly [string, ...(string | number)[]];
