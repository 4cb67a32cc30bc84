import { type Caller, subjectOf } from '../access/caller.ts';
import { actionsOf } from '../access/roles.ts';
import { type DemandNeeds, demand } from '../audit/demand.ts';
import type { CallerDescription } from '../contract/access.ts';

interface Needs extends DemandNeeds {
  readonly environments: readonly string[];
}

/**
 * What the credential of a request is and may, so that a client offers no more than that: a try would be
 * recorded as refused. @throws SecretsError `forbidden`
 */
export async function describeCaller(needs: Needs, caller: Caller): Promise<CallerDescription> {
  await demand(needs, caller, 'read');
  const bounds =
    caller.kind === 'run' ? { pipelines: [caller.pipeline_id], environments: [caller.environment] } : caller;
  return {
    org: caller.org,
    subject: subjectOf(caller),
    role: caller.kind === 'run' ? null : caller.role,
    key_id: caller.key_id,
    pipelines: bounds.pipelines && [...bounds.pipelines],
    environments: bounds.environments && [...bounds.environments],
    may: actionsOf(caller),
    known_environments: [...needs.environments],
  };
}
