import type { CallerStore } from '../access/caller-store.ts';
import type { AuditOutbox, Trail } from '../audit/outbox.ts';

interface Needs {
  readonly callers: Pick<CallerStore<Trail>, 'listOrganizations'>;
  readonly outbox: Pick<AuditOutbox, 'append'>;
  readonly now: () => Date;
  readonly newId: () => string;
}

const BATCH = 100;

/**
 * Leaves an audit event with every organization: whoever has the store took all of it, or brought it back.
 * @throws SecretsError `unavailable`
 */
export async function recordBackup(needs: Needs, action: 'backup' | 'restore_backup'): Promise<void> {
  let after: string | undefined;
  do {
    const page = await needs.callers.listOrganizations(BATCH, after);
    for (const { id: org } of page.items) {
      await needs.outbox.append({
        id: needs.newId(),
        org,
        timestamp: needs.now().toISOString(),
        action,
        outcome: 'success',
        secrets: [],
        user: 'fm admin',
      });
    }
    after = page.next;
  } while (after !== undefined);
}
