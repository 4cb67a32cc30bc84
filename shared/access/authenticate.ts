import { SecretsError } from '../contract/errors.ts';
import type { ApiKeyId, OrganizationId, RunId } from '../contract/ids.ts';
import { type ApiKeyRecord, type ApiKeyState, apiKeyIdOf, apiKeyMessage, matchesHash } from './api-key.ts';
import type { ApiKeyIdentity, Identity, RunIdentity } from './caller.ts';
import type { CallerStore } from './caller-store.ts';
import { decodeRunToken, isRunToken, parseRunClaims, type RunClaims } from './run-token.ts';

export interface AuthenticateNeeds {
  readonly callers: Pick<CallerStore<never>, 'findApiKey' | 'findRun' | 'noteApiKeyUse'>;
  readonly signatures: {
    verifies(purpose: 'api-key' | 'run-token', message: Uint8Array, signature: Uint8Array): Promise<boolean>;
  };
  readonly now: () => Date;
  /** Told of a credential that belongs to a known key and is refused, so that it can be recorded. */
  readonly onRefused?: (refused: RefusedCredential) => void;
}

/** A credential of a known key, and why it proves nothing. */
export interface RefusedCredential {
  readonly org: OrganizationId;
  readonly key_id: ApiKeyId;
  readonly run_id?: RunId;
  readonly reason: string;
}

/** A use is noted when the last noted one is older than this. */
const NOTE_USE_AFTER_MS = 60_000;

/**
 * Who a bearer credential stands for. Proven here, by the credential alone, and nowhere else.
 * @throws SecretsError `unauthenticated`, with one text for every reason, so that it tells nothing about what exists
 */
export async function authenticate(needs: AuthenticateNeeds, bearer: string): Promise<Identity> {
  const identify = isRunToken(bearer) ? identifyRun : identifyApiKey;
  const identity = await identify(needs, bearer);
  if (identity === null) throw unauthenticated();
  return identity;
}

/** The refusal of a credential that is missing, unknown, mistyped, expired, revoked or ended. */
export function unauthenticated(): SecretsError {
  return new SecretsError(
    'unauthenticated',
    'Send "Authorization: Bearer <API key or run token>". What was sent is missing, unknown, mistyped, expired, revoked or ended.',
  );
}

async function identifyApiKey(needs: AuthenticateNeeds, bearer: string): Promise<ApiKeyIdentity | null> {
  const id = apiKeyIdOf(bearer);
  if (id === null) return null;
  const key = await needs.callers.findApiKey(id);
  if (key === null) return null;
  const reason = matchesHash(bearer, key.key_hash)
    ? await whyNotInForce(needs, key)
    : 'The key is not the one of this id';
  if (reason !== null) {
    needs.onRefused?.({ org: key.org, key_id: key.id, reason });
    return null;
  }
  const now = needs.now();
  if (key.last_used_at === null || now.getTime() - Date.parse(key.last_used_at) > NOTE_USE_AFTER_MS) {
    // A note for people, not a record: when it cannot be written, the caller is no less who they are.
    await needs.callers.noteApiKeyUse(key.id, now.toISOString()).catch(() => undefined);
  }
  const { org, role, pipelines, environments } = key;
  return {
    kind: 'api-key',
    org,
    key_id: key.id,
    role,
    subject: key.subject ?? key.name,
    pipelines,
    environments,
  };
}

async function identifyRun(needs: AuthenticateNeeds, token: string): Promise<RunIdentity | null> {
  const parts = decodeRunToken(token);
  if (parts === null) return null;
  const isSigned = await needs.signatures.verifies('run-token', parts.message, parts.signature);
  const claims = isSigned ? parseRunClaims(parts.message) : null;
  if (claims === null) return null;
  const { org, run_id, pipeline_id, environment, user, key_id } = claims;
  const reason = await whyRunIsOver(needs, claims);
  if (reason !== null) {
    needs.onRefused?.({ org, key_id, run_id, reason });
    return null;
  }
  return { kind: 'run', org, run_id, pipeline_id, environment, user, key_id };
}

/** The signature says what the run is; the store says whether it still is, and whether its key still is. */
async function whyRunIsOver(needs: AuthenticateNeeds, claims: RunClaims): Promise<string | null> {
  if (claims.exp * 1000 <= needs.now().getTime()) return 'The run token has expired';
  const [run, key] = await Promise.all([
    needs.callers.findRun(claims.org, claims.run_id),
    needs.callers.findApiKey(claims.key_id),
  ]);
  if (run === null || run.ended_at !== null || run.token_id !== claims.id) return 'The run has ended';
  if (key === null || key.org !== claims.org) return 'The key that started the run is gone';
  return whyNotInForce(needs, key);
}

/** Why a key is not in force: it must be as it was made, not revoked and not expired. */
async function whyNotInForce(
  needs: AuthenticateNeeds,
  key: ApiKeyRecord & ApiKeyState,
): Promise<string | null> {
  if (key.revoked_at !== null) return 'The key is revoked';
  if (key.expires_at !== null && Date.parse(key.expires_at) <= needs.now().getTime())
    return 'The key has expired';
  const signature = Buffer.from(key.signature, 'base64');
  const isSigned = await needs.signatures.verifies('api-key', apiKeyMessage(key), signature);
  return isSigned ? null : 'The record of the key was changed';
}
