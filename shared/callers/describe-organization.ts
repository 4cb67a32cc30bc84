import type { Caller } from '../access/caller.ts';
import type { CallerStore, OrganizationRecord } from '../access/caller-store.ts';
import { type DemandNeeds, demand } from '../audit/demand.ts';
import type { Trail } from '../audit/outbox.ts';
import type { OrganizationDescription } from '../contract/access.ts';
import { SecretsError } from '../contract/errors.ts';

interface Needs extends DemandNeeds {
  readonly callers: Pick<CallerStore<Trail>, 'findOrganization'>;
}

/** The settings of the caller's organization. @throws SecretsError `forbidden`, `not_found` */
export async function describeOrganization(needs: Needs, caller: Caller): Promise<OrganizationDescription> {
  await demand(needs, caller, 'manage_organization');
  return toDescription(await organizationOf(needs, caller));
}

/** An organization in the words of the API. */
export function toDescription(organization: OrganizationRecord): OrganizationDescription {
  const { settings_signature: _signature, ...settings } = organization;
  return { ...settings, rotation_policies: [...settings.rotation_policies] };
}

/** The caller's organization. @throws SecretsError `not_found` when its record was removed */
export async function organizationOf(
  needs: Pick<Needs, 'callers'>,
  { org }: Caller,
): Promise<OrganizationRecord> {
  const organization = await needs.callers.findOrganization(org);
  if (organization === null)
    throw new SecretsError('not_found', 'The organization of this credential is gone.');
  return organization;
}
