import type { ApiKeyIdentity, Caller, CallOrigin, RunIdentity } from '../../shared/access/caller.ts';
import { roleName } from '../../shared/contract/access.ts';
import {
  apiKeyId,
  environmentName,
  organizationId,
  pipelineId,
  runId,
  userId,
} from '../../shared/contract/ids.ts';

const origin: CallOrigin = { request_id: 'request-1', ip_address: '192.0.2.1', idempotency: null };

/** A caller with an API key of a role, bound to what is given. */
export function keyCaller(
  role: string,
  bounds: { readonly pipelines?: readonly string[]; readonly environments?: readonly string[] } = {},
): Caller & ApiKeyIdentity {
  return {
    kind: 'api-key',
    org: organizationId.parse('acme'),
    key_id: apiKeyId.parse('Key0000000000001'),
    role: roleName.parse(role),
    subject: `${role}@example.com`,
    pipelines: bounds.pipelines?.map((id) => pipelineId.parse(id)) ?? null,
    environments: bounds.environments?.map((name) => environmentName.parse(name)) ?? null,
    ...origin,
  };
}

/** The orchestrator of an account, as the resolve function knows it. */
export function orchestratorCaller(): Caller {
  return {
    kind: 'orchestrator',
    org: organizationId.parse('acme'),
    key_id: null,
    role: 'runtime',
    subject: 'orchestrator',
    pipelines: null,
    environments: null,
    ...origin,
  };
}

/** A caller with the token of a run. */
export function runCaller(
  place: { readonly pipeline_id?: string; readonly environment?: string; readonly user?: string | null } = {},
): Caller & RunIdentity {
  const { pipeline_id = 'p1', environment = 'staging', user = 'ada' } = place;
  return {
    kind: 'run',
    org: organizationId.parse('acme'),
    run_id: runId.parse('run-1'),
    pipeline_id: pipelineId.parse(pipeline_id),
    environment: environmentName.parse(environment),
    user: user === null ? null : userId.parse(user),
    key_id: apiKeyId.parse('Key0000000000001'),
    ...origin,
  };
}
