import type * as z from 'zod';
import type { Caller } from '../access/caller.ts';
import type { CallerStore, OrganizationRecord } from '../access/caller-store.ts';
import { settingsMessage } from '../access/organization-settings.ts';
import { replayFor } from '../access/replay.ts';
import { type DemandNeeds, demand } from '../audit/demand.ts';
import { eventOf } from '../audit/event.ts';
import type { Trail } from '../audit/outbox.ts';
import type { OrganizationDescription, updateOrganizationRequest } from '../contract/access.ts';
import type { KeyService } from '../envelope/key-service.ts';
import { organizationOf, toDescription } from './describe-organization.ts';

interface Needs extends DemandNeeds {
  readonly callers: Pick<CallerStore<Trail>, 'findOrganization' | 'saveOrganization'>;
  readonly keyService: Pick<KeyService, 'sign'>;
}

/** Changes the settings of the caller's organization. @throws SecretsError `forbidden`, `not_found`, `unavailable` */
export async function updateOrganization(
  needs: Needs,
  caller: Caller,
  request: z.infer<typeof updateOrganizationRequest>,
): Promise<OrganizationDescription> {
  await demand(needs, caller, 'manage_organization');
  const before = await organizationOf(needs, caller);
  const settings = { ...before, ...definedOnly(request) };
  const signature = await needs.keyService.sign('organization', settingsMessage(settings));
  const organization = { ...settings, settings_signature: Buffer.from(signature).toString('base64') };
  const reason = reasonOf(organization, request.rotation_policies !== undefined);
  await needs.callers.saveOrganization(organization, {
    event: eventOf(needs, caller, { action: 'update_organization', about: caller.org, reason }),
    replay: replayFor(caller, needs.now(), 200, JSON.stringify(toDescription(organization))),
  });
  return toDescription(organization);
}

function reasonOf(settings: OrganizationRecord, hasPolicies: boolean): string {
  const { record_reads, audit_retention_days: days, rotation_policies } = settings;
  return [
    `Reads of metadata are ${record_reads ? '' : 'not '}recorded`,
    ...(days === null ? [] : [`audit records are kept for ${days} days`]),
    ...(hasPolicies ? [`${rotation_policies.length} policies`] : []),
  ].join('; ');
}

function definedOnly<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
