import type { ApiKeyRecord, ApiKeyState } from '../access/api-key.ts';
import { type CallerStore, type OrganizationRecord, organizationExists } from '../access/caller-store.ts';
import type { Replay, ReplayStore } from '../access/replay.ts';
import type { RunRecord } from '../access/run-token.ts';
import type { Trail } from '../audit/outbox.ts';
import { SecretsError } from '../contract/errors.ts';
import type { ApiKeyId, OrganizationId, RunId } from '../contract/ids.ts';
import type { Page } from '../contract/page.ts';
import { ORGANIZATION, type OrganizationRow, organizationColumns, toOrganization } from './caller-row.ts';
import type { Database } from './database.ts';
import { leaveTrail } from './trail.ts';

interface ApiKeyRow extends ApiKeyState {
  readonly record: string;
}

/** API keys, runs, organizations and the answers to repeated requests in SQLite. */
export class EmbeddedCallerStore implements CallerStore<Trail>, ReplayStore {
  readonly #db: Database;
  readonly #now: () => Date;

  constructor(db: Database, now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  async findApiKey(id: ApiKeyId): Promise<(ApiKeyRecord & ApiKeyState) | null> {
    const row = this.#db.get<ApiKeyRow>(
      'SELECT record, last_used_at, revoked_at FROM api_keys WHERE id = ?',
      id,
    );
    return row === undefined ? null : toApiKey(row);
  }

  async addApiKey(key: ApiKeyRecord, trail: Trail): Promise<void> {
    await this.#db.write(() => {
      this.#insertApiKey(key);
      leaveTrail(this.#db, trail);
    });
  }

  async listApiKeys(
    org: OrganizationId,
    limit: number,
    after: string | undefined,
  ): Promise<Page<ApiKeyRecord & ApiKeyState>> {
    const [createdAt = '9', id = ''] = after?.split(' ') ?? [];
    const rows = this.#db.all<ApiKeyRow>(
      `SELECT record, last_used_at, revoked_at FROM api_keys WHERE org = ? AND (created_at, id) < (?, ?)
       ORDER BY created_at DESC, id DESC LIMIT ?`,
      org,
      createdAt,
      id,
      limit + 1,
    );
    const items = rows.slice(0, limit).map(toApiKey);
    const last = items.at(-1);
    return rows.length > limit && last !== undefined
      ? { items, next: `${last.created_at} ${last.id}` }
      : { items };
  }

  async revokeApiKey(org: OrganizationId, id: ApiKeyId, at: string, trail: Trail): Promise<void> {
    await this.#db.write(() => {
      this.#db.run(
        'UPDATE api_keys SET revoked_at = ? WHERE org = ? AND id = ? AND revoked_at IS NULL',
        at,
        org,
        id,
      );
      leaveTrail(this.#db, trail);
    });
  }

  async noteApiKeyUse(id: ApiKeyId, at: string): Promise<void> {
    await this.#db.writeDerived(() =>
      this.#db.run('UPDATE api_keys SET last_used_at = ? WHERE id = ?', at, id),
    );
  }

  async findRun(org: OrganizationId, id: RunId): Promise<RunRecord | null> {
    const row = this.#db.get<{ record: string; ended_at: string | null }>(
      'SELECT record, ended_at FROM runs WHERE org = ? AND run_id = ?',
      org,
      id,
    );
    return row === undefined ? null : { ...(JSON.parse(row.record) as RunRecord), ended_at: row.ended_at };
  }

  async addRun(run: RunRecord, trail: Trail): Promise<void> {
    await this.#db.write(() => {
      const added = this.#db.run(
        'INSERT INTO runs (org, run_id, record) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
        run.org,
        run.run_id,
        JSON.stringify(run),
      );
      if (added === 0)
        throw new SecretsError('run_exists', 'Every execution has an id of its own. Choose another run_id.');
      leaveTrail(this.#db, trail);
    });
  }

  async endRun(org: OrganizationId, id: RunId, at: string, trail: Trail): Promise<void> {
    await this.#db.write(() => {
      this.#db.run(
        'UPDATE runs SET ended_at = ? WHERE org = ? AND run_id = ? AND ended_at IS NULL',
        at,
        org,
        id,
      );
      leaveTrail(this.#db, trail);
    });
  }

  async addOrganization(
    organization: OrganizationRecord,
    firstKey: ApiKeyRecord,
    trail: Trail,
  ): Promise<void> {
    await this.#db.write(() => {
      const added = this.#db.run(
        `INSERT INTO organizations (${ORGANIZATION}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        ...Object.values(organizationColumns(organization)),
      );
      if (added === 0) throw organizationExists();
      this.#insertApiKey(firstKey);
      leaveTrail(this.#db, trail);
    });
  }

  async findOrganization(id: OrganizationId): Promise<OrganizationRecord | null> {
    const sql = `SELECT ${ORGANIZATION} FROM organizations WHERE id = ?`;
    const row = this.#db.get<OrganizationRow>(sql, id);
    return row === undefined ? null : toOrganization(row);
  }

  async saveOrganization(organization: OrganizationRecord, trail: Trail): Promise<void> {
    const { id, record_reads, rotation_policies, audit_retention_days, settings_signature } = organization;
    await this.#db.write(() => {
      this.#db.run(
        `UPDATE organizations SET record_reads = ?, rotation_policies = ?, audit_retention_days = ?,
           settings_signature = ? WHERE id = ?`,
        Number(record_reads),
        JSON.stringify(rotation_policies),
        audit_retention_days,
        settings_signature,
        id,
      );
      leaveTrail(this.#db, trail);
    });
  }

  async listOrganizations(limit: number, after: string | undefined): Promise<Page<OrganizationRecord>> {
    const sql = `SELECT ${ORGANIZATION} FROM organizations WHERE id > ? ORDER BY id LIMIT ?`;
    const rows = this.#db.all<OrganizationRow>(sql, after ?? '', limit + 1);
    const items = rows.slice(0, limit).map(toOrganization);
    const last = items.at(-1);
    return rows.length > limit && last !== undefined ? { items, next: last.id } : { items };
  }

  async find(caller: string, key: string): Promise<Replay | null> {
    const row = this.#db.get<Replay>(
      `SELECT caller, key, fingerprint, status, answer, expires_at FROM replays
       WHERE caller = ? AND key = ? AND expires_at > ?`,
      caller,
      key,
      this.#now().toISOString(),
    );
    return row ?? null;
  }

  /** Removes the answers that are too old to be given again. */
  async forgetReplays(): Promise<void> {
    const now = this.#now().toISOString();
    await this.#db.writeDerived(() => this.#db.run('DELETE FROM replays WHERE expires_at <= ?', now));
  }

  #insertApiKey(key: ApiKeyRecord): void {
    this.#db.run(
      'INSERT INTO api_keys (id, org, created_at, record) VALUES (?, ?, ?, ?)',
      key.id,
      key.org,
      key.created_at,
      JSON.stringify(key),
    );
  }
}

function toApiKey({ record, last_used_at, revoked_at }: ApiKeyRow): ApiKeyRecord & ApiKeyState {
  return { ...(JSON.parse(record) as ApiKeyRecord), last_used_at, revoked_at };
}
