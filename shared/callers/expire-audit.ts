import type { CallerStore } from '../access/caller-store.ts';
import { openNote } from '../audit/checkpoint.ts';
import type { CheckpointStore } from '../audit/checkpoint-store.ts';
import { type ExpiryNeeds, expirable } from '../audit/expiry.ts';
import type { AuditLog } from '../audit/log.ts';
import type { AuditOutbox, Trail } from '../audit/outbox.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { KeyService } from '../envelope/key-service.ts';

interface Needs extends ExpiryNeeds {
  readonly auditLog: Pick<AuditLog, 'read' | 'removeUpTo'>;
  readonly checkpoints: Pick<CheckpointStore, 'readTile' | 'latest'>;
  readonly callers: Pick<CallerStore<Trail>, 'findOrganization' | 'listOrganizations'>;
  readonly keyService: Pick<KeyService, 'publicKey'>;
  readonly outbox: AuditOutbox;
  readonly newId: () => string;
}

const BATCH = 100;

/**
 * Removes the records that a signed checkpoint says have expired, and asks for the next such checkpoint: by a
 * record of its own, so that the log says itself what was removed from it and why.
 * @returns how many records were removed
 * @throws SecretsError `unavailable`
 */
export async function expireAudit(needs: Needs): Promise<number> {
  let removed = 0;
  let after: string | undefined;
  do {
    const page = await needs.callers.listOrganizations(BATCH, after);
    for (const { id } of page.items) removed += await expireOf(needs, id);
    after = page.next;
  } while (after !== undefined);
  return removed;
}

async function expireOf(needs: Needs, org: OrganizationId): Promise<number> {
  const note = await needs.checkpoints.latest(org);
  const checkpoint = note === null ? null : openNote(note, await needs.keyService.publicKey());
  if (checkpoint === null) return 0;
  let removed = 0;
  for (let some = -1; some !== 0 && checkpoint.expired > 0; removed += some)
    some = await needs.auditLog.removeUpTo(org, checkpoint.expired, BATCH);
  const next = await expirable(needs, org, checkpoint.size, checkpoint.expired);
  if (next > checkpoint.expired) await askForExpiry(needs, org, next);
  return removed;
}

async function askForExpiry({ outbox, now, newId }: Needs, org: OrganizationId, upTo: number): Promise<void> {
  await outbox.append({
    id: newId(),
    org,
    timestamp: now().toISOString(),
    action: 'expire_audit',
    outcome: 'success',
    secrets: [],
    about: String(upTo),
    reason: `Records up to ${upTo} are older than the organization keeps them`,
  });
}
