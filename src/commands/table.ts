import type { CommandEntry } from '../cli.ts';
import { spec as configCheck } from './config-check.ts';
import { spec as configShow } from './config-show.ts';
import { spec as list } from './list.ts';
import { spec as run } from './run.ts';
import { spec as trust } from './trust.ts';

/** All commands, in the order of the help. Only the specs are loaded here; what a command does is loaded on use. */
export const COMMANDS: readonly CommandEntry[] = [
  { spec: run, load: () => import('./run.run.ts') },
  { spec: list, load: () => import('./list.run.ts') },
  { spec: configCheck, load: () => import('./config-check.run.ts') },
  { spec: configShow, load: () => import('./config-show.run.ts') },
  { spec: trust, load: () => import('./trust.run.ts') },
];
