import type { Caller } from '../access/caller.ts';
import type { CallerStore } from '../access/caller-store.ts';
import { replayFor } from '../access/replay.ts';
import { allowsPlace } from '../access/roles.ts';
import { type DemandNeeds, demand } from '../audit/demand.ts';
import { eventOf } from '../audit/event.ts';
import type { Trail } from '../audit/outbox.ts';
import { SecretsError } from '../contract/errors.ts';
import type { RunId } from '../contract/ids.ts';

interface Needs extends DemandNeeds {
  readonly callers: Pick<CallerStore<Trail>, 'findRun' | 'endRun'>;
}

/**
 * Ends a run and its token. A run beyond the caller's bounds is the same to it as none.
 * @throws SecretsError `forbidden`, `not_found`, `unavailable`
 */
export async function endRun(needs: Needs, caller: Caller, request: { run_id: RunId }): Promise<null> {
  await demand(needs, caller, 'end_run');
  const run = await needs.callers.findRun(caller.org, request.run_id);
  if (run === null || !allowsPlace(caller, run)) {
    throw new SecretsError('not_found', 'No run of this id that this credential may end.');
  }
  const now = needs.now();
  await needs.callers.endRun(caller.org, run.run_id, now.toISOString(), {
    event: eventOf(needs, caller, { action: 'end_run', place: run, about: run.run_id }),
    replay: replayFor(caller, now, 204, ''),
  });
  return null;
}
