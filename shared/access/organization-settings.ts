import type { OrganizationRecord } from './caller-store.ts';

/** What an organization's signature stands for: the settings that decide what is recorded and how long it is kept. */
type SignedSettings = Pick<OrganizationRecord, 'id' | 'record_reads' | 'audit_retention_days'>;

/** The bytes that the KeyService signs when settings are changed. */
export function settingsMessage({ id, record_reads, audit_retention_days }: SignedSettings): Buffer {
  return Buffer.from(JSON.stringify([id, record_reads, audit_retention_days]));
}

/** Settings that need no signature: everything is recorded, and kept for ever. */
const safest = { record_reads: true, audit_retention_days: null } as const;

/**
 * The settings of an organization as far as they are proven: who can write the store can neither stop records
 * nor have them removed.
 */
export async function provenSettings(
  signatures: {
    verifies(purpose: 'organization', message: Uint8Array, signature: Uint8Array): Promise<boolean>;
  },
  organization: OrganizationRecord | null,
): Promise<Pick<OrganizationRecord, 'record_reads' | 'audit_retention_days'>> {
  if (organization === null) return safest;
  const { record_reads, audit_retention_days, settings_signature } = organization;
  if (record_reads && audit_retention_days === null) return safest;
  const signature = Buffer.from(settings_signature ?? '', 'base64');
  const isProven = await signatures.verifies('organization', settingsMessage(organization), signature);
  return isProven ? { record_reads, audit_retention_days } : safest;
}
