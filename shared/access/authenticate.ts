import { SecretsError } from '../contract/errors.ts';
import { type ApiKeyRecord, type ApiKeyState, apiKeyIdOf, apiKeyMessage, matchesHash } from './api-key.ts';
import type { ApiKeyIdentity, Identity, RunIdentity } from './caller.ts';
import type { CallerStore } from './caller-store.ts';
import { decodeRunToken, isRunToken, parseRunClaims } from './run-token.ts';

export interface AuthenticateNeeds {
  readonly callers: Pick<CallerStore<never>, 'findApiKey' | 'findRun' | 'noteApiKeyUse'>;
  readonly signatures: {
    verifies(purpose: 'api-key' | 'run-token', message: Uint8Array, signature: Uint8Array): Promise<boolean>;
  };
  readonly now: () => Date;
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
  if (key === null || !matchesHash(bearer, key.key_hash) || !(await isInForce(needs, key))) return null;
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
  if (parts === null || !(await needs.signatures.verifies('run-token', parts.message, parts.signature)))
    return null;
  const claims = parseRunClaims(parts.message);
  if (claims === null || claims.exp * 1000 <= needs.now().getTime()) return null;
  // The signature says what the run is; the store says whether it still is, and whether its key still is.
  const [run, key] = await Promise.all([
    needs.callers.findRun(claims.org, claims.run_id),
    needs.callers.findApiKey(claims.key_id),
  ]);
  if (run === null || run.ended_at !== null || run.token_id !== claims.id) return null;
  if (key === null || key.org !== claims.org || !(await isInForce(needs, key))) return null;
  const { org, run_id, pipeline_id, environment, user, key_id } = claims;
  return { kind: 'run', org, run_id, pipeline_id, environment, user, key_id };
}

/** Whether a key is as it was made, not revoked and not expired. */
async function isInForce(needs: AuthenticateNeeds, key: ApiKeyRecord & ApiKeyState): Promise<boolean> {
  if (key.revoked_at !== null) return false;
  if (key.expires_at !== null && Date.parse(key.expires_at) <= needs.now().getTime()) return false;
  return needs.signatures.verifies('api-key', apiKeyMessage(key), Buffer.from(key.signature, 'base64'));
}
