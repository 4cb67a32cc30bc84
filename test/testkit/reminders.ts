import { embeddedNotifier } from '../../shared/embedded/notifier.ts';
import type { Network } from '../../shared/http/post-public.ts';
import type { Notifier } from '../../shared/reminders/notifier.ts';
import { postWebhook } from '../../shared/reminders/post-webhook.ts';
import { type Reminded, type RemindNeeds, remind } from '../../shared/reminders/remind.ts';
import type { Services } from '../../shared/services.ts';

/** A notifier that sends by a mail server. */
export function smtpNotifier(smtpUrl: string, outbox: string): Notifier {
  return embeddedNotifier({
    smtpUrl,
    from: 'FlowMason <secrets@example.com>',
    outbox,
    print: () => undefined,
  });
}

/** Runs the check of reminders as the schedule does, at a moment. */
export function remindAt(
  services: Services,
  now: () => Date,
  more: Partial<RemindNeeds>,
  network?: Network,
): Promise<Reminded> {
  const needs = { ...services, log: () => undefined, ...more, now };
  return remind({
    postTo: (recipient, message, entries) => postWebhook(needs, recipient, message, entries, network),
    ...needs,
  });
}
