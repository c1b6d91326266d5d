/** The file in a half-made image that tells which boot and mount it is of, and what it is made against. */
export const ATTEMPT_FILE = 'attempt';

/** The text of the mark: the mount's identity, then the reference's directory, if there is one. */
export function markText(mount: string, reference: string | undefined): string {
  return reference === undefined ? `${mount}\n` : `${mount}\n${reference}\n`;
}

/** The mount that a mark was made on. */
export function mountOfMark(mark: string): string {
  return mark.split('\n')[0] ?? '';
}

/** The directory of the image that a half-made one is made against: expiry must leave it alone. */
export function referenceOfMark(mark: string): string | undefined {
  return mark.split('\n')[1] || undefined;
}
