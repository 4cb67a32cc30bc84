import { SecretsError } from '../contract/errors.ts';
import type { DataKeys } from '../envelope/data-keys.ts';
import { type Network, NotPublic, postPublic, signedHeaders } from '../http/post-public.ts';
import type { DigestEntry } from './digest-entry.ts';
import { type Message, NotDelivered } from './notifier.ts';
import { openRecipient } from './recipient-secret.ts';
import type { Recipient } from './reminder-store.ts';

interface Needs {
  readonly dataKeys: DataKeys;
  readonly now: () => Date;
}

/** Answers after which it is of no use to try again; 408 and 429 ask for it. */
const isFinal = (status: number) => status >= 300 && status < 500 && status !== 408 && status !== 429;

/**
 * Posts a digest to a webhook, signed. A redirect counts as a refusal.
 * @throws NotDelivered, which names neither the URL nor its host
 */
export async function postWebhook(
  needs: Needs,
  recipient: Recipient,
  message: Message,
  entries: readonly DigestEntry[],
  network?: Network,
): Promise<void> {
  try {
    const { url, signing_key } = await openRecipient(needs, recipient);
    const body = JSON.stringify(bodyFor(recipient, message, entries));
    const headers = signedHeaders(signing_key, message.id, needs.now(), body);
    const { status } = await postPublic(url, body, headers, network);
    if (status < 200 || status > 299) throw new NotDelivered(`a webhook answered ${status}`, isFinal(status));
  } catch (error) {
    if (error instanceof NotDelivered) throw error;
    if (error instanceof NotPublic) throw new NotDelivered('a webhook leads into a private network', true);
    if (error instanceof SecretsError) throw new NotDelivered('a webhook could not be opened', false);
    throw new NotDelivered('a webhook could not be reached', false);
  }
}

function bodyFor({ kind, org }: Recipient, message: Message, entries: readonly DigestEntry[]): object {
  const { subject } = message;
  switch (kind) {
    case 'slack':
      return { text: `*${subject}*\n${entries.map(slackLine).join('\n')}` };
    case 'teams':
      return teamsCard(subject, entries);
    default:
      return { type: 'secrets.due', organization: org, digest: message.id, subject, secrets: entries };
  }
}

function slackLine({ name, state, place, command }: DigestEntry): string {
  return `• *${name}* (${place}): ${state}\n\`${command}\``;
}

/** An adaptive card, which is what Teams' workflows take. */
function teamsCard(subject: string, entries: readonly DigestEntry[]): object {
  const block = (text: string, more: object = {}) => ({ type: 'TextBlock', wrap: true, text, ...more });
  const content = {
    type: 'AdaptiveCard',
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    version: '1.4',
    body: [
      block(subject, { weight: 'Bolder', size: 'Medium' }),
      ...entries.flatMap(({ name, state, place, command }) => [
        block(`${name} (${place}): ${state}`),
        block(command, { fontType: 'Monospace', spacing: 'None' }),
      ]),
    ],
  };
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }],
  };
}
