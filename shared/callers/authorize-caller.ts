import { type AuthenticateNeeds, authenticate, type RefusedCredential } from '../access/authenticate.ts';
import type { CallOrigin, Identity } from '../access/caller.ts';
import type { AuditEvent } from '../audit/event.ts';
import type { AuditOutbox } from '../audit/outbox.ts';
import { SecretsError } from '../contract/errors.ts';

interface Needs extends AuthenticateNeeds {
  readonly outbox: AuditOutbox;
  readonly newId: () => string;
}

/**
 * Who a bearer credential stands for; null when it proves nothing. One that belongs to a known key and is
 * refused leaves a record; of one that nobody knows there is no organization to tell.
 * @throws SecretsError `unavailable`
 */
export async function authorizeCaller(
  needs: Needs,
  bearer: string,
  origin: Pick<CallOrigin, 'request_id' | 'ip_address'>,
): Promise<Identity | null> {
  let refused: RefusedCredential | undefined;
  const onRefused = (credential: RefusedCredential) => {
    refused = credential;
  };
  try {
    return await authenticate({ ...needs, onRefused }, bearer);
  } catch (error) {
    if (!(error instanceof SecretsError) || error.code !== 'unauthenticated') throw error;
    if (refused !== undefined) await needs.outbox.append(eventOf(needs, refused, origin));
    return null;
  }
}

function eventOf(
  { now, newId }: Needs,
  { org, key_id, run_id, reason }: RefusedCredential,
  { request_id, ip_address }: Pick<CallOrigin, 'request_id' | 'ip_address'>,
): AuditEvent {
  return {
    id: newId(),
    org,
    timestamp: now().toISOString(),
    action: 'denied',
    outcome: 'denied',
    attempted: 'authenticate',
    reason,
    secrets: [],
    api_key_id: key_id,
    ...(run_id === undefined ? {} : { run_id }),
    ...(ip_address === null ? {} : { ip_address }),
    request_id,
  };
}
