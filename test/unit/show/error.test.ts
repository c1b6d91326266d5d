import { describe, expect, it } from 'vitest';
import { VaultError } from '../../../src/errors.ts';
import { errorJson, errorText } from '../../../src/show/error.ts';

const PROGRAM = 'vault 1.2.3, node v20, linux x64';

describe('expected failures', () => {
  const problems = [
    {
      file: '/etc/vault/master.conf',
      line: 12,
      message: 'unknown option "exlude" (did you mean "exclude"?)',
    },
    { file: '/etc/vault/master.conf', message: 'has no bank:' },
    { message: 'no file at all' },
  ];
  it('names all problems as FILE:LINE: message, and what to do', () => {
    const error = new VaultError('config', '3 problems in the configuration', {
      problems,
      hint: 'Mend them.',
    });
    expect(errorText(error, PROGRAM).split('\n')).toEqual([
      'vault: error: 3 problems in the configuration',
      '/etc/vault/master.conf:12: unknown option "exlude" (did you mean "exclude"?)',
      '/etc/vault/master.conf: has no bank:',
      'no file at all',
      'hint: Mend them.',
    ]);
    expect(errorJson(error)).toEqual({
      kind: 'config',
      message: '3 problems in the configuration',
      hint: 'Mend them.',
      problems,
    });
  });
  it('is one line, whatever names are in it', () => {
    expect(errorText(new VaultError('failed', 'cannot read a\nvault: all is well\u001b[1A'), PROGRAM)).toBe(
      'vault: error: cannot read a\\012vault: all is well\\033[1A',
    );
  });
});

describe('bugs', () => {
  it('show where they happened and ask to be reported', () => {
    const text = errorText(new TypeError('x is no function', { cause: new Error('because') }), PROGRAM);
    expect(text).toMatch(/^vault: bug: x is no function\n/);
    expect(text).toContain('error.test.ts:');
    expect(text).toContain('caused by: because');
    expect(text).toContain(PROGRAM);
    expect(text).toContain('report');
    expect(errorJson(new Error('x'))).toMatchObject({ kind: 'bug', message: 'x' });
  });
  it('cope with anything thrown', () =>
    expect(errorText('just text', PROGRAM)).toContain('vault: bug: just text'));
});
