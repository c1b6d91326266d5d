import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from '../config/options.ts';
import { requireTrusted } from '../config/ownership.ts';
import type { Log } from '../commands/spec.ts';
import { codeOf, messageOf, VaultError } from '../errors.ts';
import { succeeded, type Command, type Result, type Run } from '../exec/command.ts';
import type { ClientShell } from './client.execute.ts';
import { judgeHook, type HookOutcome } from './outcome.ts';
import { gatherOutput } from './output.ts';
import {
  configuredHook,
  directoryHook,
  directoryStage,
  farArgv,
  fileOfCommand,
  hookEnvironment,
  hookNames,
  nearArgv,
  sideOf,
  STAGES,
  type Hook,
  type HookFacts,
  type Stage,
} from './plan.ts';

/** Where the hooks of one run are run, and what with. */
export interface HookMeans {
  /** On this machine. */
  readonly run: Run;
  /** On the client; connects when it is first used. */
  readonly shell: ClientShell;
  readonly settings: Settings;
  /** The image's time in seconds since the epoch, and its zone: for dates in commands. */
  readonly time: number;
  readonly zone: string;
  readonly log: Log;
}

/** One stage of a run. */
export interface StageRequest {
  readonly stage: Stage;
  readonly facts: HookFacts;
  /** The working directory of server hooks, for the system; `facts.destination` is its name. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** What came of a stage: outcomes, and lines for the image's log. */
export interface StageResult {
  readonly outcomes: readonly HookOutcome[];
  readonly lines: readonly string[];
}

const LIST_SCRIPT = `cd -- "$1" || exit 1
for f in *; do if [ -f "$f" ] && [ -x "$f" ]; then printf '%s\\n' "$f"; fi; done`;

/** Makes sure that nobody else can change the hooks that are files on this machine. Throws `refused`. */
export async function requireTrustedHooks(
  settings: Settings,
  clientIsHere: boolean,
  uid: number,
): Promise<void> {
  const isHere = (stage: Stage) => sideOf(stage) === 'server' || clientIsHere;
  const commands = STAGES.flatMap((stage) => (isHere(stage) ? [settings[stage]] : []));
  for (const command of commands) {
    const file = command === undefined ? undefined : fileOfCommand(command);
    if (file !== undefined) await requireTrusted(file, uid).catch((error: unknown) => untrusted(file, error));
  }
  const directory = settings['hooks-dir'];
  if (directory === undefined || !isHere(directoryStage(settings))) return;
  await requireTrusted(directory, uid).catch((error: unknown) => untrusted(directory, error));
  const names = await executables(directory).catch((error: unknown) => {
    untrusted(directory, error);
    return [];
  });
  for (const name of names) await requireTrusted(join(directory, name), uid);
}

/** A hook that is not there fails when it is run, or its whole stage does: no matter of trust. */
function untrusted(file: string, error: unknown): void {
  if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return;
  if (error instanceof VaultError) {
    throw new VaultError('refused', `The hook ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
  throw new VaultError('refused', `The hook ${file} can't be looked at (${codeOf(error)}).`, {
    cause: error,
  });
}

async function executables(directory: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of hookNames(await readdir(directory))) {
    const runs = await access(join(directory, name), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) found.push(name);
  }
  return found;
}

/** Runs the hooks of one stage, one after the other; after one that is not `ok` the others are skipped. */
export async function runStage(means: HookMeans, request: StageRequest): Promise<StageResult> {
  const { stage } = request;
  const outcomes: HookOutcome[] = [];
  const lines: string[] = [];
  const hooks: Hook[] = [];
  const own = configuredHook(means.settings, stage, means.time, means.zone);
  if (means.settings['hooks-dir'] !== undefined && directoryStage(means.settings) === stage) {
    const listed = await hooksOfDirectory(means, means.settings['hooks-dir'], request);
    if ('reason' in listed) outcomes.push(listed);
    else hooks.push(...listed);
  }
  if (own !== undefined) hooks.push(own);
  for (const hook of hooks) {
    const stopped = outcomes.find((outcome) => outcome.kind !== 'ok');
    if (stopped !== undefined) {
      const reason = `${stopped.label} ${stopped.kind}`;
      outcomes.push({ stage, label: hook.label, kind: 'skipped', reason, seconds: 0, lastLines: [] });
      continue;
    }
    const { outcome, output } = await runHook(means, hook, request);
    outcomes.push(outcome);
    lines.push(`${hook.label}: ${hook.command.replaceAll('\n', ' ')}`, ...output);
  }
  return { outcomes, lines };
}

async function hooksOfDirectory(
  means: HookMeans,
  directory: string,
  request: StageRequest,
): Promise<readonly Hook[] | (HookOutcome & { readonly reason: string })> {
  const { stage, signal } = request;
  const failed = (reason: string) => {
    const label = `${stage} hooks-dir`;
    return { stage, label, kind: 'failed', reason, seconds: 0, lastLines: [] } as const;
  };
  const hook = (name: string) => directoryHook(means.settings, directory, name);
  if (sideOf(stage) === 'server') {
    try {
      return (await executables(directory)).map(hook);
    } catch (error) {
      return failed(`${directory} can't be read (${codeOf(error)})`);
    }
  }
  const argv = ['/bin/sh', '-c', LIST_SCRIPT, 'sh', directory];
  const result = await (await means.shell.open(signal))({ argv }, {}, signal);
  if (!succeeded(result)) return failed(`${directory} can't be read on the client`);
  return hookNames(result.stdout.toString('latin1').split('\n')).map(hook);
}

async function runHook(
  means: HookMeans,
  hook: Hook,
  request: StageRequest,
): Promise<{ outcome: HookOutcome; output: readonly string[] }> {
  const gathered = gatherOutput();
  const take = (chunk: Buffer) => {
    for (const line of gathered.add(chunk)) means.log.debug(`${hook.label}: ${line}`);
  };
  const begun = performance.now();
  means.log.debug(`${hook.label}: ${hook.command}`);
  const finish = (part: Pick<HookOutcome, 'kind' | 'code' | 'reason'>) => {
    const seconds = Math.round((performance.now() - begun) / 100) / 10;
    const output = gathered.lines().map((line) => `${hook.label}| ${line}`);
    const { stage, label } = hook;
    return { outcome: { stage, label, ...part, seconds, lastLines: gathered.lastLines() }, output };
  };
  const onServer = sideOf(hook.stage) === 'server';
  let result: Result;
  try {
    const run = onServer ? means.run : await means.shell.open(request.signal);
    const io = { stdout: take, stderr: (line: Buffer) => take(Buffer.concat([line, Buffer.from('\n')])) };
    result = await run(commandOf(means, hook, request), io, request.signal);
  } catch (error) {
    if (!(error instanceof VaultError) || hook.stage.startsWith('pre-')) throw error;
    // The run is over: that the client has gone meanwhile is a failure of this hook alone.
    return finish({ kind: 'failed', reason: messageOf(error) });
  }
  const entered = onServer ? request.facts.destination : request.facts.source;
  return finish(judgeHook(hook, result, request.signal.aborted, entered));
}

function commandOf(means: HookMeans, hook: Hook, request: StageRequest): Command {
  const { facts } = request;
  const env = hookEnvironment(facts);
  const timeoutMs = means.settings['hook-timeout'] * 1000;
  if (sideOf(hook.stage) === 'server') {
    return { argv: nearArgv(hook.command, true), cwd: request.directory, env, timeoutMs };
  }
  const argv = means.shell.isHere ? nearArgv(hook.command, false) : farArgv(hook.command);
  return { argv, env, timeoutMs };
}
