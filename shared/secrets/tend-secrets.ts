import { scheduleCaller } from '../access/caller.ts';
import type { Coordinates } from '../contract/coordinates.ts';
import type { OrganizationId } from '../contract/ids.ts';
import { commitChange, type WriteNeeds } from './change-secret.ts';
import { pruneOnce } from './prune-versions.ts';
import { readRecord } from './secret-record.ts';
import type { StoredSecret } from './secret-store.ts';
import { tendAt } from './stages.ts';
import { sameVersionOf } from './update-secret.ts';

const BATCH = 100;

/**
 * Does what secrets wait for by the clock: ends overlaps whose deadline is over, and prunes old versions. One that
 * fails is left for the next time and does not hold up the others.
 * @returns how many secrets were tended, and how many could not be
 * @throws SecretsError `unavailable` when the store cannot say which
 */
export async function tendSecrets(needs: WriteNeeds): Promise<{ tended: number; failed: number }> {
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

async function tend(needs: WriteNeeds, org: OrganizationId, at: Coordinates): Promise<Outcome> {
  const [found] = await needs.secrets.findMany(org, [at]);
  if (found === undefined) return 'done';
  const record = readRecord(found);
  const now = needs.now().toISOString();
  const due = tendAt(record);
  // The index may be a moment behind.
  if (due === null || due > now) return 'done';
  const isOver = record.previous !== null && record.previous.until <= now;
  const caller = scheduleCaller(org, needs.newId());
  const saved = isOver ? await retire(needs, caller, found) : await pruneOnce(needs, caller, found);
  // Changed meanwhile, or the other thing is due as well: look again.
  if (saved === null || (isOver && record.prune_at !== null)) return 'again';
  return 'done';
}

/** Takes the label from the previous version, which its deadline had made useless already. */
function retire(needs: WriteNeeds, caller: ReturnType<typeof scheduleCaller>, before: StoredSecret) {
  const { record, ...change } = sameVersionOf(
    before,
    { action: 'retire', reason: 'The overlap is over' },
    200,
  );
  const touched = record.previous === null ? [] : [record.previous.version];
  return commitChange(needs, caller, { ...change, record: { ...record, previous: null }, touched });
}
