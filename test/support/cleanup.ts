import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { afterAll, onTestFinished } from 'vitest';

type Action = () => void | Promise<void>;

/** Actions of a file's `beforeAll`, undone when the file ends. */
const ofFile: Action[] = [];

afterAll(async () => {
  while (ofFile.length > 0) await ofFile.pop()?.();
});

/** Runs at the end of the test, also of a failed one; outside a test (`beforeAll`) at the end of the file. */
export function cleanUp(action: Action): void {
  try {
    onTestFinished(action);
  } catch {
    ofFile.push(action);
  }
}

/**
 * What is left when the worker itself is killed: a shell that holds the other end of a pipe learns of it by the
 * end of its input, and undoes what was registered, newest first. It is nobody's child, so that whoever kills the
 * worker with all its descendants does not get it.
 */
const GUARD = String.raw`
{
trap '' HUP INT TERM
todo=
while IFS= read -r line; do
  case $line in
  +*) todo="${'$'}{line#+}
$todo" ;;
  -*) todo=$(printf '%s' "$todo" | grep -vxF -e "${'$'}{line#-}") ;;
  esac
done
printf '%s\n' "$todo" | while read -r verb what; do
  case $verb in
  kill) kill -9 "$what" ;;
  umount) umount -l "$what" ;;
  rm) rm -rf --one-file-system -- "$what" ;;
  esac
done
} <&3 3<&- &
`;

interface Guard {
  readonly write: (line: string) => void;
}

let guard: Guard | undefined;

/** Registers something that must not outlive the worker; call the result once it has been undone. */
export function guarded(verb: 'kill' | 'umount' | 'rm', what: string): () => void {
  guard ??= startGuard();
  const { write } = guard;
  write(`+${verb} ${what}\n`);
  return () => write(`-${verb} ${what}\n`);
}

/** The descriptor is not its standard input, which node would close as soon as the shell has gone to the background. */
function startGuard(): Guard {
  const child = spawn('/bin/sh', ['-c', GUARD], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    cwd: '/',
  });
  child.unref();
  const pipe = child.stdio[3];
  if (!(pipe instanceof Socket)) throw new Error('no pipe to the guard');
  pipe.unref();
  return { write: (line) => void pipe.write(line) };
}
