import type { OrganizationRecord } from '../access/caller-store.ts';

/** A row of `organizations`. */
export interface OrganizationRow extends Omit<OrganizationRecord, 'record_reads' | 'rotation_policies'> {
  readonly record_reads: number;
  readonly rotation_policies: string;
}

/** What an {@link OrganizationRow} is read from. */
export const ORGANIZATION =
  'id, created_at, record_reads, rotation_policies, audit_retention_days, settings_signature';

/** A row as the port has it. */
export function toOrganization(row: OrganizationRow): OrganizationRecord {
  const rotation_policies = JSON.parse(row.rotation_policies) as OrganizationRecord['rotation_policies'];
  return { ...row, record_reads: row.record_reads === 1, rotation_policies };
}

/** The columns of a row, in the order of {@link ORGANIZATION}. */
export function organizationColumns(organization: OrganizationRecord) {
  const { id, created_at, record_reads, rotation_policies, audit_retention_days, settings_signature } =
    organization;
  return {
    id,
    created_at,
    record_reads: Number(record_reads),
    rotation_policies: JSON.stringify(rotation_policies),
    audit_retention_days,
    settings_signature,
  };
}
