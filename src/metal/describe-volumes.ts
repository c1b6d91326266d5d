import { z } from 'zod';
import type { Machine } from './describe-schema.ts';
import { allOf, answer, keyValues, type Section } from './describe-sections.ts';

const record = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));
const reportSchema = z.object({ report: z.array(z.record(z.string(), z.array(record))) });

/** LVM: what pvs, vgs and lvs report, and what vgcfgrestore takes. Undefined where there is none of it. */
export function describeLvm(sections: readonly Section[]): Machine['lvm'] {
  const groups = reportOf(answer(sections, 'vgs'), 'vg');
  const physicalVolumes = reportOf(answer(sections, 'pvs'), 'pv');
  if (groups.length === 0 && physicalVolumes.length === 0) return undefined;
  return {
    physicalVolumes,
    groups,
    volumes: reportOf(answer(sections, 'lvs'), 'lv'),
    backups: allOf(sections, 'vgcfgbackup').flatMap((each) =>
      each.of === undefined || each.status !== 'ok' ? [] : [{ group: each.of, text: each.text }],
    ),
  };
}

function reportOf(text: string | undefined, kind: string): Record<string, string>[] {
  if (text === undefined) return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  const rows = reportSchema.safeParse(value).data?.report.flatMap((each) => each[kind] ?? []) ?? [];
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, field]) => [name, String(field ?? '')])),
  );
}

/** Software RAID: what mdadm tells of each array. */
export function describeRaid(sections: readonly Section[]): Machine['raid'] {
  return allOf(sections, 'mdadm-export').flatMap((each) => {
    if (each.of === undefined || each.status !== 'ok') return [];
    const detail = answer(sections, 'mdadm-detail', each.of);
    return [
      { array: each.of, settings: { ...keyValues(each.text) }, ...(detail === undefined ? {} : { detail }) },
    ];
  });
}

/** LUKS volumes, with their headers where those were asked for. */
export function describeLuks(sections: readonly Section[]): Machine['luks'] {
  return allOf(sections, 'luksDump').flatMap((each) => {
    if (each.of === undefined || each.status !== 'ok') return [];
    const uuid = /^UUID:\s*(\S+)/m.exec(each.text)?.[1];
    const version = /^Version:\s*(\S+)/m.exec(each.text)?.[1];
    const header = answer(sections, 'luks-header', each.of)?.replace(/\s/g, '');
    return [
      {
        device: each.of,
        ...(uuid === undefined ? {} : { uuid }),
        ...(version === undefined ? {} : { version }),
        dump: each.text,
        ...(header === undefined ? {} : { header }),
      },
    ];
  });
}
