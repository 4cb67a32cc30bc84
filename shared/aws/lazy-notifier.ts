import { NotDelivered, type Notifier } from '../reminders/notifier.ts';

/** The notifier, whose clients are loaded by the first message: only one function of all sends any. */
export function lazyNotifier(topic: string | undefined, from: string | undefined): Notifier {
  return {
    sendMail:
      from === undefined
        ? null
        : async (address, message) => {
            const { sendBySes } = await import('./notifier.ts');
            await sendBySes(from, address, message);
          },
    publish: async (org, message) => {
      if (topic === undefined) throw new NotDelivered('there is no topic', true);
      const { publishTo } = await import('./notifier.ts');
      await publishTo(topic, org, message);
    },
    publishes: 'everything',
  };
}
