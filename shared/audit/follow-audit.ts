import type { Caller } from '../access/caller.ts';
import type { AuditEntry, AuditQuery } from '../contract/audit.ts';
import { decodeCursor, encodeCursor, type Page } from '../contract/page.ts';
import { type AuditRecord, readRecordBytes } from './chain.ts';
import { entriesOf } from './entries.ts';
import { type LogFilter, matchesFilter } from './facets.ts';
import type { AuditLog } from './log.ts';
import { type ReadNeeds, recordRead } from './record-read.ts';

type Needs = ReadNeeds & { readonly auditLog: Pick<AuditLog, 'head' | 'read'> };

/** How many records one request looks at, whether it shows them or not. */
const LOOKED_AT = 1000;

/**
 * What came into the log after a place in it, oldest first. There is always a next page: asked again, it goes on where
 * this one ended. What shows nothing leaves no record, and this caller's own reads are not shown: else looking on
 * would itself be something to look at, for ever.
 * @throws SecretsError `validation`, `unavailable`
 */
export async function followAudit(
  needs: Needs,
  caller: Caller,
  { after, limit, cursor }: Pick<AuditQuery, 'after' | 'limit' | 'cursor'>,
  filter: LogFilter,
): Promise<Page<AuditEntry>> {
  let last = cursor === undefined ? await beginning(needs, caller, after) : parseCursor(cursor);
  const items: AuditEntry[] = [];
  for (const { bytes } of await needs.auditLog.read(caller.org, last + 1, LOOKED_AT)) {
    const record = readRecordBytes(bytes);
    if (items.length >= limit) break;
    last = record.sequence;
    if (matchesFilter(filter, record.event) && !isOwnRead(record, caller))
      items.push(...entriesOf(record).filter((entry) => isWanted(entry, filter)));
  }
  if (items.length > 0) await recordRead(needs, caller, 'read_audit');
  // The time makes each cursor another one, also where nothing came: a client may take a repeated one for a fault.
  return { items, next: encodeCursor(`${last} ${needs.now().getTime()}`) };
}

async function beginning({ auditLog }: Needs, { org }: Caller, after: AuditQuery['after']): Promise<number> {
  return typeof after === 'number' ? after : (await auditLog.head(org)).sequence;
}

function parseCursor(cursor: string): number {
  return Number(decodeCursor(cursor, /^\d{1,15} \d{1,15}$/).split(' ')[0]);
}

function isOwnRead({ event }: AuditRecord, { key_id }: Caller): boolean {
  return event.action === 'read_audit' && event.api_key_id === key_id;
}

function isWanted(entry: AuditEntry, { secret_name }: LogFilter): boolean {
  return secret_name === undefined || entry.secret_name === secret_name;
}
