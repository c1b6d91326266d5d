import { later } from '../option.ts';

/** The options of notification. */
export const NOTIFY_OPTIONS = {
  notify: later('Whom to tell about a night.', 'notification'),
  'notify-on': later('When to tell.', 'notification'),
  'metrics-file': later('Where to write metrics.', 'notification'),
  'mail-from': later('The sender of mail.', 'notification'),
  'mail-to': later('Whom to send mail to.', 'notification'),
  'smtp-server': later('How to send mail.', 'notification'),
};
