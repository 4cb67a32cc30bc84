import { type Caller, scheduleCaller } from '../access/caller.ts';
import type { Coordinates } from '../contract/coordinates.ts';
import type { OrganizationId } from '../contract/ids.ts';
import { commitChange, type WriteNeeds } from '../secrets/change-secret.ts';
import { pruneOnce } from '../secrets/prune-versions.ts';
import { readRecord, type SecretRecord } from '../secrets/secret-record.ts';
import type { StoredSecret } from '../secrets/secret-store.ts';
import { stepAt, tendAt } from '../secrets/stages.ts';
import { sameVersionOf } from '../secrets/update-secret.ts';
import { advanceRotation, type RotateNeeds } from './advance-rotation.ts';
import { startedRotation } from './manage-rotation.ts';

const BATCH = 100;

/**
 * Does what secrets wait for by the clock: carries out a rotator's steps, ends overlaps
 * whose deadline is over, and prunes old versions. One that
 * fails is left for the next time and does not hold up the others.
 * @returns how many secrets were tended, and how many could not be
 * @throws SecretsError `unavailable` when the store cannot say which
 */
export async function tendSecrets(needs: RotateNeeds): Promise<{ tended: number; failed: number }> {
  const round = { tended: 0, failed: 0 };
  const tried = new Set<string>();
  for (;;) {
    const batch = await needs.secrets.tendable(needs.now().toISOString(), BATCH);
    const fresh = batch.filter(({ org, at }) => !tried.has(JSON.stringify([org, at])));
    if (fresh.length === 0) return round;
    for (const { org, at } of fresh) {
      const outcome = await tend(needs, org, at).catch(() => 'failed' as const);
      if (outcome !== 'again') tried.add(JSON.stringify([org, at]));
      if (outcome === 'failed') round.failed += 1;
      if (outcome === 'done') round.tended += 1;
    }
  }
}

type Outcome = 'done' | 'again' | 'failed';

async function tend(needs: RotateNeeds, org: OrganizationId, at: Coordinates): Promise<Outcome> {
  const [found] = await needs.secrets.findMany(org, [at]);
  if (found === undefined) return 'done';
  const record = readRecord(found);
  const now = needs.now().toISOString();
  const due = tendAt(record);
  // The index may be a moment behind.
  if (due === null || due > now) return 'done';
  const caller = scheduleCaller(org, needs.newId());
  const saved = await nextDeed(needs, caller, found, record, now);
  // Changed meanwhile, or the next thing is due as well: look again.
  if (saved === null) return 'again';
  const [after] = await needs.secrets.findMany(org, [at]);
  const again = after === undefined ? null : tendAt(readRecord(after));
  return again !== null && again <= needs.now().toISOString() ? 'again' : 'done';
}

/** Does the one thing that is due the longest. */
async function nextDeed(
  needs: RotateNeeds,
  caller: Caller,
  found: StoredSecret,
  record: SecretRecord,
  now: string,
): Promise<unknown> {
  const { rotation, previous, prune_at } = record;
  const step = stepAt(record);
  const isDue = step !== null && step <= now;
  if (isDue && rotation?.state === 'running') return advanceRotation(needs, caller, found, rotation);
  if (previous !== null && previous.until <= now) return retire(needs, caller, found);
  if (isDue) return start(needs, caller, found);
  return prune_at !== null && prune_at <= now ? pruneOnce(needs, caller, found) : 'nothing';
}

function start(needs: WriteNeeds, caller: Caller, before: StoredSecret) {
  const { record, ...change } = sameVersionOf(before, { action: 'rotation', reason: 'It is due' }, 200);
  return commitChange(needs, caller, {
    ...change,
    record: { ...record, rotation: startedRotation(needs, false) },
  });
}

/** Takes the label from the previous version, which its deadline had made useless already. */
function retire(needs: WriteNeeds, caller: Caller, before: StoredSecret) {
  const { record, ...change } = sameVersionOf(
    before,
    { action: 'retire', reason: 'The overlap is over' },
    200,
  );
  const touched = record.previous === null ? [] : [record.previous.version];
  return commitChange(needs, caller, { ...change, record: { ...record, previous: null }, touched });
}
