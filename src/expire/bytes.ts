/** One inode as it was met in an image that is to go. */
export interface MetInode {
  readonly inode: number;
  /** Its links in all the file system. */
  readonly links: number;
  readonly bytes: number;
  readonly isDirectory: boolean;
}

/**
 * Reckons what a series of deletions frees: an inode is freed by the deletion that takes its last link. All images are
 * of one file system, and are met in the order in which they go; `next` is called before each.
 */
export function freedCounter() {
  const left = new Map<number, number>();
  const freed: number[] = [];
  return {
    next: () => {
      freed.push(0);
    },
    meet: ({ inode, links, bytes, isDirectory }: MetInode) => {
      const rest = isDirectory ? 0 : (left.get(inode) ?? links) - 1;
      if (rest > 0) left.set(inode, rest);
      else {
        left.delete(inode);
        freed[freed.length - 1] = (freed.at(-1) ?? 0) + bytes;
      }
    },
    freed: (): readonly number[] => freed,
  };
}

/** Reads one line of `find -printf '%i %n %b %y\n'`; undefined for anything else. */
export function parseInode(line: string): MetInode | undefined {
  const [, inode, links, blocks, type] = /^(\d+) (\d+) (\d+) (\w)$/.exec(line) ?? [];
  if (inode === undefined) return undefined;
  return {
    inode: Number(inode),
    links: Number(links),
    bytes: Number(blocks) * 512,
    isDirectory: type === 'd',
  };
}
