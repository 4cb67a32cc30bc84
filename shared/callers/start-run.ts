import type * as z from 'zod';
import type { Caller } from '../access/caller.ts';
import type { CallerStore } from '../access/caller-store.ts';
import { replayFor } from '../access/replay.ts';
import { allowsPlace } from '../access/roles.ts';
import { encodeRunToken, type RunRecord, runTokenMessage } from '../access/run-token.ts';
import { type DemandNeeds, demand, refusal } from '../audit/demand.ts';
import { eventOf } from '../audit/event.ts';
import type { Trail } from '../audit/outbox.ts';
import type { startedRun, startRunRequest } from '../contract/access.ts';
import { invalid } from '../contract/errors.ts';
import { runId } from '../contract/ids.ts';
import type { KeyService } from '../envelope/key-service.ts';

interface Needs extends DemandNeeds {
  readonly callers: Pick<CallerStore<Trail>, 'addRun'>;
  readonly keyService: Pick<KeyService, 'sign'>;
  readonly environments: readonly string[];
}

/**
 * Begins a run and makes its token: whoever holds it resolves what that run may, until the run ends.
 * @throws SecretsError `forbidden`, `validation`, `run_exists`, `unavailable`
 */
export async function startRun(
  needs: Needs,
  caller: Caller,
  request: z.infer<typeof startRunRequest>,
): Promise<z.infer<typeof startedRun>> {
  await demand(needs, caller, 'start_run');
  const { pipeline_id, environment, user = null } = request;
  const run_id = request.run_id ?? runId.parse(`run_${needs.newId()}`);
  const place = { environment, pipeline_id, user, run_id };
  if (!needs.environments.includes(environment)) {
    throw invalid('environment', `must be one of ${needs.environments.join(', ')}`);
  }
  if (!allowsPlace(caller, place)) {
    const reason = 'This key is bound to other environments or pipelines than the request names.';
    throw await refusal(needs, caller, 'start_run', reason, { place });
  }
  if (caller.kind !== 'api-key')
    throw await refusal(needs, caller, 'start_run', 'Only an API key starts runs.', { place });
  const now = needs.now();
  const exp = Math.floor(now.getTime() / 1000) + request.ttl_seconds;
  const run: RunRecord = {
    org: caller.org,
    key_id: caller.key_id,
    ...place,
    token_id: needs.newId(),
    started_at: now.toISOString(),
    expires_at: new Date(exp * 1000).toISOString(),
    ended_at: null,
  };
  const { org, key_id, token_id, expires_at } = run;
  const message = runTokenMessage({ aud: 'flowmason-secrets', id: token_id, org, ...place, key_id, exp });
  const signature = await needs.keyService.sign('run-token', message);
  await needs.callers.addRun(run, {
    event: eventOf(needs, caller, { action: 'start_run', place, about: run_id }),
    replay: replayFor(caller, now, 201, null),
  });
  return { run_id, run_token: encodeRunToken(message, signature), expires_at };
}
