import { settingsOf, shellsOf } from '../care/client-shells.ts';
import { installKey, keyLineFor } from '../care/key.execute.ts';
import { offeredKeys, writeTrust } from '../care/trust.execute.ts';
import { keysWith, planTrust, type TrustPlan } from '../care/trust.ts';
import type { HostKey } from '../exec/host-keys.ts';
import { knownKeys, resolveClient } from '../exec/ssh-known.ts';
import { VaultError } from '../errors.ts';
import { printable } from '../show/text.ts';
import { trustObjects, trustText } from '../show/trust.ts';
import { showCounted } from '../show/units.ts';
import type { CommandRun, Context, ParsedArgs } from './spec.ts';

const CLIENT = /^([a-z_][a-z0-9_-]*@)?[A-Za-z0-9][A-Za-z0-9._-]*$/;

export const run: CommandRun = async (context, args) => {
  const client = args.required('CLIENT');
  if (!CLIENT.test(client)) {
    throw new VaultError('usage', `"${client}" is no name of a client.`, { hint: 'Give HOST or USER@HOST.' });
  }
  let added = 0;
  for (const rsh of await shellsOf(client, context.where, context.log)) {
    added += await trustThrough(context, args, client, rsh);
  }
  if (args.flag('show-key') || args.flag('install-key')) await restrictKey(context, args, client);
  return { exitCode: 0, fields: { client, added } };
};

/** Shows the line for authorized_keys, and puts it there. */
async function restrictKey(context: Context, args: ParsedArgs, client: string): Promise<void> {
  const { out, run: runner, signal } = context;
  const vaults = await settingsOf(client, context.where, context.log);
  const rsh = vaults[0]?.rsh ?? ['ssh'];
  const line = await keyLineFor(runner, rsh, client, vaults, signal);
  out.line(`\nFor ~/.ssh/authorized_keys on ${client}, of ${printable(line.file)}:\n${printable(line.line)}`);
  out.json({ type: 'key', client, file: line.file, line: line.line });
  if (!args.flag('install-key') || context.dryRun) return;
  if (!args.flag('yes')) {
    const question = `After this, the key can do nothing else on ${client}. Install it? (yes) `;
    if ((await context.ask(question))?.trim() !== 'yes') {
      throw new VaultError('refused', 'The key was not installed.', { hint: 'Answer yes, or give --yes.' });
    }
  }
  await installKey(runner, rsh, client, line, signal);
  out.line(`Installed on ${client}.`);
}

/** Trusts the host that one remote shell leads to. Gives the number of keys added. */
async function trustThrough(
  context: Context,
  args: ParsedArgs,
  client: string,
  rsh: readonly string[],
): Promise<number> {
  const { out, run: runner, signal } = context;
  const { settings } = await resolveClient(runner, rsh, client, signal);
  const offered = await offeredKeys(runner, rsh, client, settings, signal);
  const plan = planTrust(offered, await knownKeys(runner, settings, signal));
  out.line(trustText(client, settings, plan));
  trustObjects(client, settings, plan).forEach((object) => out.json(object));
  const fingerprints = args.all('fingerprint');
  if (plan.kind === 'known') {
    keysWith(offered, fingerprints);
    out.line('Nothing to do.');
    return 0;
  }
  if (plan.kind === 'replace' && !args.flag('replace')) throw changedError(client);
  if (context.dryRun) {
    const [file = 'no file'] = settings.userKnownHosts;
    out.line(`Once confirmed, they would be added to ${printable(file)}. Nothing was changed.`);
    return 0;
  }
  const confirmed =
    fingerprints.length > 0 ? keysWith(plan.keys, fingerprints) : await confirm(context, client, plan);
  const file = await writeTrust(settings, confirmed, plan.kind === 'replace' ? plan.old : []);
  out.line(`Added ${showCounted(confirmed.length, 'key')} of ${client} to ${printable(file)}.`);
  return confirmed.length;
}

/** Asks, and gives the keys to trust: all for "yes", else the one whose fingerprint was typed. */
async function confirm(context: Context, client: string, plan: TrustPlan): Promise<readonly HostKey[]> {
  const answer = (await context.ask(`Does ${client} itself show the same? (yes, or a fingerprint) `))?.trim();
  if (answer === 'yes') return plan.keys;
  if (answer?.startsWith('SHA256:')) return keysWith(plan.keys, [answer]);
  context.signal.throwIfAborted();
  const message =
    answer === undefined ? 'There is no terminal to confirm the keys on.' : 'The keys were not confirmed.';
  throw new VaultError('refused', `${message} Nothing was changed.`, {
    hint: `Compare with "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" on ${client}, then give --fingerprint.`,
  });
}

function changedError(client: string): VaultError {
  return new VaultError('refused', `The host key of ${client} has changed.`, {
    hint: 'Either it was installed anew, or somebody is in between. If you know why, give --replace.',
  });
}
