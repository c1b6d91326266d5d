import { lstatSync, mkdirSync, readdirSync, type BigIntStats } from 'node:fs';
import { compile } from './compile.ts';
import type { Inode, Instruction, Model, Operation } from './operation.ts';
import { compileOperations } from './operations.ts';
import { mustSync } from './process.ts';
import { typeOf } from './tree.ts';

/** Makes a new directory (or fills an empty one) with a tree. */
export function applyTree(directory: string, operations: readonly Operation[]): void {
  mkdirSync(directory, { recursive: true });
  const root: readonly Instruction[] = [
    ['chmod', '', 0o755],
    ['time', '', 1_400_000_000, 0],
  ];
  carryOut(directory, [...root, ...compileOperations(readModel(directory), operations)]);
}

/** Changes a tree, whatever it is; what comes of it follows from the tree and the operations alone. */
export function applyMutations(directory: string, operations: readonly Operation[]): void {
  carryOut(directory, compileOperations(readModel(directory), operations));
}

function carryOut(directory: string, instructions: readonly Instruction[]): void {
  if (instructions.length === 0) return;
  const program = compile(new URL('./apply.c', import.meta.url));
  mustSync([program], { cwd: directory, input: Buffer.concat(instructions.map(encode)) });
}

const SECOND_IS_PATH = ['link', 'rename'];

/** All names relative to `.`, so that none is taken for anything else. */
function encode(instruction: Instruction): Buffer {
  const [verb, path, ...rest] = instruction;
  const fields = [
    verb,
    `./${path}`,
    ...rest.map((field) => (SECOND_IS_PATH.includes(verb) ? `./${field}` : field)),
  ];
  return Buffer.from([fields.length, ...fields].map((field) => `${field}\0`).join(''), 'latin1');
}

function readModel(directory: string): Model {
  const model: Model = new Map();
  const inodes = new Map<string, Inode>();
  const visit = (path: Buffer, name: string) => {
    const stat = lstatSync(path, { bigint: true });
    const key = String(stat.ino);
    const inode = inodes.get(key) ?? inodeOf(stat);
    inodes.set(key, inode);
    model.set(name, inode);
    if (inode.type !== 'directory') return;
    for (const child of readdirSync(path, { encoding: 'buffer' })) {
      const below = child.toString('latin1');
      visit(Buffer.concat([path, Buffer.from('/'), child]), name === '' ? below : `${name}/${below}`);
    }
  };
  visit(Buffer.from(directory), '');
  return model;
}

function inodeOf(stat: BigIntStats): Inode {
  return {
    type: typeOf(stat),
    size: Number(stat.size),
    seconds: Number(stat.mtimeNs / 1_000_000_000n),
    nanoseconds: Number(stat.mtimeNs % 1_000_000_000n),
  };
}
