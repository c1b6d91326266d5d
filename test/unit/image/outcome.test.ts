import { describe, expect, it } from 'vitest';
import type { Result } from '../../../src/exec/command.ts';
import { fileErrors, judgeEnd, pathOfError, toleratedBy, unexplained } from '../../../src/image/outcome.ts';

function ended(more: Partial<Result>): Result {
  const empty = Buffer.alloc(0);
  return { code: 0, signal: null, timedOut: false, stdout: empty, stderr: empty, ...more };
}

const UNREADABLE = 'rsync: [sender] send_files failed to open "/home/secret": Permission denied (13)';
const SUMMARY =
  'rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1338)';

describe('the end of an rsync', () => {
  it.each([
    [0, 'good'],
    [24, 'vanished'],
    [23, 'partial'],
    [10, 'connection'],
    [12, 'connection'],
    [30, 'connection'],
    [35, 'connection'],
    [255, 'connection'],
    ...[1, 2, 3, 4, 5, 11, 13, 14, 20, 21, 22, 25, 124, 127].map((code) => [code, 'failed'] as const),
    [99, 'failed'],
  ] as const)('code %d is %s', (code, outcome) => {
    expect(judgeEnd(ended({ code }), [], false).outcome).toBe(outcome);
  });

  it.each<[string, Partial<Result>]>([
    ['a signal', { code: null, signal: 'SIGKILL' }],
    ['a signal with code 0', { code: 0, signal: 'SIGTERM' }],
    ['a time-out', { code: 0, timedOut: true }],
    ['no program', { code: null, spawnError: 'ENOENT' }],
    ['nothing at all', { code: null }],
  ])('%s is a failure', (_, result) => {
    expect(judgeEnd(ended(result), [], false).outcome).toBe('failed');
  });

  it('is an interruption once we have stopped it', () => {
    expect(judgeEnd(ended({ code: 0 }), [], true).outcome).toBe('interrupted');
  });

  it.each([
    ['rsync: [receiver] write failed on "/b/x": No space left on device (28)', 11, 'full'],
    ['rsync: [receiver] mkstemp "/b/.x" failed: Disk quota exceeded (122)', 23, 'full'],
    [
      'rsync: [receiver] rsync_xal_set: lsetxattr("/b/x","user.a") failed: No space left on device (28)',
      23,
      'partial',
    ],
    ['Host key verification failed.', 255, 'unreachable'],
    ['me@host: Permission denied (publickey).', 255, 'unreachable'],
    ['ssh: connect to host x port 22: Connection refused', 255, 'unreachable'],
    ['client_loop: send disconnect: Broken pipe', 255, 'connection'],
  ])('with %j', (line, code, outcome) => {
    expect(judgeEnd(ended({ code }), [line], false).outcome).toBe(outcome);
  });

  it('names codes in words, known or not', () => {
    expect(judgeEnd(ended({ code: 22 }), [], false).message).toBe('rsync 22: error allocating memory');
    expect(judgeEnd(ended({ code: 99 }), [], false).message).toMatch(/^rsync 99: .*not document/);
  });
});

describe('messages about files', () => {
  it.each([
    [UNREADABLE, '/home/secret'],
    ['rsync: [sender] opendir "/home/x" failed: Permission denied (13)', '/home/x'],
    ['rsync: [sender] readlink_stat("/home/a "b"") failed: Input/output error (5)', '/home/a "b"'],
    ['rsync: [sender] opendir "/x" (in module) failed: Permission denied (13)', '/x'],
    [
      'rsync: [receiver] rsync_xal_set: lsetxattr("/b/x","user.a") failed: Operation not supported (95)',
      '/b/x',
    ],
    ['rsync: [sender] read errors mapping "/home/x": Input/output error (5)', '/home/x'],
    ['IO error encountered -- skipping file deletion', undefined],
    ['file has vanished: "/home/x"', undefined],
    [SUMMARY, undefined],
  ])('%s', (line, path) => {
    expect(fileErrors([line])[0]?.path).toBe(path);
  });

  it('escapes stand for bytes', () => {
    expect(pathOfError({ path: '/a\\#012b\xff', line: '' })).toBe('/a\nb\xff');
  });
});

describe('tolerated paths', () => {
  it.each([
    [['/home/*/.gvfs'], '/home/me/.gvfs', true],
    [['/home/*/.gvfs'], '/home/me/.gvfs/deep/x', true],
    [['/home/*/.gvfs'], '/home/me/you/.gvfs', false],
    [['/home/**/.gvfs'], '/home/me/you/.gvfs', true],
    [['.cache'], '/home/me/.cache/x', true],
    [['.cache'], '/home/me/xcache', false],
    [['/a.b'], '/aXb', false],
    [['/a?b'], '/aXb', true],
    [['/dir/'], '/dir', true],
    [['/dir'], '/directory', false],
    [[], '/x', false],
  ])('%j and %s', (patterns, path, expected) => {
    expect(toleratedBy(patterns, path)).toBe(expected);
  });

  it('are all that a run with tolerated errors complains of', () => {
    const errors = fileErrors([UNREADABLE, UNREADABLE.replace('secret', 'other'), SUMMARY]);
    expect(errors.length).toBe(2);
    expect(errors.every((error) => toleratedBy(['/home/*'], error.path))).toBe(true);
    expect(errors.every((error) => toleratedBy(['/home/secret'], error.path))).toBe(false);
  });
});

describe('errors that name no file in quotes', () => {
  it.each([
    ['ERROR: dir/x failed verification -- update discarded.', 'dir/x'],
    ['rsync: get_acl: sys_acl_get_file(dir/y, ACL_TYPE_ACCESS): Input/output error (5)', 'dir/y'],
  ])('%s', (line, path) => {
    expect(fileErrors([line]).map((error) => error.path)).toEqual([path]);
    expect(unexplained([line])).toBe(0);
  });

  it('are counted when they name none at all, but for what rsync says at its end', () => {
    expect(unexplained(['rsync: something new went wrong', SUMMARY, UNREADABLE])).toBe(1);
    expect(unexplained(['IO error encountered -- skipping file deletion', SUMMARY])).toBe(0);
  });
});
