import { expireFor, expirySource, type Expiry, type ExpirySource } from '../config/rules.ts';
import type { Settings } from '../config/options.ts';
import type { ExpiringImage } from './image.ts';

/** The options that dates of expiry are made of. */
export type DateSettings = Pick<Settings, 'expire' | 'expire-rule' | 'expire-default'>;

/** One image with the date that the rules would give it now. */
export interface Restamp {
  readonly image: ExpiringImage;
  readonly expiry: Expiry;
  readonly from: ExpirySource;
  /** What it has, and what it would get; the same where only the rule's name differs. */
  readonly before: string;
  readonly after: string;
}

/**
 * Which images would get another date if they were made now at their own time. One that was dated by hand when it was
 * made keeps its date; of a pinned one the date beside the pin changes.
 */
export function planRestamp(
  images: readonly ExpiringImage[],
  settingsOf: (branch: string) => { readonly settings: DateSettings; readonly zone: string },
): Restamp[] {
  const changes: Restamp[] = [];
  for (const image of images) {
    const { settings, zone } = settingsOf(image.branch);
    if (image.from === 'expire' && settings.expire === undefined) continue;
    const expiry = expireFor(settings, image.at, zone);
    const from = expirySource(settings, expiry.rule);
    const before = image.pinned ? (image.setAside ?? 'Never') : image.expire;
    const isSame = before === expiry.expire && image.rule === expiry.rule && image.from === from;
    if (!isSame) changes.push({ image, expiry, from, before, after: expiry.expire });
  }
  return changes;
}
