import { hash, randomBytes } from 'node:crypto';
import type * as z from 'zod';
import { type Caller, subjectOf } from '../access/caller.ts';
import { replayFor } from '../access/replay.ts';
import { type DemandNeeds, demand } from '../audit/demand.ts';
import { eventOf } from '../audit/event.ts';
import { invalid } from '../contract/errors.ts';
import type {
  createdNotification,
  createNotificationRequest,
  NotificationDescription,
} from '../contract/notifications.ts';
import type { DataKeys } from '../envelope/data-keys.ts';
import { NotPublic, parsePublicUrl } from '../http/post-public.ts';
import { sealRecipient } from './recipient-secret.ts';
import { MAX_RECIPIENTS, type Recipient, type ReminderStore } from './reminder-store.ts';

interface Needs extends DemandNeeds {
  readonly reminders: Pick<ReminderStore, 'recipients' | 'addRecipient'>;
  readonly dataKeys: DataKeys;
}

type CreateRequest = z.infer<typeof createNotificationRequest>;

const KEY_BYTES = 32;

/**
 * Says that somebody gets reminders. The answer is the only place where a webhook's signing key or a calendar's
 * path ever stands.
 * @throws SecretsError `forbidden`, `validation`, `unavailable`
 */
export async function createNotification(
  needs: Needs,
  caller: Caller,
  request: CreateRequest,
): Promise<z.infer<typeof createdNotification>> {
  await demand(needs, caller, 'manage_organization');
  const url = destinationOf(request);
  if ((await needs.reminders.recipients(caller.org)).length >= MAX_RECIPIENTS)
    throw invalid('kind', `there are ${MAX_RECIPIENTS} already; delete one first`);
  const id = needs.newId();
  const now = needs.now();
  const signing_key = url === null ? null : `whsec_${randomBytes(KEY_BYTES).toString('base64')}`;
  const token = request.kind === 'calendar' ? `fmc_${randomBytes(KEY_BYTES).toString('base64url')}` : null;
  const secret = url === null || signing_key === null ? null : { url: url.href, signing_key };
  const recipient: Recipient = {
    id,
    org: caller.org,
    kind: request.kind,
    address: request.address ?? null,
    host: url?.host ?? null,
    owner: request.owner ?? null,
    states: [...new Set(request.states)],
    created_at: now.toISOString(),
    created_by: subjectOf(caller),
    sealed: secret === null ? null : await sealRecipient(needs, caller.org, id, secret),
    token_hash: token === null ? null : hashToken(token),
  };
  const who = request.owner === undefined ? 'every owner' : `owner ${request.owner}`;
  await needs.reminders.addRecipient(recipient, {
    event: eventOf(needs, caller, {
      action: 'create_notification',
      about: id,
      reason: `${request.kind} for ${who}`,
    }),
    replay: replayFor(caller, now, 201, null),
  });
  return {
    ...describeRecipient(recipient),
    signing_key: request.kind === 'webhook' ? signing_key : null,
    calendar_path: token === null ? null : `/api/v1/calendar/${token}.ics`,
  };
}

/** Where a webhook posts to; null for the kinds that post nowhere. @throws SecretsError `validation` */
function destinationOf({ kind, address, url }: CreateRequest): URL | null {
  const posts = kind === 'webhook' || kind === 'slack' || kind === 'teams';
  if ((address !== undefined) !== (kind === 'email'))
    throw invalid(
      'address',
      kind === 'email' ? 'is required with kind email' : 'is taken only with kind email',
    );
  if ((url !== undefined) !== posts)
    throw invalid('url', posts ? `is required with kind ${kind}` : `is not taken with kind ${kind}`);
  if (url === undefined) return null;
  try {
    return parsePublicUrl(url);
  } catch (error) {
    throw error instanceof NotPublic ? invalid('url', error.message) : error;
  }
}

/** The hash to keep of a calendar's token, which has 256 random bits. */
export function hashToken(token: string): string {
  return hash('sha256', token, 'hex');
}

/** A recipient in the words of the API. */
export function describeRecipient(recipient: Recipient): NotificationDescription {
  const { org: _org, sealed: _sealed, token_hash: _hash, states, ...described } = recipient;
  return { ...described, states: [...states] };
}
