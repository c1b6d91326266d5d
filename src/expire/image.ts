import type { ExpirySource } from '../config/rules.ts';
import { field, imageOf, type Fields, type SummaryPlace } from '../catalog/summary.ts';
import type { Image, UnreadableImage } from '../model.ts';
import { parseLocal } from '../time/local.ts';
import { isNever, parseDate } from '../time/parse-date.ts';

/** An image with what its summary says about its expiry. Times are seconds since the epoch. */
export interface ExpiringImage extends Image {
  /** Its directory on its file system, `DEVICE:INODE`: what is deleted must still be that. */
  readonly identity: string;
  /** The moment it stands for (`Image-now:`, which `Runall` times date back), else when it was begun or completed. */
  readonly at: number;
  /** The date that decides; of a pinned image the one beside the pin. */
  readonly date: ExpiryDate;
  /** `Expire-rule:`, as written. */
  readonly rule: string | undefined;
  /** What the date came from; undefined in images that dirvish made. */
  readonly from: ExpirySource | undefined;
  /** The `Expire:` that a pin set aside. */
  readonly setAside: string | undefined;
}

/** An `Expire:` taken apart. `text` is its first part: `+3 months`. */
export type ExpiryDate =
  | { readonly kind: 'never' }
  | { readonly kind: 'at'; readonly time: number; readonly text: string }
  | { readonly kind: 'unreadable'; readonly text: string };

const SOURCES: readonly ExpirySource[] = ['expire', 'rule', 'default', 'none'];

/** The image that a summary describes, or what keeps it from being judged. Local times are those of `zone`. */
export function expiringImage(
  fields: Fields,
  place: SummaryPlace & { readonly identity: string },
  zone: string,
): ExpiringImage | UnreadableImage {
  const missing = ['vault', 'branch', 'Image'].filter((key) => !field(fields, key));
  if (missing.length > 0) {
    const { bank, vault, directory } = place;
    return { bank, vault, directory, message: `its summary has no ${missing.join(', ')}` };
  }
  const local = (text: string) => parseLocal(text, zone);
  const image = imageOf(fields, place, local);
  const exact = Date.parse(field(fields, 'Vault-now') ?? '') / 1000;
  const written = local(field(fields, 'Image-now') ?? '');
  const setAside = fields.has('Vault-expire') ? field(fields, 'Vault-expire') || 'Never' : undefined;
  const from = field(fields, 'Vault-expire-from');
  return {
    ...image,
    identity: place.identity,
    at: Number.isNaN(exact) ? (written ?? image.begun ?? image.completed ?? 0) : Math.floor(exact),
    date: readExpiry(image.pinned ? (setAside ?? 'Never') : image.expire, zone),
    rule: field(fields, 'Expire-rule'),
    from: SOURCES.find((each) => each === from),
    setAside,
  };
}

/** Whether it is one that can't be judged. */
export function isUnreadable(image: ExpiringImage | UnreadableImage): image is UnreadableImage {
  return 'message' in image;
}

/** Reads an `Expire:` as dirvish does: what stands behind `==` is the date. */
export function readExpiry(expire: string, zone: string): ExpiryDate {
  const text = expire.replace(/\s*==.*$/, '').trim();
  const date = expire.replace(/^.*==\s*/, '').trim();
  if (/never/i.test(date) || isNever(text) || date === '') return { kind: 'never' };
  const time = parseLocal(date, zone);
  if (time !== undefined) return { kind: 'at', time, text };
  const read = parseDate(date, 0, zone);
  if ('message' in read || read.date.relative) return { kind: 'unreadable', text: expire };
  return { kind: 'at', time: read.date.seconds, text };
}
