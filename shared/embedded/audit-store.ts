import { type AuditRecord, type ChainHead, emptyChain, type StoredRecord } from '../audit/chain.ts';
import type { AuditEvent } from '../audit/event.ts';
import type { AuditLog, LogFilter, LogPosition } from '../audit/log.ts';
import type { AuditOutbox } from '../audit/outbox.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { Database } from './database.ts';

interface RecordRow {
  readonly sequence: number;
  readonly hash: string;
  readonly bytes: Uint8Array;
}

/** The outbox and the audit log in SQLite. */
export class EmbeddedAuditStore implements AuditOutbox, AuditLog {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async append(event: AuditEvent): Promise<void> {
    const text = JSON.stringify(event);
    await this.#db.write(() => this.#db.run('INSERT INTO outbox (event) VALUES (?)', text));
  }

  /** The oldest events that wait to be recorded. */
  pending(limit: number): { position: number; event: string }[] {
    return this.#db.all('SELECT position, event FROM outbox ORDER BY position LIMIT ?', limit);
  }

  /** How many events wait to be recorded. */
  lag(): number {
    return this.#db.get<{ waiting: number }>('SELECT count(*) AS waiting FROM outbox')?.waiting ?? 0;
  }

  async head(org: OrganizationId): Promise<ChainHead> {
    const last = this.#db.get<ChainHead>(
      'SELECT sequence, hash FROM audit_records WHERE org = ? ORDER BY sequence DESC LIMIT 1',
      org,
    );
    return last ?? emptyChain(org);
  }

  async recorded(org: OrganizationId, eventIds: readonly string[]): Promise<ReadonlySet<string>> {
    const sql = 'SELECT 1 FROM audit_records WHERE org = ? AND event_id = ?';
    return new Set(eventIds.filter((id) => this.#db.get(sql, org, id) !== undefined));
  }

  async appendAfter(
    org: OrganizationId,
    head: ChainHead,
    records: readonly StoredRecord[],
  ): Promise<boolean> {
    return this.#db.write(() => {
      const now = this.#db.get<ChainHead>(
        'SELECT sequence, hash FROM audit_records WHERE org = ? ORDER BY sequence DESC LIMIT 1',
        org,
      );
      if ((now ?? emptyChain(org)).hash !== head.hash) return false;
      for (const record of records) this.#insert(org, record);
      return true;
    });
  }

  async query(
    org: OrganizationId,
    filter: LogFilter,
    limit: number,
    upTo: LogPosition | undefined,
  ): Promise<readonly StoredRecord[]> {
    const [facet, value] = narrowestFacet(filter);
    const found: StoredRecord[] = [];
    let last: LogPosition = upTo ?? { timestamp: filter.to ?? '9', sequence: Number.MAX_SAFE_INTEGER };
    for (;;) {
      const rows = this.#page(org, facet, value, filter.from ?? '', last, limit);
      found.push(...rows.map(toStoredRecord).filter(({ event }) => matches(filter, event)));
      const end = rows.at(-1);
      if (found.length >= limit || rows.length < limit || end === undefined) return found.slice(0, limit);
      last = { timestamp: end.timestamp, sequence: end.sequence - 1 };
    }
  }

  async read(org: OrganizationId, fromSequence: number, limit: number) {
    return this.#db
      .all<RecordRow>(
        'SELECT sequence, hash, bytes FROM audit_records WHERE org = ? AND sequence >= ? ORDER BY sequence LIMIT ?',
        org,
        fromSequence,
        limit,
      )
      .map(({ sequence, hash, bytes }) => ({ sequence, hash, bytes }));
  }

  #page(org: OrganizationId, facet: string, value: string, from: string, upTo: LogPosition, limit: number) {
    return this.#db.all<RecordRow & { timestamp: string }>(
      `SELECT r.sequence, r.hash, r.bytes, i.timestamp FROM audit_index i
       JOIN audit_records r ON r.org = i.org AND r.sequence = i.sequence
       WHERE i.org = ? AND i.facet = ? AND i.value = ? AND i.timestamp >= ? AND (i.timestamp, i.sequence) <= (?, ?)
       ORDER BY i.timestamp DESC, i.sequence DESC LIMIT ?`,
      org,
      facet,
      value,
      from,
      upTo.timestamp,
      upTo.sequence,
      limit,
    );
  }

  #insert(org: OrganizationId, { sequence, hash, bytes, event }: StoredRecord): void {
    const { id, timestamp } = event;
    this.#db.run(
      'INSERT INTO audit_records (org, sequence, event_id, timestamp, hash, bytes) VALUES (?, ?, ?, ?, ?, ?)',
      org,
      sequence,
      id,
      timestamp,
      hash,
      bytes,
    );
    for (const [facet, value] of facetsOf(event)) {
      this.#db.run(
        'INSERT OR IGNORE INTO audit_index (org, facet, value, timestamp, sequence) VALUES (?, ?, ?, ?, ?)',
        org,
        facet,
        value,
        timestamp,
        sequence,
      );
    }
  }

  /** Takes recorded events out of the outbox. */
  async settle(positions: readonly number[]): Promise<void> {
    await this.#db.write(() => {
      for (const position of positions) this.#db.run('DELETE FROM outbox WHERE position = ?', position);
    });
  }
}

type Facet = readonly [facet: string, value: string];

/** What a record can be looked up by. */
function facetsOf(event: AuditEvent): Facet[] {
  const optional: [string, string | undefined][] = [
    ['run', event.run_id],
    ['pipeline', event.pipeline_id],
    ['user', event.user],
    ['action', event.action],
    ['outcome', event.outcome],
  ];
  return [
    ['all', ''],
    ...event.secrets.map(({ name }) => ['secret', name] as const),
    ...optional.flatMap(([facet, value]) => (value === undefined ? [] : [[facet, value] as const])),
  ];
}

/** The facet of a filter that leaves the fewest records, as a rule; the others are checked on what it finds. */
function narrowestFacet(filter: LogFilter): Facet {
  const { run_id, secret_name, user, pipeline_id, action, outcome } = filter;
  if (run_id !== undefined) return ['run', run_id];
  if (secret_name !== undefined) return ['secret', secret_name];
  if (user !== undefined) return ['user', user];
  if (pipeline_id !== undefined) return ['pipeline', pipeline_id];
  if (action !== undefined) return ['action', action];
  if (outcome !== undefined) return ['outcome', outcome];
  return ['all', ''];
}

function matches(filter: LogFilter, event: AuditEvent): boolean {
  const { run_id, secret_name, user, pipeline_id, action, outcome, to } = filter;
  return (
    (run_id === undefined || event.run_id === run_id) &&
    (secret_name === undefined || event.secrets.some(({ name }) => name === secret_name)) &&
    (user === undefined || event.user === user) &&
    (pipeline_id === undefined || event.pipeline_id === pipeline_id) &&
    (action === undefined || event.action === action) &&
    (outcome === undefined || event.outcome === outcome) &&
    (to === undefined || event.timestamp <= to)
  );
}

function toStoredRecord({ sequence, hash, bytes }: RecordRow): StoredRecord {
  return { sequence, hash, bytes, event: JSON.parse(Buffer.from(bytes).toString()) as AuditRecord };
}
