import { eventText } from '../audit/chain.ts';
import type { Trail } from '../audit/outbox.ts';
import type { OrganizationId } from '../contract/ids.ts';
import {
  type Announcement,
  announcementId,
  type Digest,
  type Progress,
  type Recipient,
  type ReminderStore,
} from '../reminders/reminder-store.ts';
import type { Database } from './database.ts';
import { leaveTrail } from './trail.ts';

/** What was announced to whom, in SQLite. */
export class EmbeddedReminderStore implements ReminderStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async announced(org: OrganizationId, ids: readonly string[]): Promise<ReadonlySet<string>> {
    const sql = 'SELECT 1 FROM announcements WHERE org = ? AND id = ?';
    return new Set(ids.filter((id) => this.#db.get(sql, org, id) !== undefined));
  }

  async claim(digest: Digest): Promise<boolean> {
    const { id, org, announcements, created_at, revision, retry_at } = digest;
    return this.#db.write(() => {
      const ids = announcements.map(announcementId);
      const taken = 'SELECT 1 FROM announcements WHERE org = ? AND id = ?';
      if (ids.some((one) => this.#db.get(taken, org, one) !== undefined)) return false;
      for (const one of ids)
        this.#db.run('INSERT INTO announcements (org, id, at) VALUES (?, ?, ?)', org, one, created_at);
      this.#db.run(
        'INSERT INTO digests (id, revision, created_at, retry_at, digest) VALUES (?, ?, ?, ?, ?)',
        id,
        revision,
        created_at,
        retry_at,
        JSON.stringify(digest),
      );
      return true;
    });
  }

  async saveDigest(
    digest: Digest,
    event: Trail['event'] | null,
    released: readonly Announcement[],
  ): Promise<boolean> {
    const { id, org, revision, retry_at } = digest;
    return this.#db.write(() => {
      const saved = this.#db.run(
        'UPDATE digests SET revision = ?, retry_at = ?, digest = ? WHERE id = ? AND revision = ?',
        revision,
        retry_at,
        JSON.stringify(digest),
        id,
        revision - 1,
      );
      if (saved === 0) return false;
      for (const one of released)
        this.#db.run('DELETE FROM announcements WHERE org = ? AND id = ?', org, announcementId(one));
      if (event !== null) this.#db.run('INSERT INTO outbox (event) VALUES (?)', eventText(event));
      return true;
    });
  }

  async waiting(now: string, limit: number): Promise<readonly Digest[]> {
    const rows = this.#db.all<{ digest: string }>(
      'SELECT digest FROM digests WHERE retry_at <= ? ORDER BY retry_at, id LIMIT ?',
      now,
      limit,
    );
    return rows.map(({ digest }) => JSON.parse(digest) as Digest);
  }

  async forget(before: string): Promise<void> {
    await this.#db.writeDerived(() => {
      this.#db.run('DELETE FROM announcements WHERE at < ?', before);
      this.#db.run('DELETE FROM digests WHERE created_at < ? AND retry_at IS NULL', before);
    });
  }

  async addRecipient(recipient: Recipient, trail: Trail): Promise<void> {
    const { org, id, created_at, token_hash } = recipient;
    await this.#db.write(() => {
      this.#db.run(
        'INSERT INTO recipients (org, id, created_at, token_hash, recipient) VALUES (?, ?, ?, ?, ?)',
        org,
        id,
        created_at,
        token_hash,
        JSON.stringify(recipient),
      );
      leaveTrail(this.#db, trail);
    });
  }

  async removeRecipient(org: OrganizationId, id: string, trail: Trail): Promise<boolean> {
    return this.#db.write(() => {
      if (this.#db.erase('DELETE FROM recipients WHERE org = ? AND id = ?', org, id) === 0) return false;
      leaveTrail(this.#db, trail);
      return true;
    });
  }

  async recipients(org: OrganizationId): Promise<readonly Recipient[]> {
    const sql = 'SELECT recipient FROM recipients WHERE org = ? ORDER BY created_at, id';
    return this.#db
      .all<{ recipient: string }>(sql, org)
      .map(({ recipient }) => JSON.parse(recipient) as Recipient);
  }

  async findCalendar(tokenHash: string): Promise<Recipient | null> {
    const row = this.#db.get<{ recipient: string }>(
      'SELECT recipient FROM recipients WHERE token_hash = ?',
      tokenHash,
    );
    return row === undefined ? null : (JSON.parse(row.recipient) as Recipient);
  }

  async progress(org: OrganizationId): Promise<Progress> {
    const row = this.#db.get<Progress>('SELECT policies, audit FROM reminder_progress WHERE org = ?', org);
    return { policies: row?.policies ?? null, audit: row?.audit ?? null };
  }

  async saveProgress(org: OrganizationId, { policies, audit }: Progress): Promise<void> {
    await this.#db.write(() =>
      this.#db.run(
        `INSERT INTO reminder_progress (org, policies, audit) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET policies = excluded.policies, audit = excluded.audit`,
        org,
        policies,
        audit,
      ),
    );
  }
}
