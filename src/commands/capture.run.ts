import { resolve } from 'node:path';
import { clientSettings } from '../care/client-shells.ts';
import { exitCodeOf, VaultError } from '../errors.ts';
import { writeDurably } from '../exec/files.ts';
import { localShell, remoteShell } from '../hook/client.execute.ts';
import { captureMachine } from '../metal/describe.execute.ts';
import { machineText } from '../show/machine.ts';
import { printable } from '../show/text.ts';
import type { CommandRun } from './spec.ts';

const CLIENT = /^([a-z_][a-z0-9_-]*@)?[A-Za-z0-9][A-Za-z0-9._-]*$/;
const DISK = /^\/dev\/[A-Za-z0-9][A-Za-z0-9._/-]*$/;

export const run: CommandRun = async (context, args) => {
  const client = args.required('CLIENT');
  if (!CLIENT.test(client)) {
    throw new VaultError('usage', `"${client}" is no name of a client.`, { hint: 'Give HOST or USER@HOST.' });
  }
  const disks = args.all('disk');
  const odd = disks.find((disk) => !DISK.test(disk));
  if (odd !== undefined) throw new VaultError('usage', `"${odd}" is no disk such as /dev/sda.`);
  const settings = await clientSettings(client, context.where, context.log);
  const { run: runner, signal, where } = context;
  const host = client.replace(/^.*@/, '');
  const isHere = host === 'localhost' || host === where.hostName;
  const shell = isHere ? localShell(runner) : remoteShell(runner, settings.rsh, client);
  try {
    const options = {
      command: settings['capture-command'],
      luksHeaders: settings['capture-luks-headers'],
      flags: !args.flag('skip-flags'),
      disks,
    };
    const machine = await captureMachine(await shell.open(signal), client, options, context.now, signal);
    context.out.line(machineText(machine));
    context.out.json({ type: 'machine', machine });
    const output = args.option('output');
    if (output !== undefined) {
      const file = resolve(where.cwd, output);
      await writeDurably(file, `${JSON.stringify(machine, undefined, 1)}\n`, 0o600);
      context.out.note(`Written to ${printable(file)}.`);
    }
    const { complete } = machine.captured;
    return { exitCode: complete ? 0 : exitCodeOf('partial'), fields: { client, complete } };
  } finally {
    shell.close();
  }
};
