import type { Caller } from '../access/caller.ts';
import type { CallerStore } from '../access/caller-store.ts';
import { allowsPlace } from '../access/roles.ts';
import type { AuditRecord } from '../audit/chain.ts';
import { demand } from '../audit/demand.ts';
import type { AuditEvent } from '../audit/event.ts';
import type { AuditLog } from '../audit/log.ts';
import type { Trail } from '../audit/outbox.ts';
import { type ReadNeeds, recordRead } from '../audit/record-read.ts';
import { searchLog } from '../audit/search-log.ts';
import type { RunDescription } from '../contract/access.ts';
import { SecretsError } from '../contract/errors.ts';
import type { RunId } from '../contract/ids.ts';

interface Needs extends ReadNeeds {
  readonly callers: Pick<CallerStore<Trail>, 'findRun' | 'findOrganization'>;
  readonly auditLog: AuditLog;
}

/** Resolves of one run that are looked at; one that makes more shows its newest. */
const RESOLVES = 10_000;

/**
 * What a run used, from the audit log. A run that nobody started by `POST /runs` is known by its records
 * alone. A run beyond the caller's bounds is the same to it as none.
 * @throws SecretsError `forbidden`, `not_found`
 */
export async function describeRun(
  needs: Needs,
  caller: Caller,
  request: { run_id: RunId },
): Promise<RunDescription> {
  await demand(needs, caller, 'read_run');
  const { run_id } = request;
  const filter = { run_id, action: 'access', outcome: 'success' } as const;
  const found = await searchLog(needs.auditLog, caller.org, filter, RESOLVES, undefined);
  const run = await needs.callers.findRun(caller.org, run_id);
  // Who runs something chooses its run_id, so records of other places may bear this one's.
  const records = found
    .map(({ record }) => record)
    .filter(({ event: { environment = null, pipeline_id = null, user = null } }) =>
      mayRead(caller, { environment, pipeline_id, user, run_id }),
    );
  const event = records[0]?.event;
  if (run === null && event === undefined) throw noRun();
  const place = {
    environment: run?.environment ?? event?.environment ?? null,
    pipeline_id: run?.pipeline_id ?? event?.pipeline_id ?? null,
    user: run === null ? (event?.user ?? null) : run.user,
  };
  if (!mayRead(caller, { ...place, run_id })) throw noRun();
  await recordRead(needs, caller, 'read_run', [], { about: run_id });
  return {
    run_id,
    ...place,
    started_at: run?.started_at ?? null,
    expires_at: run?.expires_at ?? null,
    ended_at: run?.ended_at ?? null,
    secrets: usedSecrets(records),
  };
}

function mayRead(
  caller: Caller,
  place: { environment: string | null; pipeline_id: string | null; user: string | null; run_id: RunId },
): boolean {
  if (caller.kind === 'run') return caller.run_id === place.run_id;
  return allowsPlace(caller, { ...place, environment: place.environment ?? '' });
}

function noRun(): SecretsError {
  return new SecretsError('not_found', 'No run of this id that this credential may see.');
}

type UsedSecret = RunDescription['secrets'][number];

/** Each version of each secret once, in the order of first use; the records come newest first. */
function usedSecrets(records: readonly AuditRecord[]): UsedSecret[] {
  const used = new Map<string, UsedSecret>();
  for (const { event } of records.toReversed()) {
    for (const secret of event.secrets) {
      const key = JSON.stringify([
        secret.name,
        secret.scope,
        secret.owner,
        secret.environment,
        secret.version,
      ]);
      const before = used.get(key);
      used.set(key, {
        ...(before ?? firstUse(secret, event)),
        last_used_at: event.timestamp,
        resolves: (before?.resolves ?? 0) + 1,
      });
    }
  }
  return [...used.values()];
}

function firstUse(secret: AuditEvent['secrets'][number], { timestamp }: AuditEvent): UsedSecret {
  const { name, version = 0, scope = 'org', environment = null } = secret;
  return {
    name,
    version,
    scope,
    environment,
    first_used_at: timestamp,
    last_used_at: timestamp,
    resolves: 0,
  };
}
