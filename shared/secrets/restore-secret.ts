import type { Caller } from '../access/caller.ts';
import type { SecretMetadata } from '../contract/secrets.ts';
import { commitChange, untilSaved, type WriteNeeds } from './change-secret.ts';
import { type Located, locate } from './locate.ts';
import { sameVersionOf } from './update-secret.ts';

/**
 * Brings a deleted secret back as it was.
 * @throws SecretsError `forbidden`, `not_found`, `ambiguous_secret`, `unavailable`
 */
export async function restoreSecret(
  needs: WriteNeeds,
  caller: Caller,
  request: Located,
): Promise<SecretMetadata> {
  return untilSaved(async () => {
    const before = await locate(needs, caller, 'restore', request, 'deleted');
    const change = sameVersionOf(before, { action: 'restore' }, 200);
    return commitChange(needs, caller, {
      ...change,
      record: { ...change.record, deleted_at: null, purge_at: null },
    });
  });
}
