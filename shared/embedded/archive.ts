import type { ApiKeyRecord, ApiKeyState } from '../access/api-key.ts';
import type { RunRecord } from '../access/run-token.ts';
import { noteSize } from '../audit/checkpoint.ts';
import type { CheckpointStore } from '../audit/checkpoint-store.ts';
import {
  type ArchiveRow,
  type ArchiveStore,
  type RowOf,
  reminderTables,
  tendingOf,
} from '../backup/archive.ts';
import { expiredRows } from '../backup/expired-log.ts';
import type { OrganizationId } from '../contract/ids.ts';
import { ORGANIZATION, type OrganizationRow, organizationColumns, toOrganization } from './caller-row.ts';
import type { Database, Snapshot, Value } from './database.ts';

/** Its row among the organizations stays, so that its log goes on being verified and its name stays taken. */
const SHREDDED = ['secrets', 'versions', 'accesses', 'api_keys', 'runs', 'recipients'] as const;
const CHECKPOINTS_AT_ONCE = 1000;

/** The SQLite file as a whole, and the checkpoints beside it. */
export class EmbeddedArchive implements ArchiveStore {
  readonly #db: Database;
  readonly #checkpoints: Pick<CheckpointStore, 'list' | 'readTile'>;

  constructor(db: Database, checkpoints: Pick<CheckpointStore, 'list' | 'readTile'>) {
    this.#db = db;
    this.#checkpoints = checkpoints;
  }

  async *rows(): AsyncGenerator<ArchiveRow> {
    // Read before the snapshot is taken: no checkpoint may cover a record that the snapshot lacks.
    const checkpoints = await this.#readCheckpoints();
    using snapshot = this.#db.snapshot();
    yield* dataKeys(snapshot);
    yield* secrets(snapshot);
    yield* versions(snapshot);
    yield* checkpoints;
    yield* this.#expired(snapshot, checkpoints);
    yield* audit(snapshot);
    yield* reminders(snapshot);
    yield* callers(snapshot);
  }

  async isUsed(): Promise<boolean> {
    return this.#db.get('SELECT 1 FROM organizations LIMIT 1') !== undefined;
  }

  async load(rows: readonly ArchiveRow[]): Promise<void> {
    await this.#db.write(() => {
      for (const row of rows) this.#insert(row);
    });
  }

  /**
   * Removes an organization's data keys, so that nothing of it opens any more, and all else that is its own but
   * the audit log. Overwritten in the file, all or nothing.
   * @returns how many data keys there were
   */
  async shred(org: OrganizationId): Promise<number> {
    return this.#db.write(() => {
      const keys = this.#db.erase('DELETE FROM data_keys WHERE org = ?', org);
      for (const table of SHREDDED) this.#db.erase(`DELETE FROM ${table} WHERE org = ?`, org);
      return keys;
    });
  }

  async #readCheckpoints(): Promise<RowOf<'checkpoint'>[]> {
    const rows: RowOf<'checkpoint'>[] = [];
    for (const { id: org } of this.#db.all<{ id: OrganizationId }>('SELECT id FROM organizations')) {
      for (let after = 0; ; ) {
        const notes = await this.#checkpoints.list(org, after, CHECKPOINTS_AT_ONCE);
        rows.push(...notes.map((note) => ({ kind: 'checkpoint' as const, org, note })));
        if (notes.length < CHECKPOINTS_AT_ONCE) break;
        after = Number(notes.at(-1)?.split('\n')[1]);
      }
    }
    return rows;
  }

  /** What is left of records that are not in the snapshot any more. */
  async *#expired(snapshot: Snapshot, checkpoints: readonly RowOf<'checkpoint'>[]) {
    const sql = 'SELECT org, min(sequence) - 1 AS expired FROM audit_records GROUP BY org';
    for (const { org, expired } of [...snapshot.rows<{ org: OrganizationId; expired: number }>(sql)]) {
      const covered = Math.max(0, ...sizesOf(checkpoints, org));
      yield* expiredRows(this.#checkpoints, org, expired, covered);
    }
  }

  #insert(row: ArchiveRow): void {
    for (const [table, columns] of Object.entries(columnsOf(row))) {
      const names = Object.keys(columns);
      const places = names.map(() => '?').join(', ');
      const sql = `INSERT OR REPLACE INTO ${table} (${names.join(', ')}) VALUES (${places})`;
      this.#db.run(sql, ...Object.values(columns));
    }
  }
}

/** What a row of the archive is in the store: its columns, by table. */
function columnsOf(row: ArchiveRow): Readonly<Record<string, Readonly<Record<string, Value>>>> {
  switch (row.kind) {
    case 'data_key': {
      const { kind: _, wrapped, recovery, ...key } = row;
      const second = recovery === null ? null : decode(recovery);
      return { data_keys: { ...key, wrapped: decode(wrapped), recovery: second } };
    }
    case 'secret': {
      const { kind: _, record, mac, sealed, last_accessed_at: at, ...head } = row;
      const bytes = { record: decode(record), mac: decode(mac), sealed: decode(sealed) };
      const { org, key } = head;
      const tend = tendingOf(bytes);
      return {
        secrets: { ...head, ...bytes },
        ...(at === null ? {} : { accesses: { org, key, at } }),
        ...(tend === null ? {} : { tending: { org, key, at: tend } }),
      };
    }
    case 'version': {
      const { kind: _, record, sealed, ...version } = row;
      return { versions: { ...version, record: decode(record), sealed: decode(sealed) } };
    }
    case 'audit_event':
      return { outbox: { event: row.event } };
    case 'reminder':
      return { [row.table]: row.columns };
    case 'run': {
      const { org, run_id, ended_at } = row.record;
      return { runs: { org, run_id, record: JSON.stringify({ ...row.record, ended_at: null }), ended_at } };
    }
    case 'api_key': {
      const { last_used_at, revoked_at, ...key } = row.record;
      const { id, org, created_at } = key;
      return { api_keys: { id, org, created_at, record: JSON.stringify(key), last_used_at, revoked_at } };
    }
    case 'organization':
      return { organizations: organizationColumns(row.record) };
    case 'checkpoint':
    case 'expired':
    case 'audit_record':
      throw new TypeError('the audit log is appended to, not loaded');
  }
}

function sizesOf(checkpoints: readonly RowOf<'checkpoint'>[], org: OrganizationId): number[] {
  return checkpoints.flatMap((row) => (row.org === org ? [noteSize(row.note)] : []));
}

const encode = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const decode = (base64: string) => Buffer.from(base64, 'base64');

/** A row whose bytes are not yet base64. */
type Raw<Row, Bytes extends keyof Row> = Omit<Row, Bytes | 'kind'> & Readonly<Record<Bytes, Uint8Array>>;

function* dataKeys(snapshot: Snapshot): Generator<RowOf<'data_key'>> {
  type Row = Raw<RowOf<'data_key'>, 'wrapped'> & { readonly recovery: Uint8Array | null };
  const sql = 'SELECT org, id, environment, wrapped, recovery, created_at FROM data_keys';
  for (const { wrapped, recovery, ...row } of snapshot.rows<Row>(sql)) {
    yield {
      kind: 'data_key',
      ...row,
      wrapped: encode(wrapped),
      recovery: recovery === null ? null : encode(recovery),
    };
  }
}

function* secrets(snapshot: Snapshot): Generator<RowOf<'secret'>> {
  const sql = `SELECT org, key, revision, record, mac, sealed, next_rotation_at, deleted_at, purge_at,
    (SELECT at FROM accesses WHERE accesses.org = secrets.org AND accesses.key = secrets.key) AS last_accessed_at
    FROM secrets`;
  for (const { record, mac, sealed, ...row } of snapshot.rows<
    Raw<RowOf<'secret'>, 'record' | 'mac' | 'sealed'>
  >(sql)) {
    yield { kind: 'secret', ...row, record: encode(record), mac: encode(mac), sealed: encode(sealed) };
  }
}

function* versions(snapshot: Snapshot): Generator<RowOf<'version'>> {
  const sql = 'SELECT org, key, version, record, sealed FROM versions ORDER BY org, key, version';
  for (const { record, sealed, ...row } of snapshot.rows<Raw<RowOf<'version'>, 'record' | 'sealed'>>(sql)) {
    yield { kind: 'version', ...row, record: encode(record), sealed: encode(sealed) };
  }
}

function* audit(snapshot: Snapshot): Generator<RowOf<'audit_record' | 'audit_event'>> {
  const sql = 'SELECT org, sequence, bytes FROM audit_records ORDER BY org, sequence';
  for (const { bytes, ...row } of snapshot.rows<Raw<RowOf<'audit_record'>, 'bytes'>>(sql)) {
    yield { kind: 'audit_record', ...row, bytes: encode(bytes) };
  }
  for (const { event } of snapshot.rows<{ event: string }>('SELECT event FROM outbox ORDER BY position')) {
    yield { kind: 'audit_event', event };
  }
}

function* reminders(snapshot: Snapshot): Generator<RowOf<'reminder'>> {
  for (const table of reminderTables) {
    for (const columns of snapshot.rows<RowOf<'reminder'>['columns']>(`SELECT * FROM ${table}`)) {
      yield { kind: 'reminder', table, columns: { ...columns } };
    }
  }
}

function* callers(snapshot: Snapshot): Generator<RowOf<'run' | 'api_key' | 'organization'>> {
  type RunRow = { readonly record: string; readonly ended_at: string | null };
  for (const { record, ended_at } of snapshot.rows<RunRow>('SELECT record, ended_at FROM runs')) {
    yield { kind: 'run', record: { ...(JSON.parse(record) as RunRecord), ended_at } };
  }
  type KeyRow = { readonly record: string } & ApiKeyState;
  const keys = 'SELECT record, last_used_at, revoked_at FROM api_keys';
  for (const { record, ...state } of snapshot.rows<KeyRow>(keys)) {
    yield { kind: 'api_key', record: { ...(JSON.parse(record) as ApiKeyRecord), ...state } };
  }
  for (const row of snapshot.rows<OrganizationRow>(`SELECT ${ORGANIZATION} FROM organizations`)) {
    yield { kind: 'organization', record: toOrganization(row) };
  }
}
