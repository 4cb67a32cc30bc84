import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ChainHead, emptyChain, eventText, type StoredRecord } from '../audit/chain.ts';
import type { AuditEvent } from '../audit/event.ts';
import { type Facet, facetsOfAll, type IndexBlock } from '../audit/facets.ts';
import type { AuditLog, BlockRange } from '../audit/log.ts';
import type { AuditOutbox, HeldEvents } from '../audit/outbox.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { Page } from '../contract/page.ts';
import type { Database } from './database.ts';

/** The outbox and the audit log in SQLite. */
export class EmbeddedAuditStore implements AuditOutbox, HeldEvents, AuditLog {
  readonly appendsAtOnce = 1000;
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async append(event: AuditEvent): Promise<void> {
    const text = eventText(event);
    await this.#db.write(() => this.#db.run('INSERT INTO outbox (event) VALUES (?)', text));
  }

  /** The oldest events that wait to be recorded. */
  pending(limit: number): { position: number; event: string }[] {
    return this.#db.all('SELECT position, event FROM outbox ORDER BY position LIMIT ?', limit);
  }

  async held(
    { from, to }: { readonly from: string; readonly to: string },
    limit: number,
    after: string | undefined,
  ): Promise<Page<string>> {
    const rows = this.#db.all<{ position: number; event: string }>(
      `SELECT position, event FROM outbox WHERE position > ? AND event ->> '$.timestamp' BETWEEN ? AND ?
       ORDER BY position LIMIT ?`,
      Number(after ?? 0),
      from,
      to,
      limit,
    );
    const last = rows.at(-1);
    const items = rows.map(({ event }) => event);
    return rows.length < limit || last === undefined ? { items } : { items, next: String(last.position) };
  }

  /** Takes recorded events out of the outbox. */
  async settle(positions: readonly number[]): Promise<void> {
    const sql = 'DELETE FROM outbox WHERE position IN (SELECT value FROM json_each(?))';
    await this.#db.writeDerived(() => this.#db.run(sql, JSON.stringify(positions)));
  }

  /** How many events wait to be recorded. */
  lag(): number {
    return this.#db.get<{ waiting: number }>('SELECT count(*) AS waiting FROM outbox')?.waiting ?? 0;
  }

  async head(org: OrganizationId): Promise<ChainHead> {
    return this.#head(org);
  }

  async recorded(org: OrganizationId, eventIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = this.#db.all<{ event_id: string }>(
      `SELECT event_id FROM audit_records WHERE org = ? AND event_id IN (SELECT value FROM json_each(?))`,
      org,
      JSON.stringify(eventIds),
    );
    return new Set(rows.map(({ event_id }) => event_id));
  }

  appendAfter(
    org: OrganizationId,
    head: ChainHead,
    records: readonly StoredRecord[],
    blocks: readonly IndexBlock[],
  ): Promise<boolean> {
    return this.#append(org, head.hash, records, blocks);
  }

  beginAfter(
    org: OrganizationId,
    _head: ChainHead,
    records: readonly StoredRecord[],
    blocks: readonly IndexBlock[],
  ): Promise<boolean> {
    return this.#append(org, emptyChain(org).hash, records, blocks);
  }

  #append(
    org: OrganizationId,
    expected: string,
    records: readonly StoredRecord[],
    blocks: readonly IndexBlock[],
  ): Promise<boolean> {
    const index = JSON.stringify(
      blocks.map(({ facet: [facet, value], last_timestamp, first_sequence, sequences }) => {
        return [facet, value, last_timestamp, first_sequence, sequences];
      }),
    );
    return this.#db.writeDerived(() => {
      if (this.#head(org).hash !== expected) return false;
      for (const { sequence, event_id, hash, bytes } of records) {
        this.#db.run(
          'INSERT INTO audit_records (org, sequence, event_id, hash, bytes) VALUES (?, ?, ?, ?, ?)',
          org,
          sequence,
          event_id,
          hash,
          bytes,
        );
      }
      this.#db.run(
        `INSERT INTO audit_blocks (org, facet, value, last_timestamp, first_sequence, sequences)
         SELECT ?, block.value ->> 0, block.value ->> 1, block.value ->> 2, block.value ->> 3, block.value -> 4
         FROM json_each(?) AS block`,
        org,
        index,
      );
      return true;
    });
  }

  async blocks(
    org: OrganizationId,
    facet: Facet,
    { from, upTo, limit }: BlockRange,
  ): Promise<readonly IndexBlock[]> {
    const rows = this.#db.all<{ last_timestamp: string; first_sequence: number; sequences: string }>(
      `SELECT last_timestamp, first_sequence, sequences FROM audit_blocks
       WHERE org = ? AND facet = ? AND value = ? AND last_timestamp >= ?
         AND (last_timestamp, first_sequence) <= (?, ?)
       ORDER BY last_timestamp DESC, first_sequence DESC LIMIT ?`,
      org,
      ...facet,
      from ?? '',
      upTo.last_timestamp,
      upTo.first_sequence,
      limit,
    );
    return rows.map((row) => ({ ...row, facet, sequences: JSON.parse(row.sequences) as number[] }));
  }

  async readMany(org: OrganizationId, sequences: readonly number[]): Promise<readonly StoredRecord[]> {
    await nextTurn();
    return this.#db.all<StoredRecord>(
      `SELECT sequence, event_id, hash, bytes FROM audit_records
       WHERE org = ? AND sequence IN (SELECT value FROM json_each(?))`,
      org,
      JSON.stringify(sequences),
    );
  }

  // Whoever reads a whole log asks again and again: others get their turn in between.
  async read(org: OrganizationId, fromSequence: number, limit: number): Promise<readonly StoredRecord[]> {
    await nextTurn();
    return this.#db.all<StoredRecord>(
      `SELECT sequence, event_id, hash, bytes FROM audit_records WHERE org = ? AND sequence >= ?
       ORDER BY sequence LIMIT ?`,
      org,
      fromSequence,
      limit,
    );
  }

  async removeUpTo(org: OrganizationId, sequence: number, limit: number): Promise<number> {
    const records = (await this.read(org, 1, limit)).filter((record) => record.sequence <= sequence);
    const facets = facetsOfAll(records);
    const last = records.at(-1);
    if (last === undefined) return 0;
    return this.#db.writeDerived(() => {
      for (const facet of facets)
        this.#db.run(
          `DELETE FROM audit_blocks WHERE org = ? AND facet = ? AND value = ? AND first_sequence <= ?
           AND sequences ->> '$[#-1]' <= ?`,
          org,
          ...facet,
          last.sequence,
          last.sequence,
        );
      this.#db.run('DELETE FROM audit_records WHERE org = ? AND sequence <= ?', org, last.sequence);
      return records.length;
    });
  }

  #head(org: OrganizationId): ChainHead {
    const last = this.#db.get<ChainHead>(
      'SELECT sequence, hash FROM audit_records WHERE org = ? ORDER BY sequence DESC LIMIT 1',
      org,
    );
    return last ?? emptyChain(org);
  }
}
