import { z } from 'zod';
import type { Machine } from './describe-schema.ts';
import { allOf, answer, keyValues, type Section } from './describe-sections.ts';

const SECTOR = 512;

/** What `sfdisk --json` prints, as far as it is used; numbers are texts in old versions. */
const number = z.union([z.number(), z.string()]).transform(Number);
const tableSchema = z.object({
  partitiontable: z.object({
    label: z.string(),
    id: z.string().optional(),
    firstlba: number.optional(),
    lastlba: number.optional(),
    sectorsize: number.default(SECTOR),
    partitions: z
      .array(
        z.object({
          node: z.string(),
          start: number,
          size: number,
          type: z.string(),
          uuid: z.string().optional(),
          name: z.string().optional(),
          attrs: z.string().optional(),
          bootable: z.boolean().optional(),
        }),
      )
      .default([]),
  }),
});

/** The disks with their partition tables. */
export function describeDisks(sections: readonly Section[]): Machine['disks'] {
  return allOf(sections, 'disk').flatMap((section) => {
    if (section.of === undefined || section.status !== 'ok') return [];
    return [diskOf(section.of, section.text, sections)];
  });
}

function diskOf(path: string, attributes: string, sections: readonly Section[]): Machine['disks'][number] {
  const values = keyValues(attributes);
  const flag = (name: string) => (values[name] === undefined ? {} : { [camel(name)]: values[name] === '1' });
  const named = (name: string) => (values[name] ? { [name]: values[name] } : {});
  const table = tableOf(answer(sections, 'sfdisk-json', path));
  const dump = answer(sections, 'sfdisk-dump', path);
  const ids = attributes.split('\n').flatMap((line) => /^id=(.*)$/.exec(line)?.[1] ?? []);
  return {
    path,
    // The kernel counts in sectors of 512 bytes, whatever the disk has.
    size: Number(values['sectors'] ?? 0) * SECTOR,
    logicalSector: Number(values['logical-sector'] ?? SECTOR),
    ...(values['physical-sector'] === undefined ? {} : { physicalSector: Number(values['physical-sector']) }),
    ...flag('rotational'),
    ...flag('removable'),
    ...named('vendor'),
    ...named('model'),
    ...named('serial'),
    ...named('wwid'),
    ids,
    ...(table === undefined ? {} : { table }),
    ...(dump === undefined ? {} : { dump }),
  };
}

function camel(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function tableOf(json: string | undefined): Machine['disks'][number]['table'] {
  if (json === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  const found = tableSchema.safeParse(value).data?.partitiontable;
  if (found === undefined) return undefined;
  const { firstlba, lastlba, sectorsize, id, ...rest } = found;
  return {
    ...rest,
    ...(id === undefined ? {} : { id }),
    ...(firstlba === undefined ? {} : { firstLba: firstlba }),
    ...(lastlba === undefined ? {} : { lastLba: lastlba }),
    sectorSize: sectorsize,
  };
}
