import { coordinatesFromKey } from '../contract/coordinates.ts';
import type { StoredSecret } from '../secrets/secret-store.ts';

/** A row of `secrets`, with when it was last resolved. */
export interface SecretRow extends Omit<StoredSecret, 'at' | 'record' | 'mac' | 'sealed'> {
  readonly org: string;
  readonly key: string;
  readonly record: Uint8Array;
  readonly mac: Uint8Array;
  readonly sealed: Uint8Array;
}

/** What a {@link SecretRow} is read from. */
export const COLUMNS = `org, secrets.key, revision, record, mac, sealed, next_rotation_at, deleted_at, purge_at,
  (SELECT at FROM accesses WHERE accesses.org = secrets.org AND accesses.key = secrets.key) AS last_accessed_at`;

/** A row as the port has it. */
export function toStoredSecret({ key, org: _org, record, mac, sealed, ...row }: SecretRow): StoredSecret {
  return {
    ...row,
    at: coordinatesFromKey(key),
    record: asBuffer(record),
    mac: asBuffer(mac),
    sealed: asBuffer(sealed),
  };
}

/** Bytes as SQLite gives them, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
