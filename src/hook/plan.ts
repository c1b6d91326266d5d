import type { Settings } from '../config/options.ts';
import { strftime } from '../time/strftime.ts';

/** The four moments of a run at which hooks are run, in their order. */
export const STAGES = ['pre-server', 'pre-client', 'post-client', 'post-server'] as const;
export type Stage = (typeof STAGES)[number];

/** One hook as it will be run. */
export interface Hook {
  readonly stage: Stage;
  /** What summary and log call it: `pre-client`, or `pre-client 10-mysql` for one out of hooks-dir. */
  readonly label: string;
  /** A command for `/bin/sh -c`, with dates expanded. */
  readonly command: string;
}

/** What hooks are told of the run. */
export interface HookFacts {
  readonly server: string;
  readonly client: string;
  /** The tree on the client; `:module/path` of a daemon. */
  readonly source: string;
  /** The tree of the image as it is at this moment. */
  readonly destination: string;
  readonly vault: string;
  readonly branch: string;
  readonly image: string;
  /** The file with the exclude patterns, which pre-server may change. */
  readonly excludeFile?: string;
  /** How the run has gone so far: for post hooks only. */
  readonly status?: RunStatus;
}

/** dirvish's words for how a run went. `fail`: a pre hook failed and nothing was transferred. */
export type RunStatus = 'success' | 'warning' | 'error' | 'fatal error' | 'fail';

/** Which machine a stage's hooks are run on. */
export function sideOf(stage: Stage): 'server' | 'client' {
  return stage.endsWith('server') ? 'server' : 'client';
}

/** The hook that an option names, with its dates expanded as dirvish does: the image's time in its zone. */
export function configuredHook(
  settings: Settings,
  stage: Stage,
  time: number,
  zone: string,
): Hook | undefined {
  const command = settings[stage];
  return command === undefined ? undefined : { stage, label: stage, command: strftime(command, time, zone) };
}

/** Before which stage the hooks of hooks-dir are run. */
export function directoryStage(settings: Settings): Stage {
  return settings['hooks-dir-on'] === 'server' ? 'pre-server' : 'pre-client';
}

/** The names of a hooks directory that are hooks, in their order: `NN-NAME`, as run-parts would take them. */
export function hookNames(names: readonly string[]): readonly string[] {
  return names.filter((name) => /^[0-9]+-[A-Za-z0-9_-]+(\.sh)?$/.test(name)).toSorted();
}

/** A hook out of hooks-dir. */
export function directoryHook(settings: Settings, directory: string, name: string): Hook {
  const stage = directoryStage(settings);
  const path = `${directory.replace(/\/+$/, '')}/${name}`;
  return { stage, label: `${stage} ${name}`, command: `'${path.replaceAll("'", `'\\''`)}'` };
}

/** The environment of a hook: dirvish's names, and the same as VAULT_…. */
export function hookEnvironment(facts: HookFacts): Readonly<Record<string, string>> {
  const values: Record<string, string | undefined> = {
    SERVER: facts.server,
    CLIENT: facts.client,
    SRC: facts.source,
    DEST: facts.destination,
    IMAGE: `${facts.vault}:${facts.branch}:${facts.image}`,
    EXCLUDE: facts.excludeFile,
    STATUS: facts.status,
  };
  const set = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return Object.fromEntries(
    set.flatMap(([name, value]) => [
      [`DIRVISH_${name}`, value],
      [`VAULT_${name}`, value],
    ]),
  ) as Record<string, string>;
}

/** The file that a hook's command begins with, if that is an absolute path: nobody else may be able to change it. */
export function fileOfCommand(command: string): string | undefined {
  return /^\s*(?:exec\s+)?(\/[A-Za-z0-9_@%+=:,./-]+)(?=\s|$|[;&|])/.exec(command)?.[1];
}

/** Exit code of the client's shell for a tree that it cannot enter. */
export const CANNOT_ENTER = 121;

/** Goes where a client's hook is to be; daemon trees have no directory. */
const ENTER = `case $VAULT_SRC in :*) ;; *) cd -- "$VAULT_SRC" || exit ${CANNOT_ENTER} ;; esac`;

/** Keeps parents that a hook might kill from being us, and its two outputs in one order. */
const WRAPPER = '/bin/sh -c "$1" 2>&1\nexit "$?"';

/**
 * The same for another machine. sshd does not pass signals on to root's commands, so the hook is ended by the end of
 * its input: when we ask for it, and when the connection breaks.
 */
const FAR_WRAPPER = `exec 3<&0 </dev/null
new=
if command -v setsid >/dev/null 2>&1; then new=setsid; fi
$new /bin/sh -c '${ENTER}
'"$1" 3<&- &
hook=$!
(
  exec >/dev/null 2>&1
  cat <&3
  kill -TERM "-$hook" || kill -TERM "$hook"
  sleep 10
  kill -KILL "-$hook" || kill -KILL "$hook"
) &
watch=$!
exec 3<&-
wait "$hook"
code=$?
kill "$watch"
exit "$code"`;

/** A hook on the machine that we are on. */
export function nearArgv(command: string, onServer: boolean): readonly string[] {
  const script = onServer ? command : `${ENTER}\n${replacing(command)}`;
  return ['/bin/sh', '-c', WRAPPER, 'vault-hook', script];
}

/**
 * A hook on another machine. Of this, a forced command there (hooks/ssh-filter) looks at the last word alone, after
 * `vault-hook`.
 */
export function farArgv(command: string): readonly string[] {
  return ['/bin/sh', '-c', FAR_WRAPPER, 'vault-hook', replacing(command)];
}

/**
 * A plain program takes the place of its shell, which would wait in the tree: hooks that mount something there could
 * not unmount it again.
 */
function replacing(command: string): string {
  return /^\/[A-Za-z0-9_@%+=:,./-]+( [A-Za-z0-9_@%+=:,./-]+)*$/.test(command) ? `exec ${command}` : command;
}
