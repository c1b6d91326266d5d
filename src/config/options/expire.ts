import { MASTER_ONLY, option, optional } from '../option.ts';

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
  keep: option(
    'keep',
    [],
    'expiry',
    'What to keep, looked at when images are deleted; an image goes only when its date lets it go too.',
    {
      placeholder: 'WHAT',
      example: 'daily 14',
    },
  ),
  'max-clock-jump': option(
    'duration',
    30 * 86_400,
    'expiry',
    'Delete nothing when the clock is this far past the last run.',
    { layers: MASTER_ONLY, placeholder: 'DURATION' },
  ),
};
