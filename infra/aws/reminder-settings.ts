import * as z from 'zod';
import { organizationId } from '../../shared/contract/ids.ts';

/** What `-c reminders='{…}'` says. */
export const reminderSettings = z.strictObject({
  /** A sender that SES has verified in this account and region: then mail goes out as HTML, to each owner. */
  mailFrom: z.email().optional(),
  consoleUrl: z.url({ protocol: /^https$/ }).optional(),
  /** Mail addresses that get an organization's reminders by the topic; each must confirm it once. */
  subscriptions: z.record(organizationId, z.array(z.email())).default({}),
});
