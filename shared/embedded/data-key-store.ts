import type { EnvironmentName, OrganizationId } from '../contract/ids.ts';
import type { DataKeyStore, WrappedDataKey } from '../envelope/data-keys.ts';
import type { Database } from './database.ts';

/** Wrapped data keys in SQLite. */
export class EmbeddedDataKeyStore implements DataKeyStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async add({ org, id, environment, wrapped, recovery, created_at }: WrappedDataKey): Promise<void> {
    await this.#db.write(() =>
      this.#db.run(
        'INSERT INTO data_keys (org, id, environment, wrapped, recovery, created_at) VALUES (?, ?, ?, ?, ?, ?)',
        org,
        id,
        environment,
        wrapped,
        recovery,
        created_at,
      ),
    );
  }

  async find(org: OrganizationId, ids: readonly string[]): Promise<readonly WrappedDataKey[]> {
    return ids.flatMap((id) => {
      const row = this.#db.get<{
        environment: EnvironmentName | null;
        wrapped: Uint8Array;
        recovery: Uint8Array | null;
        created_at: string;
      }>(
        'SELECT environment, wrapped, recovery, created_at FROM data_keys WHERE org = ? AND id = ?',
        org,
        id,
      );
      return row === undefined ? [] : [{ org, id, ...row }];
    });
  }
}
