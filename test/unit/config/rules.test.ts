import { describe, expect, it } from 'vitest';
import { expireFor, parseRule } from '../../../src/config/rules.ts';
import { momentOf } from '../../../src/time/zone.ts';

const ZONE = 'Europe/Vienna';
const RULES = [
  '*	*	*     *		  1	+3 months',
  '*	*	1-7   *		  su	+1 year',
  '*	*	1-7   1,4,7,10	  1',
  'hr { 10-20 }			+10 days',
];

/** What an image of `YYYY-MM-DD HH` gets. */
function expiryOn(time: string, settings: Partial<Parameters<typeof expireFor>[0]> = {}) {
  const [year = 0, month = 0, day = 0, hour = 0] = time.split(/[- ]/).map(Number);
  const now = momentOf({ year, month, day }, { hour, minute: 0, second: 0 }, ZONE);
  const all = { expire: undefined, 'expire-rule': RULES, 'expire-default': '+5 weeks', ...settings };
  return expireFor(all, now, ZONE);
}

describe('expiry', () => {
  it('is by the last rule that matches, written as dirvish writes it', () => {
    expect(expiryOn('2026-11-08 22')).toEqual({ expire: '+3 months == 2027-02-08 22:00:00', rule: RULES[0] });
    expect(expiryOn('2026-11-01 22')).toEqual({ expire: '+1 year == 2027-11-01 22:00:00', rule: RULES[1] });
    expect(expiryOn('2026-10-04 22')).toEqual({ expire: 'Never', rule: RULES[2] });
    expect(expiryOn('2026-10-04 12')).toEqual({ expire: '+10 days == 2026-10-14 12:00:00', rule: RULES[3] });
  });

  it('is expire-default where no rule matches, and never without one', () => {
    expect(expiryOn('2026-11-25 22')).toEqual({ expire: '+5 weeks == 2026-12-30 22:00:00', rule: undefined });
    expect(expiryOn('2026-11-25 22', { 'expire-default': undefined }).expire).toBe('Never');
    expect(expiryOn('2026-11-25 22', { 'expire-default': 'NEVER' }).expire).toBe('Never');
  });

  it('is what expire says, where it says anything', () => {
    expect(expiryOn('2026-11-01 22', { expire: '+2 days' })).toEqual({
      expire: '+2 days == 2026-11-03 22:00:00',
      rule: undefined,
    });
    expect(expiryOn('2026-11-01 22', { expire: 'never' })).toEqual({ expire: 'Never', rule: undefined });
  });

  it('in the past is told', () => {
    expect(expiryOn('2026-11-01 22', { expire: '2026-06-01' }).note).toBe(
      'expires at once: 2026-06-01 == 2026-06-01 00:00:00',
    );
  });
});

describe('rules', () => {
  it('warn of numbers for days of the week, since cron has others', () => {
    const note = (rule: string) => {
      const result = parseRule(rule);
      return 'rule' in result ? result.rule.note : result.message;
    };
    expect(note('* * * * 1 +1 month')).toMatch(/^weekday 1 means sun here/);
    expect(note('* * * * 2-6 +1 month')).toMatch(/^weekday 2-6 means mon-fri here/);
    expect(note('wd { 7 } never')).toMatch(/^weekday 7 means sat here/);
    expect(note('* * * * sun +1 month')).toBeUndefined();
    expect(note('* * 1 1 * +1 month')).toBeUndefined();
  });

  it('without a date mean never, whatever they match', () => {
    expect(parseRule('* * * * *')).toEqual({ rule: { period: [], date: '' } });
    expect(expiryOn('2026-11-25 22', { 'expire-rule': ['* * * * *'] })).toEqual({
      expire: 'Never',
      rule: '* * * * *',
    });
  });
});
