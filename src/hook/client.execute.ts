import type { Run } from '../exec/command.ts';

/** Runs commands on the client, here or there: one connection, made when it is first needed, for all of a run. */
export interface ClientShell {
  /** Whether the client is this machine. */
  readonly isHere: boolean;
  /** Connects if need be. Throws `unreachable`, also for an unknown or changed host key. */
  open(signal: AbortSignal): Promise<Run>;
  /** Ends the connection. */
  close(): void;
}

/** The shell of a client that is this machine. */
export function localShell(run: Run): ClientShell {
  return { isHere: true, open: async () => run, close: () => undefined };
}
