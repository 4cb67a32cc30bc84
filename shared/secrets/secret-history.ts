import type * as z from 'zod';
import type { Caller } from '../access/caller.ts';
import { auditedSecret } from '../audit/event.ts';
import { type ReadNeeds, recordRead } from '../audit/record-read.ts';
import { decodeCursor, encodeCursor, type Page } from '../contract/page.ts';
import type { HistoryEntry, historyQuery } from '../contract/secrets.ts';
import { type Located, type LocateNeeds, locate } from './locate.ts';
import { readRecord } from './secret-record.ts';
import type { SecretStore } from './secret-store.ts';
import { stageOf } from './stages.ts';
import { readVersion } from './version-record.ts';

type HistoryRequest = Located & z.infer<typeof historyQuery>;
type Needs = LocateNeeds & ReadNeeds & { readonly secrets: Pick<SecretStore, 'versions'> };

/** A secret's versions, newest first. @throws SecretsError `forbidden`, `not_found`, `ambiguous_secret` */
export async function secretHistory(
  needs: Needs,
  caller: Caller,
  request: HistoryRequest,
): Promise<Page<HistoryEntry>> {
  const found = await locate(needs, caller, 'read', request);
  const record = readRecord(found);
  const below = request.cursor === undefined ? undefined : Number(decodeCursor(request.cursor, /^\d{1,15}$/));
  const { items, next } = await needs.secrets.versions(caller.org, found.at, { limit: request.limit, below });
  await recordRead(needs, caller, 'read_history', [auditedSecret(found.at)]);
  return {
    items: items.map((stored) => {
      const { version, created_at, created_by, reason, restores } = readVersion(stored);
      const restored_version = restores?.version ?? null;
      return {
        rotated_at: created_at,
        rotated_by: created_by,
        reason,
        version,
        restored_version,
        current: version === record.current.version,
        stage: stageOf(record, version),
      };
    }),
    ...(next === undefined ? {} : { next: encodeCursor(next) }),
  };
}
