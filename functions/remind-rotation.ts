import { services } from '#services';
import { postWebhook } from '../shared/reminders/post-webhook.ts';
import { remind } from '../shared/reminders/remind.ts';

/** The schedule of every ten minutes: tells who is to rotate what, once for each stage that a secret comes into. */
export async function handler(): Promise<void> {
  const { delivered, waiting, failed } = await remind({
    ...services,
    postTo: (recipient, message, entries) => postWebhook(services, recipient, message, entries),
  });
  if (delivered + waiting > 0)
    services.log({ level: 'info', function: 'remind-rotation', delivered, waiting });
  // The schedule's own retries and its failure queue see it; what was claimed waits in the store.
  if (failed > 0) throw new Error('a part of the check failed');
}
