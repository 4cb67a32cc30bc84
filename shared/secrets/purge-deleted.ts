import { auditedSecret } from '../audit/event.ts';
import type { SecretStore } from './secret-store.ts';

interface Needs {
  readonly secrets: Pick<SecretStore, 'purgeable' | 'remove'>;
  readonly now: () => Date;
  readonly newId: () => string;
}

const BATCH = 100;

/** Removes what was deleted and can no longer be restored. @returns how many secrets were removed */
export async function purgeDeleted(needs: Needs): Promise<number> {
  let removed = 0;
  for (;;) {
    const timestamp = needs.now().toISOString();
    const batch = await needs.secrets.purgeable(timestamp, BATCH);
    for (const { org, at, revision } of batch) {
      const event = {
        id: needs.newId(),
        org,
        timestamp,
        action: 'purge',
        outcome: 'success',
        secrets: [auditedSecret(at, undefined, revision)],
        reason: 'The time to restore it is over',
      } as const;
      // False means that it was restored or removed meanwhile: nothing to do.
      if (await needs.secrets.remove(org, at, revision, { event, replay: null })) removed += 1;
    }
    if (batch.length < BATCH) return removed;
  }
}
