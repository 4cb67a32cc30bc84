import type * as z from 'zod';
import type { Caller } from '../access/caller.ts';
import { replayFor } from '../access/replay.ts';
import { auditedSecret, eventOf } from '../audit/event.ts';
import { SecretsError } from '../contract/errors.ts';
import type { deleteSecretQuery } from '../contract/secrets.ts';
import { commitChange, untilSaved, type WriteNeeds } from './change-secret.ts';
import { type Located, locate } from './locate.ts';
import { readRecord } from './secret-record.ts';
import type { StoredSecret } from './secret-store.ts';
import { sameVersionOf } from './update-secret.ts';

type DeleteRequest = Located & z.infer<typeof deleteSecretQuery>;

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Stops a secret from resolving at once, restorable for some days; with `recovery_days` 0 it is gone for good.
 * @throws SecretsError `forbidden`, `not_found`, `ambiguous_secret`, `unavailable`
 */
export async function deleteSecret(needs: WriteNeeds, caller: Caller, request: DeleteRequest): Promise<null> {
  await untilSaved(async () => {
    if (request.recovery_days === 0)
      return removeForGood(needs, caller, await locateAny(needs, caller, request));
    const before = await locate(needs, caller, 'delete', request);
    const change = sameVersionOf(before, { action: 'delete' }, 204);
    const now = needs.now();
    const purge_at = new Date(now.getTime() + request.recovery_days * DAY_MS).toISOString();
    const record = { ...change.record, deleted_at: now.toISOString(), purge_at };
    return commitChange(needs, caller, { ...change, record });
  });
  return null;
}

/** The live secret, or the one that was deleted before and shall now go for good. */
async function locateAny(needs: WriteNeeds, caller: Caller, request: DeleteRequest): Promise<StoredSecret> {
  try {
    return await locate(needs, caller, 'delete', request);
  } catch (error) {
    if (!(error instanceof SecretsError && error.code === 'not_found')) throw error;
    return locate(needs, caller, 'delete', request, 'deleted');
  }
}

async function removeForGood(needs: WriteNeeds, caller: Caller, before: StoredSecret): Promise<true | null> {
  const secrets = [auditedSecret(before.at, versionOf(before), before.revision)];
  const removed = await needs.secrets.remove(caller.org, before.at, before.revision, {
    event: eventOf(needs, caller, { action: 'purge', secrets }),
    replay: replayFor(caller, needs.now(), 204, ''),
  });
  return removed || null;
}

/** What was damaged in the store must still go: else its place could never be used again. */
function versionOf(before: StoredSecret): number | undefined {
  try {
    return readRecord(before).current.version;
  } catch {
    return undefined;
  }
}
