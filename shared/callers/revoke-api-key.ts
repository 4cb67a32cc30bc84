import type { Caller } from '../access/caller.ts';
import type { CallerStore } from '../access/caller-store.ts';
import { replayFor } from '../access/replay.ts';
import { type DemandNeeds, demand } from '../audit/demand.ts';
import { eventOf } from '../audit/event.ts';
import type { Trail } from '../audit/outbox.ts';
import { SecretsError } from '../contract/errors.ts';
import type { ApiKeyId } from '../contract/ids.ts';

interface Needs extends DemandNeeds {
  readonly callers: Pick<CallerStore<Trail>, 'findApiKey' | 'revokeApiKey'>;
}

/**
 * Ends an API key, and with it the tokens of the runs that it started.
 * @throws SecretsError `forbidden`, `not_found`, `unavailable`
 */
export async function revokeApiKey(needs: Needs, caller: Caller, request: { id: ApiKeyId }): Promise<null> {
  await demand(needs, caller, 'manage_api_keys');
  const key = await needs.callers.findApiKey(request.id);
  if (key === null || key.org !== caller.org) {
    throw new SecretsError('not_found', 'No API key of this id. List the keys to find it.');
  }
  const now = needs.now();
  await needs.callers.revokeApiKey(caller.org, key.id, now.toISOString(), {
    event: eventOf(needs, caller, {
      action: 'revoke_api_key',
      about: key.id,
      reason: `${key.role} key ${key.name}`,
    }),
    replay: replayFor(caller, now, 204, ''),
  });
  return null;
}
