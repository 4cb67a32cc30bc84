import type { Caller } from '../access/caller.ts';
import type { AuditEntry, AuditQuery } from '../contract/audit.ts';
import { decodeCursor, encodeCursor, type Page } from '../contract/page.ts';
import { demand } from './demand.ts';
import { entriesOf } from './entries.ts';
import type { LogFilter } from './facets.ts';
import { followAudit } from './follow-audit.ts';
import type { AuditLog } from './log.ts';
import { type ReadNeeds, recordRead } from './record-read.ts';
import { type FoundRecord, searchLog } from './search-log.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Who did what, newest first: one entry per secret that an event touched. @throws SecretsError `forbidden`, `validation` */
export async function queryAudit(
  needs: ReadNeeds & { auditLog: AuditLog },
  caller: Caller,
  request: AuditQuery,
): Promise<Page<AuditEntry>> {
  await demand(needs, caller, 'read_audit');
  const { days, limit, cursor, after, ...filter } = request;
  if (after !== undefined) return followAudit(needs, caller, request, filter);
  const start = cursor === undefined ? undefined : parseCursor(cursor);
  const wanted = {
    ...filter,
    from: latest(comparable(filter.from), days === undefined ? undefined : daysAgo(needs.now(), days)),
    to: comparable(filter.to),
  };
  // One record more than asked for tells whether there is a next page.
  const records = await searchLog(needs.auditLog, caller.org, wanted, limit + 1, start);
  await recordRead(needs, caller, 'read_audit');
  const entries = records.flatMap((record) => wantedEntries(record, wanted, start));
  const next = entries[limit];
  return {
    items: entries.slice(0, limit).map(({ entry }) => entry),
    ...(next === undefined ? {} : { next: encodeCursor(next.cursor) }),
  };
}

interface Cursor {
  readonly last_timestamp: string;
  readonly first_sequence: number;
  readonly sequence: number;
  /** Which of the record's secrets. */
  readonly index: number;
}

/** The entries of a record that are asked for, each with where it stands. */
function wantedEntries(
  { record, block }: FoundRecord,
  { secret_name }: LogFilter,
  start: Cursor | undefined,
): { entry: AuditEntry; cursor: string }[] {
  const skipped = start?.sequence === record.sequence ? start.index : 0;
  return entriesOf(record).flatMap((entry, index) => {
    if (index < skipped || (secret_name !== undefined && entry.secret_name !== secret_name)) return [];
    return [{ entry, cursor: `${block.last_timestamp} ${block.first_sequence} ${record.sequence} ${index}` }];
  });
}

function parseCursor(cursor: string): Cursor {
  const position = decodeCursor(cursor, /^[0-9T:.Z-]{20,30} \d{1,15} \d{1,15} \d{1,4}$/);
  const [last_timestamp = '', first, sequence, index] = position.split(' ');
  return { last_timestamp, first_sequence: Number(first), sequence: Number(sequence), index: Number(index) };
}

/** A time as records have it, with milliseconds: in text, "12:00:00.500Z" would come before "12:00:00Z". */
function comparable(time: string | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}

function latest(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}

function daysAgo(now: Date, days: number): string {
  return new Date(now.getTime() - days * DAY_MS).toISOString();
}
