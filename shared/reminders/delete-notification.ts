import type { Caller } from '../access/caller.ts';
import { replayFor } from '../access/replay.ts';
import { type DemandNeeds, demand } from '../audit/demand.ts';
import { eventOf } from '../audit/event.ts';
import { SecretsError } from '../contract/errors.ts';
import type { ReminderStore } from './reminder-store.ts';

interface Needs extends DemandNeeds {
  readonly reminders: Pick<ReminderStore, 'removeRecipient'>;
}

/** Ends somebody's reminders, or a calendar's feed. @throws SecretsError `forbidden`, `not_found`, `unavailable` */
export async function deleteNotification(
  needs: Needs,
  caller: Caller,
  { id }: { readonly id: string },
): Promise<null> {
  await demand(needs, caller, 'manage_organization');
  const removed = await needs.reminders.removeRecipient(caller.org, id, {
    event: eventOf(needs, caller, { action: 'delete_notification', about: id }),
    replay: replayFor(caller, needs.now(), 204, ''),
  });
  if (!removed) throw new SecretsError('not_found', 'No notification of this id. List them to find it.');
  return null;
}
