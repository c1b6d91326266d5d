import type { ExpiringImage } from '../../../src/expire/image.ts';
import { NOW, type Scene } from './images.ts';

/**
 * What goes, worked out anew for each image by looking at all others: slowly, and with nothing of the program's own but
 * the images.
 */
export function goesByOracle({ zone, images, inUse, keep }: Scene): Set<string> {
  const end = (image: ExpiringImage) => image.completed ?? image.begun ?? image.at;
  const goes = new Set<string>();
  for (const image of images) {
    const own = images.filter((other) => other.branch === image.branch);
    const past = own.filter((other) => other.at <= NOW && end(other) <= NOW);
    const good = past.filter((other) => other.verdict === 'good' && other.hasTree);
    const later = (of: readonly ExpiringImage[]) => of.some((other) => end(other) > end(image));
    const isNewestGood = good.includes(image) && !later(good);
    // Nothing of any kind is newer, and nothing good is as new.
    const isNewest = past.includes(image) && !later(past) && !good.some((other) => end(other) >= end(image));
    const isFrozen = own.some((other) => other.verdict === 'held' || (other.frozenUntil ?? 0) > NOW);
    const isSafe =
      good.length === 0 ||
      isNewestGood ||
      isNewest ||
      isFrozen ||
      image.pinned ||
      inUse.includes(image.directory);
    const expire = image.setAside ?? image.expire;
    const written = expire.split('== ')[1] ?? '';
    const isPast = /^\d/.test(written) && clock(NOW, zone).full >= written;
    const listAlone = expire === 'Never' && image.from === 'none' && keep.length > 0;
    const isKept = keep.some((line) => keptBy(line, image, good, zone));
    if (!isSafe && past.includes(image) && (isPast || listAlone) && !isKept) goes.add(image.directory);
  }
  return goes;
}

/** Whether a line keeps an image, put among the good ones. */
function keptBy(line: string, image: ExpiringImage, good: readonly ExpiringImage[], zone: string): boolean {
  const [word = '', number = ''] = line.split(' ');
  const all = [image, ...good.filter((other) => other !== image)].sort(
    (a, b) => b.at - a.at || (b.completed ?? 0) - (a.completed ?? 0) || (a.name < b.name ? 1 : -1),
  );
  if (word === 'within') return image.at >= (all[0]?.at ?? 0) - Number(number) * 86_400;
  const seen = new Set<string>();
  for (const other of all) {
    const key = word === 'last' ? other.name : periodKey(word, other.at, zone);
    if (seen.has(key)) continue;
    seen.add(key);
    if (seen.size > Number(number)) return false;
    if (other === image) return true;
  }
  return false;
}

function periodKey(word: string, at: number, zone: string): string {
  const { full, offset } = clock(at, zone);
  if (word === 'hourly') return `${full.slice(0, 13)} ${offset}`;
  if (word === 'daily') return full.slice(0, 10);
  if (word === 'monthly') return full.slice(0, 7);
  if (word === 'yearly') return full.slice(0, 4);
  const day = new Date(`${full.slice(0, 10)}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  return day.toISOString().slice(0, 10);
}

const formats = new Map<string, Intl.DateTimeFormat>();
const clocks = new Map<string, { full: string; offset: string }>();

/** The wall clock as the platform's own formatter shows it. */
function clock(at: number, zone: string): { full: string; offset: string } {
  const key = `${at} ${zone}`;
  const known = clocks.get(key);
  if (known !== undefined) return known;
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      timeZoneName: 'longOffset',
    });
  formats.set(zone, format);
  const parts = new Map(format.formatToParts(new Date(at * 1000)).map(({ type, value }) => [type, value]));
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? '';
  const full = `${part('year')}-${part('month')}-${part('day')} ${part('hour')}:${part('minute')}:${part('second')}`;
  const made = { full, offset: part('timeZoneName') };
  clocks.set(key, made);
  return made;
}
