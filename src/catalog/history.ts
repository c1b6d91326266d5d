/** dirvish's history of a branch. The misspelt heading is dirvish's own. */
const HEADING = '#IMAGE\tCREATED\tREFERECE\tEXPIRES\n';

export interface HistoryLine {
  readonly image: string;
  /** Local time, `YYYY-MM-DD hh:mm:ss`. */
  readonly created: string;
  readonly reference: string;
  readonly expires: string;
}

/** The lines of a history file, oldest first. */
export function parseHistory(text: string): HistoryLine[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [image = '', created = '', reference = '', expires = ''] = line.split('\t');
      return { image, created, reference, expires };
    });
}

/** The text with one more line, exactly as dirvish appends it; unchanged when the image is there already. */
export function withHistoryLine(text: string, line: HistoryLine): string {
  if (parseHistory(text).some((known) => known.image === line.image)) return text;
  const start = text === '' ? HEADING : text.endsWith('\n') ? text : `${text}\n`;
  return `${start}${[line.image, line.created, line.reference, line.expires].join('\t')}\n`;
}

/** The text without the lines of images that are not there any more; comments and heading stay. */
export function withoutImages(text: string, isThere: (image: string) => boolean): string {
  const lines = text.split('\n').filter((line) => {
    const known = line.trim() === '' || line.startsWith('#');
    return known || isThere(line.split('\t')[0] ?? '');
  });
  return lines.join('\n');
}
