import type { OrganizationRecord } from '../access/caller-store.ts';
import { provenSettings } from '../access/organization-settings.ts';
import type { OrganizationId } from '../contract/ids.ts';
import { readRecordBytes, recordHash, type StoredRecord } from './chain.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { AuditLog } from './log.ts';
import { rangeHashes, tilePath } from './tiles.ts';

export interface ExpiryNeeds {
  readonly auditLog: Pick<AuditLog, 'read'>;
  readonly checkpoints: Pick<CheckpointStore, 'readTile'>;
  readonly callers: { findOrganization(id: OrganizationId): Promise<OrganizationRecord | null> };
  readonly signatures: Parameters<typeof provenSettings>[0];
  readonly now: () => Date;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * How many of an organization's first records are older than it keeps them, by settings that are proven and by a
 * record that is what the tree holds: who can write the store cannot make a record look old.
 * @param covered the size of a checkpoint; what none covers does not expire
 * @param already how many expired before
 * @throws SecretsError `unavailable`
 */
export async function expirable(
  needs: ExpiryNeeds,
  org: OrganizationId,
  covered: number,
  already: number,
): Promise<number> {
  const organization = await needs.callers.findOrganization(org);
  const { audit_retention_days: days } = await provenSettings(needs.signatures, organization);
  if (days === null) return already;
  const before = new Date(needs.now().getTime() - days * DAY_MS).toISOString();
  const oldest = await lastOlder(needs.auditLog, org, { above: already, upTo: covered }, before);
  if (oldest === null) return already;
  const range = rangeHashes((tile) => needs.checkpoints.readTile(org, tilePath(tile)), covered);
  const leaf = await range(oldest.sequence - 1, oldest.sequence);
  return leaf.toString('hex') === recordHash(oldest.bytes) ? oldest.sequence : already;
}

/** The last record that happened before a moment, where records stand in the order of time but for moments. */
async function lastOlder(
  log: ExpiryNeeds['auditLog'],
  org: OrganizationId,
  { above, upTo }: { above: number; upTo: number },
  before: string,
): Promise<StoredRecord | null> {
  let found: StoredRecord | null = null;
  for (let low = above + 1, high = upTo; low <= high; ) {
    const middle = Math.floor((low + high) / 2);
    const [record] = await log.read(org, middle, 1);
    if (record?.sequence === middle && readRecordBytes(record.bytes).event.timestamp < before) {
      found = record;
      low = middle + 1;
    } else {
      high = middle - 1;
    }
  }
  return found;
}
