import { readVault } from '../catalog/images.execute.ts';
import type { Overrides } from '../config/load.ts';
import { readValue } from '../config/values.ts';
import { OPTIONS } from '../config/options.ts';
import { kindOf, messageOf, VaultError, worstExitCode } from '../errors.ts';
import { newestGood } from '../image/plan.ts';
import type { UnreadableImage } from '../model.ts';
import { loadNight, runNight, type Night, type NightResult } from '../night/execute.ts';
import { expireFirst, type NightExpiry } from '../night/expire.execute.ts';
import { expiryObject, nextTable, nightObject, nightTable, resultCode } from '../show/night.ts';
import { unreadableObject, unreadableText } from '../show/images.ts';
import { madeText, rehearsalText } from '../show/run.ts';
import type { CommandRun, Context, ParsedArgs } from './spec.ts';

export const run: CommandRun = async (context, args) => {
  const night = await loadNight(context, overridesOf(args));
  if (night.entries.length === 0) {
    throw new VaultError('config', 'There is nothing under Runall: nothing to run.', {
      hint: 'List the vaults of the night under `Runall:` in the master file, one a line.',
    });
  }
  if (args.flag('next')) return showNext(context, night);
  const limit = jobsOf(args) ?? night.master.settings.jobs;
  const expiry = args.flag('expire-first') ? await expireNight(context, night) : undefined;
  const results = await runNight(context, night, limit, (result) => report(context, result));
  context.out.note('');
  context.out.note(nightTable(results, expiry, context));
  const codes = [...results.map(resultCode), expiry?.exitCode ?? 0].filter((code) => code !== 0);
  const count = (kind: NightResult['kind']) => results.filter((result) => result.kind === kind).length;
  return {
    exitCode: worstExitCode(codes),
    fields: {
      made: count('made'),
      absent: count('absent'),
      failed: count('failed'),
      ...(expiry === undefined ? {} : { expired: expiry.deleted }),
    },
  };
};

/** Expiry comes first, so that the night has its room; what goes wrong with it does not stop the backups. */
async function expireNight(context: Context, night: Night): Promise<NightExpiry> {
  const banks = night.entries.flatMap((entry) => ('loaded' in entry ? [entry.loaded.bank] : []));
  const expiry = await expireFirst(context, [...new Set(banks)]);
  context.out.json(expiryObject(expiry));
  for (const trouble of expiry.troubles) context.log.error(`expire: ${trouble}`);
  return expiry;
}

/** As each ends: details for people, an object for programs, and failures on stderr, which cron mails. */
function report(context: Context, result: NightResult): void {
  context.out.json(nightObject(result));
  if (result.kind === 'made') {
    const { completion } = result.made;
    if (completion.verdict !== 'good') logLines(context, madeText(result.made));
    else for (const warning of result.made.made.warnings) context.log.warn(`${result.label}: ${warning}`);
  } else if (result.kind === 'rehearsed') context.out.note(rehearsalText(result.rehearsal));
  else if (result.kind === 'absent') context.log.info(`${result.label}: ${result.message}`);
  else {
    context.log.error(`${result.label}: ${messageOf(result.error)}`);
    if (result.error instanceof VaultError) {
      if (result.error.hint !== undefined) context.log.error(`  ${result.error.hint}`);
    } else if (kindOf(result.error) === 'bug' && result.error instanceof Error) {
      logLines(context, result.error.stack ?? '');
    }
  }
}

/** The log takes one line a message. */
function logLines(context: Context, text: string): void {
  for (const line of text.split('\n')) context.log.error(line);
}

async function showNext(context: Context, night: Night): Promise<number> {
  const shown = [];
  const unreadable = new Map<string, UnreadableImage>();
  for (const entry of night.entries) {
    if ('error' in entry) shown.push({ entry, newest: undefined });
    else {
      const { bank, vault, branch } = entry.loaded;
      const contents = await readVault({ bank, name: vault }, context.zone);
      const newest = newestGood(contents.images, branch);
      shown.push({ entry, newest });
      for (const image of contents.unreadable) unreadable.set(`${bank}/${vault}/${image.directory}`, image);
      context.out.json({ type: 'vault', bank, vault, branch, newest: newest?.name });
    }
  }
  context.out.line(nextTable(shown, context.now, context));
  if (unreadable.size > 0) context.out.line(unreadableText([...unreadable.values()]));
  for (const image of unreadable.values()) context.out.json(unreadableObject(image));
  return 0;
}

function overridesOf(args: ParsedArgs): Overrides {
  const wait = args.option('lock-wait');
  return {
    ...(args.flag('ignore-space') ? { 'ignore-space': true } : {}),
    ...(wait === undefined ? {} : { 'lock-wait': wait }),
  };
}

function jobsOf(args: ParsedArgs): number | undefined {
  const text = args.option('jobs');
  if (text === undefined) return undefined;
  const read = readValue(OPTIONS.jobs, text);
  if ('message' in read) throw new VaultError('usage', `--jobs: ${read.message}`);
  return Number(read.value);
}
