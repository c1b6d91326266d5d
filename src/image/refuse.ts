import { VaultError } from '../errors.ts';
import type { Finding, Judgement, Space } from './judge.ts';
import type { ImagePlan } from './plan.ts';
import type { Tally } from './tally.ts';

/** Why nothing was made, and what to do. Nothing has been written. */
export function refuse(
  plan: ImagePlan,
  judgement: Judgement,
  scanned: { readonly tally: Tally; readonly messages: readonly string[] },
  space: Space,
): VaultError {
  const codes = new Set(
    judgement.findings.filter((each) => each.level === 'refuse').map((each) => each.code),
  );
  const where = `${plan.client}:${plan.settings.tree ?? ''}`;
  if (codes.has('empty')) {
    const said = scanned.messages[0];
    return new VaultError(
      'failed',
      `${where} is empty or cannot be read${said === undefined ? '' : `: ${said}`}.`,
      {
        hint: 'Is something not mounted there? No image was made and nothing was deleted.',
      },
    );
  }
  const largest = scanned.tally.largest[0];
  const name =
    largest === undefined
      ? ''
      : `; the largest new file is ${largest.path.toString()} (${size(largest.size)})`;
  const need = codes.has('space')
    ? `needs up to ${size(judgement.needBytes)} and ${size(space.freeBytes)} are free`
    : `needs ${judgement.needInodes} inodes and ${space.freeInodes ?? 0} are free`;
  return new VaultError('failed', `No room on ${plan.bank}: the image ${need}${name}.`, {
    hint: 'Expire old images or use a larger disk; --ignore-space tries all the same. Nothing was written.',
  });
}

/** A tree that lacks what the client listed. */
export function incomplete(plan: ImagePlan, finding: Finding): VaultError {
  const where = `${plan.client}:${plan.settings.tree ?? ''}`;
  if (finding.code === 'empty') {
    return new VaultError('failed', `${where} was emptied during the run: no image was made.`, {
      hint: 'Was something unmounted there? Nothing older was touched.',
    });
  }
  return new VaultError(
    'failed',
    `${finding.files ?? 0} entries that ${where} has are missing from the new image.`,
    {
      hint: `Did something else change image ${plan.referenceName} meanwhile? Run it again; --init makes it anew.`,
    },
  );
}

/** The link limit, or immutable files, would cost more than there is. */
export function noRoomForCopies(plan: ImagePlan, bytes: number, free: number): VaultError {
  const message = `No room on ${plan.bank}: files that cannot be linked again need ${size(bytes)}, ${size(free)} are free.`;
  return new VaultError('failed', message, {
    hint: 'Expire old images, or use a larger disk; --ignore-space tries all the same.',
  });
}

function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
