import type { CallerStore } from '../access/caller-store.ts';
import type { AuditOutbox, Trail } from '../audit/outbox.ts';
import type { AuditAction } from '../contract/audit.ts';
import type { OrganizationId } from '../contract/ids.ts';

interface Needs {
  readonly callers: Pick<CallerStore<Trail>, 'listOrganizations'>;
  readonly outbox: Pick<AuditOutbox, 'append'>;
  readonly now: () => Date;
  readonly newId: () => string;
}

const BATCH = 100;

/**
 * Leaves an audit event with every organization: whoever has the store did something to all of it.
 * @throws SecretsError `unavailable`
 */
export async function recordForAll(needs: Needs, action: AuditAction): Promise<void> {
  let after: string | undefined;
  do {
    const page = await needs.callers.listOrganizations(BATCH, after);
    for (const { id: org } of page.items) {
      await recordAdmin(needs, org, action);
    }
    after = page.next;
  } while (after !== undefined);
}

/** Leaves an audit event with one organization. @throws SecretsError `unavailable` */
export async function recordAdmin(
  { outbox, now, newId }: Omit<Needs, 'callers'>,
  org: OrganizationId,
  action: AuditAction,
): Promise<void> {
  const what = { id: newId(), org, timestamp: now().toISOString(), action, outcome: 'success' } as const;
  await outbox.append({ ...what, secrets: [], user: 'fm admin' });
}
