import type { CommandEntry } from '../cli.ts';
import { spec as accept } from './accept.ts';
import { spec as capture } from './capture.ts';
import { spec as configCheck } from './config-check.ts';
import { spec as configShow } from './config-show.ts';
import { spec as create } from './create.ts';
import { spec as expire } from './expire.ts';
import { spec as list } from './list.ts';
import { spec as pin } from './pin.ts';
import { spec as run } from './run.ts';
import { spec as runall } from './runall.ts';
import { spec as show } from './show.ts';
import { spec as status } from './status.ts';
import { spec as trust } from './trust.ts';
import { spec as unpin } from './unpin.ts';

/** All commands, in the order of the help. Only the specs are loaded here; what a command does is loaded on use. */
export const COMMANDS: readonly CommandEntry[] = [
  { spec: create, load: () => import('./create.run.ts') },
  { spec: run, load: () => import('./run.run.ts') },
  { spec: runall, load: () => import('./runall.run.ts') },
  { spec: expire, load: () => import('./expire.run.ts') },
  { spec: list, load: () => import('./list.run.ts') },
  { spec: show, load: () => import('./show.run.ts') },
  { spec: status, load: () => import('./status.run.ts') },
  { spec: pin, load: () => import('./pin.run.ts') },
  { spec: unpin, load: () => import('./unpin.run.ts') },
  { spec: accept, load: () => import('./accept.run.ts') },
  { spec: trust, load: () => import('./trust.run.ts') },
  { spec: capture, load: () => import('./capture.run.ts') },
  { spec: configCheck, load: () => import('./config-check.run.ts') },
  { spec: configShow, load: () => import('./config-show.run.ts') },
];
