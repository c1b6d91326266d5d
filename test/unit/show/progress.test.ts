import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/commands/spec.ts';
import {
  phaseLine,
  progressLines,
  progressObject,
  speedOf,
  type PhaseState,
} from '../../../src/show/progress-line.ts';
import { createProgress, type ProgressMode } from '../../../src/show/progress.ts';
import { createScreen } from '../../../src/show/screen.ts';
import { textWidth } from '../../../src/show/text.ts';

const STATE: PhaseState = {
  label: 'laptop-root',
  phase: 'transferring',
  totals: { files: 99_999, bytes: 3_400_000_000 },
  samples: [
    { at: 100, files: 0, bytes: 0 },
    { at: 110, files: 12_345, bytes: 1_200_000_000 },
  ],
};

describe('a progress line', () => {
  it('tells files, bytes, speed and the time left', () => {
    expect(progressLines([STATE], 120)).toEqual([
      'laptop-root  transferring  12,345/99,999 files  1.2/3.4 GB  120 MB/s  19s left',
    ]);
  });
  it('leaves out what does not fit, and never fills the line', () => {
    const long = { ...STATE, label: 'the-old-file-server-in-the-cellar-that-nobody-switches-off:weekly' };
    for (const columns of [20, 40, 60, 80]) {
      const lines = progressLines([STATE, long], columns);
      expect(lines.every((line) => textWidth(line) < columns)).toBe(true);
    }
    expect(progressLines([long], 80)).toEqual([
      'the-old-file…-off:weekly  transferring  1.2/3.4 GB  120 MB/s  19s left',
    ]);
  });
  it('rather tells the time left than the speed', () => {
    const samples = [
      { at: 0, files: 1_000_000, bytes: 120e9 },
      { at: 10, files: 1_234_567, bytes: 120.45e9 },
    ];
    const totals = { files: 9_999_999, bytes: 456e9 };
    expect(progressLines([{ ...STATE, totals, samples }], 80)).toEqual([
      'laptop-root  transferring  1,234,567/9,999,999 files  120/456 GB  2h05m left',
    ]);
  });
  it('is an object for programs', () => {
    expect(progressObject({ ...STATE, label: 'laptop:weekly' })).toEqual({
      type: 'progress',
      vault: 'laptop',
      branch: 'weekly',
      phase: 'transferring',
      files: 12_345,
      bytes: 1_200_000_000,
      totalFiles: 99_999,
      totalBytes: 3_400_000_000,
      bytesPerSecond: 120_000_000,
      etaSeconds: 19,
    });
  });
  it('says only what is known', () => {
    const samples = [{ at: 1, files: 512, bytes: 0 }];
    expect(progressLines([{ label: 'etc', phase: 'scanning', totals: {}, samples }], 80)).toEqual([
      'etc  scanning  512 files',
    ]);
    expect(speedOf({ ...STATE, samples: [] })).toEqual({ bytesPerSecond: 0, eta: undefined });
  });
  it('reckons by files where there are no bytes', () => {
    const samples = [
      { at: 0, files: 0, bytes: 0 },
      { at: 2, files: 100, bytes: 0 },
    ];
    expect(speedOf({ ...STATE, totals: { files: 1000 }, samples }).eta).toBe(18);
  });
  it('cannot be forged by a name', () => {
    const lines = progressLines([{ ...STATE, label: 'a\u001b[2J' }], 80);
    expect(lines.join('')).not.toContain('\u001b');
  });
  it('is plain off the terminal', () => {
    expect(phaseLine('etc', 'transferring', { files: 1, bytes: 2_000_000 })).toBe(
      'etc: transferring, 1 file, 2.0 MB',
    );
    expect(phaseLine('etc', 'scanning', {})).toBe('etc: scanning');
  });
});

function recorded(mode: ProgressMode) {
  const notes: string[] = [];
  const objects: JsonObject[] = [];
  const pins: (readonly string[])[] = [];
  let time = 0;
  const progress = createProgress({
    mode,
    out: { note: (text) => notes.push(text), json: (object) => objects.push(object) },
    pin: (lines) => pins.push(lines),
    columns: () => 80,
    clock: () => (time += 1),
  });
  const task = progress.start('laptop:weekly');
  task.phase('scanning');
  task.update(5, 0);
  task.phase('transferring', { files: 5, bytes: 10 });
  task.end();
  return { notes, objects, pins };
}

describe('progress', () => {
  it('prints one line a phase off the terminal', () => {
    expect(recorded('lines')).toEqual({
      notes: ['laptop:weekly: scanning', 'laptop:weekly: transferring, 5 files, 10 B'],
      objects: [],
      pins: [],
    });
  });
  it('prints objects for programs', () => {
    expect(recorded('json').objects).toEqual([
      { type: 'phase', vault: 'laptop', branch: 'weekly', phase: 'scanning' },
      {
        type: 'phase',
        vault: 'laptop',
        branch: 'weekly',
        phase: 'transferring',
        totalFiles: 5,
        totalBytes: 10,
      },
    ]);
  });
  it('pins lines on a terminal and takes them away', () => {
    const { pins, notes } = recorded('bars');
    expect(notes).toEqual([]);
    expect(pins[0]).toEqual(['laptop:weekly  scanning']);
    expect(pins.at(-1)).toEqual([]);
  });
  it('is silent when asked', () => expect(recorded('none')).toEqual({ notes: [], objects: [], pins: [] }));
});

describe('the screen', () => {
  it('keeps pinned lines below what is written', () => {
    let shown = '';
    const sink = (name: string) => ({
      write: (text: string) => (shown += `${name}(${JSON.stringify(text)})`),
    });
    const screen = createScreen(sink('out'), sink('err'));
    screen.err('plain\n');
    screen.pin(['a', 'b']);
    screen.out('text\n');
    screen.err('log\n');
    screen.pin([]);
    expect(shown.replaceAll('\\u001b', 'ESC')).toBe(
      'err("plain\\n")out("a\\nb\\n")out("ESC[2AESC[Jtext\\na\\nb\\n")' +
        'out("ESC[2AESC[J")err("log\\n")out("a\\nb\\n")out("ESC[2AESC[J")',
    );
  });
});
