import type * as z from 'zod';
import { type AuthenticateNeeds, authenticate } from '../access/authenticate.ts';
import type { Caller, Identity } from '../access/caller.ts';
import { SecretsError } from '../contract/errors.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { ResolveRequest, resolveInvocation } from '../contract/resolve.ts';

/** How a function was invoked, as its own platform tells it; nothing of it comes from the payload. */
export interface Invocation {
  readonly request_id: string;
  /** Whether it came by the alias that IAM grants to the orchestrator alone. */
  readonly asOrchestrator: boolean;
}

/**
 * Who invokes the resolve function directly. A Lambda is not told who called it, so a caller proves itself by
 * a run token; only by the orchestrator's alias is the payload's own word taken.
 * @throws SecretsError `unauthenticated`, `forbidden`
 */
export async function invokedBy(
  needs: AuthenticateNeeds,
  payload: z.infer<typeof resolveInvocation>,
  { request_id, asOrchestrator }: Invocation,
): Promise<{ caller: Caller; request: ResolveRequest }> {
  const origin = { request_id, ip_address: null, idempotency: null };
  if ('run_token' in payload) {
    const identity = await authenticate(needs, payload.run_token);
    return { caller: { ...identity, ...origin }, request: { config: payload.config } };
  }
  if (!asOrchestrator) {
    throw new SecretsError(
      'forbidden',
      'Send a run_token, or invoke the function by its orchestrator alias.',
    );
  }
  const { org, ...request } = payload;
  return { caller: { ...orchestratorOf(org), ...origin }, request };
}

function orchestratorOf(org: OrganizationId): Identity {
  const unbound = { pipelines: null, environments: null };
  return { kind: 'orchestrator', org, key_id: null, role: 'runtime', subject: 'orchestrator', ...unbound };
}
