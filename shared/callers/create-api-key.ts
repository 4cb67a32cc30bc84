import type * as z from 'zod';
import {
  type ApiKeyRecord,
  type ApiKeyState,
  apiKeyMessage,
  generateApiKey,
  hashApiKey,
} from '../access/api-key.ts';
import { type Caller, subjectOf } from '../access/caller.ts';
import type { CallerStore } from '../access/caller-store.ts';
import { replayFor } from '../access/replay.ts';
import { type DemandNeeds, demand } from '../audit/demand.ts';
import { eventOf } from '../audit/event.ts';
import type { Trail } from '../audit/outbox.ts';
import type { ApiKeyDescription, createApiKeyRequest } from '../contract/access.ts';
import { invalid } from '../contract/errors.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { KeyService } from '../envelope/key-service.ts';

interface Needs extends DemandNeeds {
  readonly callers: Pick<CallerStore<Trail>, 'addApiKey'>;
  readonly keyService: Pick<KeyService, 'sign'>;
  readonly environments: readonly string[];
}

type CreateRequest = z.infer<typeof createApiKeyRequest>;

/**
 * Makes an API key. The answer is the only place where the key ever stands.
 * @throws SecretsError `forbidden`, `validation`, `unavailable`
 */
export async function createApiKey(
  needs: Needs,
  caller: Caller,
  request: CreateRequest,
): Promise<ApiKeyDescription & { api_key: string }> {
  await demand(needs, caller, 'manage_api_keys');
  const now = needs.now();
  refuseUseless(needs, request, now);
  const { record, key } = await makeApiKey(needs, caller.org, request, subjectOf(caller), now);
  const reason = `${request.role} key ${request.name}`;
  await needs.callers.addApiKey(record, {
    event: eventOf(needs, caller, { action: 'create_api_key', about: record.id, reason }),
    replay: replayFor(caller, now, 201, null),
  });
  return { ...describeApiKey({ ...record, last_used_at: null, revoked_at: null }), api_key: key };
}

function refuseUseless({ environments }: Needs, request: CreateRequest, now: Date): void {
  const unknown = request.environments?.some((environment) => !environments.includes(environment));
  if (unknown) throw invalid('environments', `must each be one of ${environments.join(', ')}`);
  if (request.expires_at !== undefined && Date.parse(request.expires_at) <= now.getTime()) {
    throw invalid('expires_at', 'must be in the future');
  }
}

/** A new key and its signed record, not yet stored. */
export async function makeApiKey(
  needs: Pick<Needs, 'keyService'>,
  org: OrganizationId,
  request: CreateRequest,
  createdBy: string,
  now: Date,
): Promise<{ record: ApiKeyRecord; key: string }> {
  const { id, key } = generateApiKey();
  const unsigned = {
    id,
    org,
    name: request.name,
    role: request.role,
    subject: request.subject ?? null,
    pipelines: request.pipelines ?? null,
    environments: request.environments ?? null,
    created_at: now.toISOString(),
    created_by: createdBy,
    expires_at: request.expires_at ?? null,
    key_hash: hashApiKey(key),
  };
  const signature = await needs.keyService.sign('api-key', apiKeyMessage(unsigned));
  return { record: { ...unsigned, signature: Buffer.from(signature).toString('base64') }, key };
}

/** A key in the words of the API. */
export function describeApiKey(key: ApiKeyRecord & ApiKeyState): ApiKeyDescription {
  const { org: _org, key_hash: _hash, signature: _signature, ...described } = key;
  return {
    ...described,
    pipelines: key.pipelines && [...key.pipelines],
    environments: key.environments && [...key.environments],
  };
}
