/** One section of what hooks/capture prints: a question to the machine, and its answer. */
export interface Section {
  readonly name: string;
  /** What it is about: a disk, a volume group. */
  readonly of: string | undefined;
  /**
   * `none`: there is nothing of the kind; `missing`: the tool is not there; `root`: it failed, and whoever ran it was
   * not root; `cut`: the output ended in the middle.
   */
  readonly status: 'ok' | 'none' | 'missing' | 'root' | 'failed' | 'cut';
  readonly reason: string | undefined;
  readonly text: string;
}

export interface Sections {
  readonly sections: readonly Section[];
  /** Whether the end has come. */
  readonly whole: boolean;
}

const BEGIN = 'vault-capture 1 begin';
const END = 'vault-capture 1 end';

/**
 * Reads the output of hooks/capture. What comes before and after is left out: shells greet. Undefined where it is no
 * such output at all.
 */
export function parseSections(text: string): Sections | undefined {
  const lines = text.split(/\r?\n/);
  const begin = lines.indexOf(BEGIN);
  if (begin < 0) return undefined;
  const sections: Section[] = [];
  let heading: string | undefined;
  let body: string[] = [];
  const close = () => {
    if (heading !== undefined) sections.push(sectionOf(heading, body));
    body = [];
  };
  for (const line of lines.slice(begin + 1)) {
    if (line === END) {
      close();
      return { sections, whole: true };
    }
    if (line.startsWith('|')) body.push(line.slice(1));
    else if (line.startsWith('@ ')) {
      close();
      heading = line.slice(2);
    }
  }
  close();
  return { sections, whole: false };
}

function sectionOf(heading: string, body: readonly string[]): Section {
  const [name = '', of] = heading.split(/ (.*)/);
  const ending = /^= (ok|none|missing|root|failed)(?: (.*))?$/.exec(body.at(-1) ?? '');
  const status = ending?.[1];
  const text = (ending === null ? body : body.slice(0, -1)).join('\n');
  return { name, of, status: isStatus(status) ? status : 'cut', reason: ending?.[2], text };
}

function isStatus(text: string | undefined): text is Section['status'] {
  return text !== undefined;
}

/** The answer to a question that was asked once; undefined where there is none. */
export function answer(sections: readonly Section[], name: string, of?: string): string | undefined {
  const found = sections.find((each) => each.name === name && (of === undefined || each.of === of));
  return found?.status === 'ok' ? found.text : undefined;
}

/** All sections of a name. */
export function allOf(sections: readonly Section[], name: string): readonly Section[] {
  return sections.filter((each) => each.name === name);
}

/** `KEY=value` lines, the first of a key; quotes of os-release are taken off. */
export function keyValues(text: string): Readonly<Record<string, string>> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, key, value = ''] = /^([A-Za-z_][A-Za-z0-9_.-]*)=(.*)$/.exec(line) ?? [];
    if (key !== undefined && !values.has(key)) values.set(key, value.replace(/^(["'])(.*)\1$/, '$2'));
  }
  return Object.fromEntries(values);
}

/** The lines that are not empty. */
export function filledLines(text: string | undefined): readonly string[] {
  return (text ?? '').split('\n').filter((line) => line.trim() !== '');
}
