import { ran, start, type Options, type Ran, type Running } from './process.ts';

const UNSHARE = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** The same command in mount and process namespaces of its own: nothing of it, and none of its mounts, survives it. */
export function namespaced(argv: readonly string[]): string[] {
  return [...UNSHARE, '--', ...argv];
}

/** Runs a command to its end in namespaces of its own. */
export function inNamespace(argv: readonly string[], options: Options = {}): Promise<Ran> {
  return ran(namespaced(argv), options);
}

/** Starts a command in namespaces of its own; killed with all its children at the end of the test. */
export function startInNamespace(argv: readonly string[], options: Options = {}): Running {
  return start(namespaced(argv), options);
}
