import type { Caller } from '../access/caller.ts';
import type { AuditEntry, AuditQuery } from '../contract/audit.ts';
import { decodeCursor, encodeCursor, type Page } from '../contract/page.ts';
import type { StoredRecord } from './chain.ts';
import { type DemandNeeds, demand } from './demand.ts';
import type { AuditedSecret } from './event.ts';
import type { AuditLog, LogFilter, LogPosition } from './log.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Who did what, newest first: one entry per secret that an event touched. */
export async function queryAudit(
  needs: DemandNeeds & { auditLog: AuditLog },
  caller: Caller,
  request: AuditQuery,
): Promise<Page<AuditEntry>> {
  await demand(needs, caller, 'read_audit');
  const { days, limit, cursor, ...filter } = request;
  const from = [filter.from, days === undefined ? undefined : daysAgo(needs.now(), days)].filter(
    (time) => time !== undefined,
  );
  const start = cursor === undefined ? undefined : parseCursor(cursor);
  // One more than asked for: it tells whether there is a next page.
  const latestFrom = from.sort().at(-1);
  const wanted: LogFilter = { ...filter, from: latestFrom };
  const records = await needs.auditLog.query(caller.org, wanted, limit + 1, start);
  const entries = records.flatMap((record) => entriesOf(record, filter.secret_name, start));
  const items = entries.slice(0, limit);
  const next = entries[limit];
  return next === undefined
    ? { items: items.map(({ entry }) => entry) }
    : { items: items.map(({ entry }) => entry), next: encodeCursor(next.position) };
}

interface Positioned {
  readonly entry: AuditEntry;
  readonly position: string;
}

/** A record as entries: one per secret (of that name), or one when it touched none. */
function entriesOf(
  { sequence, event }: StoredRecord,
  secretName: string | undefined,
  start: (LogPosition & { index: number }) | undefined,
): Positioned[] {
  const touched: (AuditedSecret | null)[] = event.secrets.length > 0 ? [...event.secrets] : [null];
  const skipped = start !== undefined && start.sequence === sequence ? start.index : 0;
  return touched.flatMap((secret, index) => {
    if (index < skipped || (secretName !== undefined && secret?.name !== secretName)) return [];
    return [{ entry: entryOf(sequence, event, secret), position: `${event.timestamp} ${sequence} ${index}` }];
  });
}

function entryOf(sequence: number, event: StoredRecord['event'], secret: AuditedSecret | null): AuditEntry {
  const { id: _id, org: _org, secrets: _secrets, about, reason, ...said } = event;
  const why = secret?.problem ?? reason ?? about;
  return {
    ...said,
    ...(secret === null ? {} : { secret_name: secret.name, ...definedParts(secret) }),
    ...(why === undefined ? {} : { reason: why }),
    sequence,
  } as AuditEntry;
}

function definedParts({ scope, environment, version }: AuditedSecret) {
  return {
    ...(scope === undefined ? {} : { scope }),
    ...(environment === undefined ? {} : { environment }),
    ...(version === undefined ? {} : { version }),
  };
}

function parseCursor(cursor: string): LogPosition & { index: number } {
  const [timestamp = '', sequence, index] = decodeCursor(
    cursor,
    /^[0-9T:.Z-]{20,30} \d{1,15} \d{1,4}$/,
  ).split(' ');
  return { timestamp, sequence: Number(sequence), index: Number(index) };
}

function daysAgo(now: Date, days: number): string {
  return new Date(now.getTime() - days * DAY_MS).toISOString();
}
