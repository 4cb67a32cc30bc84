import type { Caller } from '../access/caller.ts';
import { demand } from '../audit/demand.ts';
import { type ReadNeeds, recordRead } from '../audit/record-read.ts';
import type { NotificationDescription } from '../contract/notifications.ts';
import type { Page } from '../contract/page.ts';
import { describeRecipient } from './create-notification.ts';
import type { ReminderStore } from './reminder-store.ts';

interface Needs extends ReadNeeds {
  readonly reminders: Pick<ReminderStore, 'recipients'>;
}

/** Who gets reminders, newest first, without URLs and tokens. @throws SecretsError `forbidden` */
export async function listNotifications(
  needs: Needs,
  caller: Caller,
): Promise<Page<NotificationDescription>> {
  await demand(needs, caller, 'manage_organization');
  await recordRead(needs, caller, 'list_notifications');
  const recipients = await needs.reminders.recipients(caller.org);
  return { items: recipients.toReversed().map(describeRecipient) };
}
