import type { Attributes, Inode, Instruction, Model, Operation, Rewrite, Target, What } from './operation.ts';
import type { EntryType } from './tree.ts';

const LONGEST_PATH = 1000;
const FRESH = '.fresh\x7f';

/** The file system instructions that carry out the operations on a tree like the model, which follows them. */
export function compileOperations(model: Model, operations: readonly Operation[]): Instruction[] {
  return operations.flatMap((operation) => compileOne(model, operation));
}

function compileOne(model: Model, operation: Operation): Instruction[] {
  switch (operation.do) {
    case 'create':
      return create(model, childOf(model, operation.in, operation.name), operation.what, operation.as);
    case 'retype': {
      const path = pick(others(model), operation.of);
      if (path === undefined) return [];
      return [...remove(model, path), ...create(model, path, operation.what, operation.as)];
    }
    case 'rewrite':
      return rewrite(model, pick(paths(model, ['file']), operation.of), operation.how, operation.as);
    case 'link':
      return link(model, operation);
    case 'rename':
      return rename(model, operation);
    case 'delete': {
      const path = pick(others(model), operation.of);
      return path === undefined ? [] : [...remove(model, path), ...touchParent(model, path, operation.at)];
    }
    case 'clear':
      return clear(model, operation.of, operation.at);
    case 'filter':
      return filter(model, operation);
    default:
      return attribute(model, operation);
  }
}

type AttributeOperation = Extract<
  Operation,
  { do: 'chmod' | 'chown' | 'touch' | 'xattr' | 'unxattr' | 'acl' }
>;

function attribute(model: Model, operation: AttributeOperation): Instruction[] {
  const path = target(model, allowedTypes(operation), operation.of);
  const inode = path === undefined ? undefined : model.get(path);
  if (path === undefined || inode === undefined) return [];
  switch (operation.do) {
    case 'chmod':
      return [['chmod', path, operation.mode]];
    case 'chown':
      return [['chown', path, operation.uid, operation.gid]];
    case 'touch':
      return [
        operation.sameSecond ? sameSecond(path, inode, operation.at) : setTime(path, inode, operation.at),
      ];
    case 'xattr':
      return [['xattr', path, operation.name, operation.value]];
    case 'unxattr':
      return [['unxattr', path, operation.name]];
    case 'acl':
      return [['xattr', path, `system.posix_acl_${operation.kind}`, acl(operation.uid, operation.perm)]];
  }
}

const EVERY: readonly EntryType[] = ['file', 'directory', 'symlink', 'fifo', 'socket', 'char', 'block'];
const NOT_LINKS = EVERY.filter((type) => type !== 'symlink');

/** What the kernel allows on which types. */
function allowedTypes(operation: AttributeOperation): readonly EntryType[] {
  if (operation.do === 'chmod') return NOT_LINKS;
  if (operation.do === 'acl') return operation.kind === 'default' ? ['directory'] : NOT_LINKS;
  if (operation.do !== 'xattr' && operation.do !== 'unxattr') return EVERY;
  if (operation.name === 'security.capability') return ['file'];
  return operation.name.startsWith('user.') ? ['file', 'directory'] : EVERY;
}

function create(model: Model, path: string | undefined, what: What, as: Attributes): Instruction[] {
  if (path === undefined || model.has(path) || path.length > LONGEST_PATH) return [];
  const inode: Inode = {
    type: what.type,
    size: what.type === 'file' ? what.size : 0,
    seconds: 0,
    nanoseconds: 0,
  };
  model.set(path, inode);
  return [
    make(path, what, as.at),
    ['chown', path, as.uid, as.gid],
    ...(what.type === 'symlink' ? [] : [['chmod', path, as.mode] satisfies Instruction]),
    setTime(path, inode, as.at),
    ...touchParent(model, path, as.at),
  ];
}

function make(path: string, what: What, at: number): Instruction {
  if (what.type === 'file') return ['data', path, 'new', what.size, what.from, what.length, at];
  if (what.type === 'symlink') return ['symlink', path, what.target];
  if (what.type === 'directory') return ['dir', path];
  return [what.type, path, 1, 1 + (at % 9)];
}

function rewrite(model: Model, path: string | undefined, how: Rewrite, as: Attributes): Instruction[] {
  const inode = path === undefined ? undefined : model.get(path);
  if (path === undefined || inode === undefined) return [];
  if (how === 'fresh') return replace(model, path, inode.size, as);
  const sizes = {
    'same size': inode.size,
    'same second': inode.size,
    longer: inode.size + 1 + (as.at % 5000),
    empty: 0,
  };
  inode.size = sizes[how];
  return [
    ['data', path, 'old', inode.size, 0, inode.size, as.at],
    how === 'same second' ? sameSecond(path, inode, as.at) : setTime(path, inode, as.at),
  ];
}

function replace(model: Model, path: string, size: number, as: Attributes): Instruction[] {
  const fresh = join(parentOf(path), FRESH);
  const made = create(model, fresh, { type: 'file', size, from: 0, length: size }, as);
  if (made.length === 0) return [];
  return [...made, ...move(model, fresh, path), ...touchParent(model, path, as.at)];
}

function link(model: Model, operation: Extract<Operation, { do: 'link' }>): Instruction[] {
  const from = pick(
    paths(
      model,
      EVERY.filter((type) => type !== 'directory'),
    ),
    operation.of,
  );
  const to = childOf(model, operation.in, operation.name);
  const inode = from === undefined ? undefined : model.get(from);
  if (from === undefined || inode === undefined || model.has(to) || to.length > LONGEST_PATH) return [];
  model.set(to, inode);
  return [['link', to, from], ...touchParent(model, to, operation.at)];
}

function rename(model: Model, operation: Extract<Operation, { do: 'rename' }>): Instruction[] {
  const from = pick(others(model), operation.of);
  if (from === undefined) return [];
  const to = childOf(model, operation.in, operation.name);
  const over = model.get(to);
  const inode = model.get(from);
  const intoItself = to === from || to.startsWith(`${from}/`) || over === inode;
  const deep = Math.max(...[...model.keys()].map((path) => path.length)) + to.length > LONGEST_PATH;
  if (
    intoItself ||
    deep ||
    (over !== undefined && (over.type === 'directory' || inode?.type === 'directory'))
  )
    return [];
  return [
    ...move(model, from, to),
    ...touchParent(model, from, operation.at),
    ...touchParent(model, to, operation.at),
  ];
}

function move(model: Model, from: string, to: string): Instruction[] {
  for (const [path, inode] of [...model]) {
    if (path !== from && !path.startsWith(`${from}/`)) continue;
    model.delete(path);
    model.set(to + path.slice(from.length), inode);
  }
  return [['rename', from, to]];
}

function remove(model: Model, path: string): Instruction[] {
  for (const one of [...model.keys()]) if (one === path || one.startsWith(`${path}/`)) model.delete(one);
  return [['remove', path]];
}

function clear(model: Model, of: Target, at: number): Instruction[] {
  const directory = target(model, ['directory'], of);
  if (directory === undefined) return [];
  const children = others(model).filter((path) => parentOf(path) === directory);
  return [...children.flatMap((path) => remove(model, path)), touch(model, directory, at)];
}

function filter(model: Model, operation: Extract<Operation, { do: 'filter' }>): Instruction[] {
  const path = childOf(model, operation.in, '.rsync-filter');
  if (model.has(path) || path.length > LONGEST_PATH) return [];
  const inode: Inode = { type: 'file', size: 0, seconds: 0, nanoseconds: 0 };
  model.set(path, inode);
  const text = operation.rules.map((rule) => `${rule}\n`).join('');
  inode.size = text.length;
  return [
    ['text', path, text],
    setTime(path, inode, operation.at),
    ...touchParent(model, path, operation.at),
  ];
}

/** Version 2 of the kernel's format: one named user, and so a mask, beside the three classes. */
function acl(uid: number, perm: number): string {
  const entries = [
    [0x01, 7, 0xffffffff],
    [0x02, perm, uid],
    [0x04, 5, 0xffffffff],
    [0x10, 7, 0xffffffff],
    [0x20, perm & 4, 0xffffffff],
  ] as const;
  const bytes = Buffer.alloc(4 + 8 * entries.length);
  bytes.writeUInt32LE(2, 0);
  for (const [index, [tag, bits, id]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + 8 * index);
    bytes.writeUInt16LE(bits, 6 + 8 * index);
    bytes.writeUInt32LE(id, 8 + 8 * index);
  }
  return bytes.toString('hex');
}

/** Every moment has times of its own, a quarter of them whole seconds: equal times mean equal content. */
function setTime(path: string, inode: Inode, at: number): Instruction {
  inode.seconds = 1_500_000_000 + (at % 100_000_007);
  inode.nanoseconds = at % 4 === 0 ? 0 : (at * 7919) % 1_000_000_000;
  return ['time', path, inode.seconds, inode.nanoseconds];
}

function sameSecond(path: string, inode: Inode, at: number): Instruction {
  inode.nanoseconds = (inode.nanoseconds + 1 + (at % 999_999_998)) % 1_000_000_000;
  return ['time', path, inode.seconds, inode.nanoseconds];
}

function touch(model: Model, path: string, at: number): Instruction {
  const inode = model.get(path);
  if (inode === undefined) throw new Error(`the model has no ${JSON.stringify(path)}`);
  return setTime(path, inode, at);
}

function touchParent(model: Model, path: string, at: number): Instruction[] {
  return [touch(model, parentOf(path), at)];
}

function paths(model: Model, types: readonly EntryType[]): string[] {
  return [...model].flatMap(([path, inode]) => (types.includes(inode.type) ? [path] : [])).toSorted();
}

/** All but the root. */
function others(model: Model): string[] {
  return [...model.keys()].filter((path) => path !== '').toSorted();
}

function target(model: Model, types: readonly EntryType[], of: Target): string | undefined {
  return of === 'root' ? '' : pick(paths(model, types), of);
}

function pick(from: readonly string[], number: number): string | undefined {
  return from[number % from.length];
}

function childOf(model: Model, number: number, name: string): string {
  return join(pick(paths(model, ['directory']), number) ?? '', name);
}

function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

function parentOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}
