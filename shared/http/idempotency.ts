import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Caller } from '../access/caller.ts';
import { type ReplayStore, replayCaller } from '../access/replay.ts';
import { SecretsError } from '../contract/errors.ts';
import { safeHeaders } from './safe-headers.ts';

export interface ReplayNeeds {
  readonly replays: ReplayStore;
}

/**
 * The answer to a request that was answered before under the same `Idempotency-Key`; null for a new one.
 * @throws SecretsError `idempotency_conflict` when the key came with another request, or when the first
 *   answer held a credential that is shown only once
 */
export async function replayOf(
  needs: ReplayNeeds,
  caller: Caller,
): Promise<APIGatewayProxyStructuredResultV2 | null> {
  if (caller.idempotency === null) return null;
  const before = await needs.replays.find(replayCaller(caller), caller.idempotency.key);
  if (before === null) return null;
  if (before.fingerprint !== caller.idempotency.fingerprint) {
    throw new SecretsError(
      'idempotency_conflict',
      'It came with another request. Use a new key for a new request.',
    );
  }
  if (before.answer === null) {
    throw new SecretsError(
      'idempotency_conflict',
      'The request was carried out, and its credential was shown then. Revoke that one and make another.',
    );
  }
  const headers = {
    ...safeHeaders,
    'x-request-id': caller.request_id,
    'idempotency-replayed': 'true',
  };
  if (before.answer === '') return { statusCode: before.status, headers };
  return {
    statusCode: before.status,
    headers: { ...headers, 'content-type': 'application/json' },
    body: before.answer,
  };
}
