/** `tree:` taken apart. */
export interface Tree {
  /** Absolute, without a slash at the end (`/` itself excepted); of a daemon `MODULE/PATH`, without the colon. */
  readonly path: string;
  /** The name the tree goes by in the index. */
  readonly alias: string;
  /** Whether the path is that of an rsync daemon. */
  readonly daemon: boolean;
}

/** `PATH [ALIAS]`, `\ ` standing for a space; undefined for what is neither absolute nor `:MODULE/PATH`. */
export function parseTree(text: string): Tree | undefined {
  const words = text.trim().split(/(?<!\\)\s+/);
  const [path = '', alias] = words.map((word) => withoutSlash(word.replace(/\\(\s)/g, '$1')));
  if (words.length > 2) return undefined;
  const daemon = path.startsWith(':');
  if (daemon ? !/^:[^:/]/.test(path) : !path.startsWith('/')) return undefined;
  if (path.split('/').includes('..')) return undefined;
  const bare = daemon ? path.slice(1) : path;
  return { path: bare, alias: alias ?? (daemon ? `/${bare}` : bare), daemon };
}

function withoutSlash(path: string): string {
  return /^\/+$/.test(path) ? '/' : path.replace(/\/+$/, '');
}
