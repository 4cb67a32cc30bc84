import type { Trail } from '../audit/outbox.ts';
import type { AccessNote } from '../audit/record-audit.ts';
import { type Coordinates, coordinatesFromKey, coordinatesKey } from '../contract/coordinates.ts';
import type { OrganizationId, SecretName } from '../contract/ids.ts';
import type { Page } from '../contract/page.ts';
import {
  type DueRange,
  duePosition,
  type SecretChange,
  type SecretStore,
  type StoredSecret,
  type StoredVersion,
  type VersionRange,
} from '../secrets/secret-store.ts';
import type { Database } from './database.ts';
import { asBuffer, COLUMNS, type SecretRow, toStoredSecret } from './secret-row.ts';
import { leaveTrail } from './trail.ts';

const VERSIONS_OF = 'DELETE FROM versions WHERE org = ? AND key = ?';

/** Secrets in SQLite. */
export class EmbeddedSecretStore implements SecretStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async save(change: SecretChange): Promise<boolean> {
    const { org, secret, added, resealed, removed = [], tend_at, expected_revision, trail } = change;
    const key = coordinatesKey(secret.at);
    return this.#db.write(() => {
      if (!this.#saveHead(org, key, secret, expected_revision)) return false;
      if (added !== null) {
        const { version, record, sealed } = added;
        this.#db.run(
          'INSERT INTO versions (org, key, version, record, sealed) VALUES (?, ?, ?, ?, ?)',
          org,
          key,
          version,
          record,
          sealed,
        );
      }
      if (resealed !== undefined) {
        const { version, record, sealed } = resealed;
        const sql = 'UPDATE versions SET record = ?, sealed = ? WHERE org = ? AND key = ? AND version = ?';
        this.#db.erase(sql, record, sealed, org, key, version);
      }
      for (const version of removed) this.#db.erase(`${VERSIONS_OF} AND version = ?`, org, key, version);
      if (tend_at !== undefined) this.#tendAt(org, key, tend_at);
      leaveTrail(this.#db, trail);
      return true;
    });
  }

  #tendAt(org: OrganizationId, key: string, at: string | null): void {
    this.#db.run('DELETE FROM tending WHERE org = ? AND key = ?', org, key);
    if (at !== null) this.#db.run('INSERT INTO tending (org, key, at) VALUES (?, ?, ?)', org, key, at);
  }

  #saveHead(org: OrganizationId, key: string, secret: SecretChange['secret'], expected: number): boolean {
    const { revision, record, mac, sealed, next_rotation_at, deleted_at, purge_at } = secret;
    const fields = [revision, record, mac, sealed, next_rotation_at, deleted_at, purge_at];
    const changed =
      expected === 0
        ? this.#db.run(
            `INSERT INTO secrets (revision, record, mac, sealed, next_rotation_at, deleted_at, purge_at, org, key)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
            ...fields,
            org,
            key,
          )
        : // The envelope that it replaces must go with its version, and not stay behind in a free page.
          this.#db.erase(
            `UPDATE secrets SET revision = ?, record = ?, mac = ?, sealed = ?, next_rotation_at = ?, deleted_at = ?,
             purge_at = ? WHERE org = ? AND key = ? AND revision = ?`,
            ...fields,
            org,
            key,
            expected,
          );
    return changed === 1;
  }

  async remove(
    org: OrganizationId,
    at: Coordinates,
    expectedRevision: number,
    trail: Trail,
  ): Promise<boolean> {
    const key = coordinatesKey(at);
    const head = 'DELETE FROM secrets WHERE org = ? AND key = ? AND revision = ?';
    return this.#db.write(() => {
      const removed = this.#db.erase(head, org, key, expectedRevision);
      if (removed === 0) return false;
      this.#db.erase(VERSIONS_OF, org, key);
      this.#tendAt(org, key, null);
      this.#db.run('DELETE FROM accesses WHERE org = ? AND key = ?', org, key);
      leaveTrail(this.#db, trail);
      return true;
    });
  }

  async findMany(org: OrganizationId, at: readonly Coordinates[]): Promise<readonly StoredSecret[]> {
    const keys = JSON.stringify(at.map(coordinatesKey));
    // The cross join keeps SQLite at looking up each key, whatever it believes of the table's size.
    return this.#db
      .all<SecretRow>(
        `SELECT ${COLUMNS} FROM json_each(?) AS wanted CROSS JOIN secrets
         WHERE secrets.org = ? AND secrets.key = wanted.value`,
        keys,
        org,
      )
      .map(toStoredSecret);
  }

  async findByName(org: OrganizationId, name: SecretName): Promise<readonly StoredSecret[]> {
    const [from, to] = prefixRange(`${name}#`);
    return this.#db
      .all<SecretRow>(
        `SELECT ${COLUMNS} FROM secrets WHERE org = ? AND key >= ? AND key < ? ORDER BY key`,
        org,
        from,
        to,
      )
      .map(toStoredSecret);
  }

  async list(
    org: OrganizationId,
    { prefix, after, limit }: { prefix: string; after: string | undefined; limit: number },
  ): Promise<Page<StoredSecret>> {
    const [from, to] = prefixRange(prefix);
    const rows = this.#db.all<SecretRow>(
      `SELECT ${COLUMNS} FROM secrets WHERE org = ? AND key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?`,
      org,
      from,
      to,
      after ?? '',
      limit,
    );
    const items = rows.map(toStoredSecret);
    const last = rows.at(-1);
    return rows.length < limit || last === undefined ? { items } : { items, next: last.key };
  }

  async versions(
    org: OrganizationId,
    at: Coordinates,
    { limit, below }: VersionRange,
  ): Promise<Page<StoredVersion>> {
    const rows = this.#db.all<{ version: number; record: Uint8Array; sealed: Uint8Array }>(
      `SELECT version, record, sealed FROM versions WHERE org = ? AND key = ? AND version < ?
       ORDER BY version DESC LIMIT ?`,
      org,
      coordinatesKey(at),
      below ?? Number.MAX_SAFE_INTEGER,
      limit + 1,
    );
    const items = rows.slice(0, limit).map(({ version, record, sealed }) => {
      return { version, record: Buffer.from(record), sealed: Buffer.from(sealed) };
    });
    const last = items.at(-1);
    return rows.length > limit && last !== undefined ? { items, next: String(last.version) } : { items };
  }

  async findVersions(org: OrganizationId, wanted: readonly { at: Coordinates; version: number }[]) {
    return wanted.flatMap(({ at, version }) => {
      const row = this.#db.get<{ record: Uint8Array; sealed: Uint8Array }>(
        'SELECT record, sealed FROM versions WHERE org = ? AND key = ? AND version = ?',
        org,
        coordinatesKey(at),
        version,
      );
      return row === undefined
        ? []
        : [{ at, version, record: asBuffer(row.record), sealed: asBuffer(row.sealed) }];
    });
  }

  async purgeable(now: string, limit: number) {
    const rows = this.#db.all<{ org: OrganizationId; key: string; revision: number }>(
      'SELECT org, key, revision FROM secrets WHERE purge_at <= ? ORDER BY purge_at LIMIT ?',
      now,
      limit,
    );
    return rows.map(({ org, key, revision }) => ({ org, at: coordinatesFromKey(key), revision }));
  }

  async due(org: OrganizationId, { until, after = '', limit }: DueRange): Promise<Page<StoredSecret>> {
    const [time = '', key = ''] = after.split(' ');
    const rows = this.#db.all<SecretRow>(
      `SELECT ${COLUMNS} FROM secrets WHERE org = ? AND next_rotation_at IS NOT NULL AND next_rotation_at <= ?
       AND (next_rotation_at, key) > (?, ?) ORDER BY next_rotation_at, key LIMIT ?`,
      org,
      until,
      time,
      key,
      limit + 1,
    );
    const items = rows.slice(0, limit).map(toStoredSecret);
    const last = items.at(-1);
    if (rows.length <= limit || last === undefined) return { items };
    return { items, next: duePosition(last.next_rotation_at ?? '', last.at) };
  }

  async tendable(now: string, limit: number) {
    const rows = this.#db.all<{ org: OrganizationId; key: string }>(
      'SELECT org, key FROM tending WHERE at <= ? ORDER BY at LIMIT ?',
      now,
      limit,
    );
    return rows.map(({ org, key }) => ({ org, at: coordinatesFromKey(key) }));
  }

  async noteAccesses(org: OrganizationId, notes: readonly AccessNote[]): Promise<void> {
    const accesses = JSON.stringify(
      notes.map(({ secret: { name, scope, environment, owner }, at }) => {
        return [`${name}#${scope}#${environment ?? ''}#${owner ?? ''}`, at];
      }),
    );
    // Only what is there still: a secret that was removed meanwhile must not leave a row behind.
    await this.#db.writeDerived(() =>
      this.#db.run(
        `INSERT INTO accesses (org, key, at)
         SELECT secrets.org, secrets.key, note.value ->> 1 FROM json_each(?) AS note CROSS JOIN secrets
         WHERE secrets.org = ? AND secrets.key = note.value ->> 0
         ON CONFLICT DO UPDATE SET at = excluded.at WHERE at < excluded.at`,
        accesses,
        org,
      ),
    );
  }
}

/** The keys that begin with a prefix, as a half-open range; no key of ours holds a character beyond ASCII. */
function prefixRange(prefix: string): [from: string, to: string] {
  return [prefix, `${prefix}\u{7f}`];
}
