import type { CommandEntry } from '../cli.ts';
import { spec as trust } from './trust.ts';

/** All commands, in the order of the help. Only the specs are loaded here; what a command does is loaded on use. */
export const COMMANDS: readonly CommandEntry[] = [{ spec: trust, load: () => import('./trust.run.ts') }];
