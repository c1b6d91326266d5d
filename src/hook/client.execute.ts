import type { Run } from '../exec/command.ts';
import type { SshConnection } from '../exec/ssh.ts';

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

/** The shell of a client that is reached as `rsh` (OpenSSH with options) would reach it. */
export function remoteShell(run: Run, rsh: readonly string[], client: string): ClientShell {
  let connection: SshConnection | undefined;
  return {
    isHere: false,
    open: async (signal) => {
      // One that broke while rsync was at work is made anew: post hooks are to undo what pre hooks did.
      if (connection === undefined || connection.isLost()) {
        // Loaded on use: most runs need none of it.
        const { connectSsh } = await import('../exec/ssh.ts');
        connection = await connectSsh(run, rsh, client, signal);
      }
      return connection.run;
    },
    close: () => connection?.end(),
  };
}
