import type { Caller } from '../access/caller.ts';
import type { OrganizationRecord } from '../access/caller-store.ts';
import { provenSettings } from '../access/organization-settings.ts';
import type { AuditAction } from '../contract/audit.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { DemandNeeds } from './demand.ts';
import { type AuditedSecret, eventOf, type Happening } from './event.ts';

export interface ReadNeeds extends DemandNeeds {
  readonly signatures: Parameters<typeof provenSettings>[0];
  readonly callers: { findOrganization(id: OrganizationId): Promise<OrganizationRecord | null> };
}

/** Actions that return metadata and no value. */
export type ReadAction = Extract<
  AuditAction,
  | 'read'
  | 'list'
  | 'check'
  | 'read_history'
  | 'read_run'
  | 'list_runs'
  | 'list_api_keys'
  | 'list_notifications'
  | 'read_audit'
  | 'verify_audit'
  | 'export_audit'
>;

/**
 * Records that metadata was read, before it is answered, unless the organization has turned that off.
 * @throws SecretsError `unavailable` when it could not be recorded: then nothing may be answered
 */
export async function recordRead(
  needs: ReadNeeds,
  caller: Caller,
  action: ReadAction,
  secrets: readonly AuditedSecret[] = [],
  more: Pick<Happening, 'place' | 'about'> = {},
): Promise<void> {
  const organization = await needs.callers.findOrganization(caller.org);
  if (!(await provenSettings(needs.signatures, organization)).record_reads) return;
  await needs.outbox.append(eventOf(needs, caller, { action, secrets, ...more }));
}
