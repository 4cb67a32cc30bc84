import * as z from 'zod';
import { timestamp, userId } from './ids.ts';

const kind = z.enum(['email', 'webhook', 'slack', 'teams', 'calendar']).meta({
  description:
    '`webhook` gets signed JSON; `slack` and `teams` get a message in their form; `calendar` makes a feed.',
});
const state = z.enum(['upcoming', 'due', 'overdue', 'escalated']);
const notificationId = z.string().regex(/^[0-9a-f-]{36}$/, 'must be the id of a notification');

export const createNotificationRequest = z
  .strictObject({
    kind,
    address: z
      .string()
      .max(254, 'must be at most 254 characters')
      .regex(/^[A-Za-z0-9][A-Za-z0-9._+=-]*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/, 'must be a mail address')
      .optional()
      .meta({ description: 'With kind `email`.' }),
    url: z.string().max(2048, 'must be at most 2048 characters').optional().meta({
      description:
        'With kind `webhook`, `slack`, `teams`: https, on the public internet. Kept sealed, never shown.',
      writeOnly: true,
    }),
    owner: userId.optional().meta({ description: 'Only what this owner’s secrets say; else every owner’s.' }),
    states: z
      .array(state)
      .min(1, 'must name at least one')
      .max(4)
      .default(['upcoming', 'due', 'overdue', 'escalated'])
      .meta({ description: '`escalated` is what is overdue for five weeks.' }),
  })
  .meta({ id: 'CreateNotificationRequest' });

export const notificationPath = z.strictObject({ id: notificationId });

export const notificationDescription = z
  .object({
    id: notificationId,
    kind,
    address: z.string().nullable(),
    host: z.string().nullable().meta({ description: 'Of the URL, all that is shown.' }),
    owner: z.string().nullable(),
    states: z.array(state),
    created_at: timestamp,
    created_by: z.string(),
  })
  .meta({ id: 'Notification', description: 'Who gets which reminders.' });
export type NotificationDescription = z.infer<typeof notificationDescription>;

export const createdNotification = notificationDescription
  .extend({
    signing_key: z
      .string()
      .nullable()
      .meta({ description: 'Of a webhook: what its posts are signed with. Shown this once.' }),
    calendar_path: z.string().nullable().meta({
      description: 'Of a calendar: the path of its feed. Whoever has it can read it. Shown this once.',
    }),
  })
  .meta({ id: 'CreatedNotification' });

export const calendarPath = z.strictObject({
  file: z.string().regex(/^fmc_[A-Za-z0-9_-]{43}\.ics$/, 'must be the file of a calendar'),
});

export const calendarFeed = z
  .string()
  .meta({ description: 'iCalendar (RFC 5545): a day for each secret that is to be rotated.' });
