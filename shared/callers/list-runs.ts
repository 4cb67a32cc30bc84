import type * as z from 'zod';
import type { Caller } from '../access/caller.ts';
import { demand } from '../audit/demand.ts';
import type { AuditLog } from '../audit/log.ts';
import { type ReadNeeds, recordRead } from '../audit/record-read.ts';
import { searchLog } from '../audit/search-log.ts';
import type { listRunsQuery, RunUse } from '../contract/access.ts';
import { decodeCursor, encodeCursor, type Page } from '../contract/page.ts';

interface Needs extends ReadNeeds {
  readonly auditLog: AuditLog;
}

/** Resolves that are looked through, newest first. */
const RESOLVES = 100_000;

/** Which runs used a secret, newest use first: what a leak may have touched. @throws SecretsError `forbidden` */
export async function listRuns(
  needs: Needs,
  caller: Caller,
  request: z.infer<typeof listRunsQuery>,
): Promise<Page<RunUse>> {
  await demand(needs, caller, 'read_audit');
  await recordRead(needs, caller, 'list_runs', [{ name: request.secret_name }]);
  const { secret_name, version, limit, cursor } = request;
  const skipped = cursor === undefined ? 0 : Number(decodeCursor(cursor, /^\d{1,6}$/));
  const filter = { secret_name, action: 'access', outcome: 'success' } as const;
  const found = await searchLog(needs.auditLog, caller.org, filter, RESOLVES, undefined);
  const runs = new Map<string, RunUse>();
  for (const { event } of found.map(({ record }) => record)) {
    if (event.run_id === undefined) continue;
    for (const secret of event.secrets) {
      if (secret.name !== secret_name || secret.version === undefined) continue;
      if (version !== undefined && secret.version !== version) continue;
      const run = runs.get(event.run_id) ?? {
        run_id: event.run_id,
        pipeline_id: event.pipeline_id ?? null,
        environment: event.environment ?? null,
        user: event.user ?? null,
        versions: [],
        last_used_at: event.timestamp,
      };
      if (!run.versions.includes(secret.version)) run.versions.push(secret.version);
      runs.set(event.run_id, run);
    }
  }
  const items = [...runs.values()].slice(skipped, skipped + limit);
  const next = skipped + limit;
  return { items, ...(runs.size > next ? { next: encodeCursor(String(next)) } : {}) };
}
