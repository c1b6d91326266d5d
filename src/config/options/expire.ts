import { later, option, optional } from '../option.ts';

/** The options of expiry. */
export const EXPIRE_OPTIONS = {
  expire: optional('date', 'expiry', 'When the image expires, whatever the rules say.', {
    placeholder: 'DATE',
    example: '+3 months',
  }),
  'expire-default': optional('date', 'expiry', 'When an image expires that no rule matches.', {
    placeholder: 'DATE',
    example: '+15 days',
  }),
  'expire-rule': option(
    'rules',
    [],
    'expiry',
    'When an image expires, by the time it was made: the last rule that matches.',
    {
      placeholder: 'PERIOD DATE',
      example: '* * * * sun +3 months',
    },
  ),
  keep: later('What to keep, looked at when images are deleted.', 'expiry'),
  'max-clock-jump': later('How far the clock may have jumped.', 'expiry'),
};
