import type * as z from 'zod';
import type { Caller } from '../access/caller.ts';
import type { CallerStore } from '../access/caller-store.ts';
import { replayFor } from '../access/replay.ts';
import { type DemandNeeds, demand } from '../audit/demand.ts';
import { eventOf } from '../audit/event.ts';
import type { Trail } from '../audit/outbox.ts';
import type { OrganizationDescription, updateOrganizationRequest } from '../contract/access.ts';
import { organizationOf, toDescription } from './describe-organization.ts';

interface Needs extends DemandNeeds {
  readonly callers: Pick<CallerStore<Trail>, 'findOrganization' | 'saveOrganization'>;
}

/** Changes the settings of the caller's organization. @throws SecretsError `forbidden`, `not_found`, `unavailable` */
export async function updateOrganization(
  needs: Needs,
  caller: Caller,
  request: z.infer<typeof updateOrganizationRequest>,
): Promise<OrganizationDescription> {
  await demand(needs, caller, 'manage_organization');
  const before = await organizationOf(needs, caller);
  const { record_reads = before.record_reads, rotation_policies = before.rotation_policies } = request;
  const organization = { ...before, record_reads, rotation_policies };
  const policies = request.rotation_policies === undefined ? '' : `; ${rotation_policies.length} policies`;
  const reason = `Reads of metadata are ${organization.record_reads ? '' : 'not '}recorded${policies}`;
  await needs.callers.saveOrganization(organization, {
    event: eventOf(needs, caller, { action: 'update_organization', about: caller.org, reason }),
    replay: replayFor(caller, needs.now(), 200, JSON.stringify(toDescription(organization))),
  });
  return toDescription(organization);
}
