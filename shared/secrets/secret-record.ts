import * as z from 'zod';
import type { Caller } from '../access/caller.ts';
import { allows } from '../access/roles.ts';
import { type Coordinates, coordinatesKey, describeCoordinates } from '../contract/coordinates.ts';
import type { OrganizationId } from '../contract/ids.ts';
import { rotation, rotatorConfig } from '../contract/rotators.ts';
import { type SecretMetadata, secretMetadata } from '../contract/secrets.ts';
import { lengthPrefixed } from '../envelope/bytes.ts';
import type { DataKey } from '../envelope/data-key-loan.ts';
import { assertAuthentic, authenticate } from '../envelope/envelope.ts';
import { describeReminder, nextRotationAt, nothingKnown, reminderRecord } from './due.ts';
import type { StoredSecret } from './secret-store.ts';
import { stateOf } from './stages.ts';
import { parseStored, versionRecord } from './version-record.ts';

/** What a secret is, beside its value: the content of a head's `record`. */
const secretRecord = z.strictObject({
  format: z.literal(1),
  revision: z.int(),
  description: z.string().nullable(),
  metadata: secretMetadata.shape.metadata,
  rotation_days: z.int().nullable(),
  isolation: z.enum(['shared', 'dedicated']),
  created_at: z.string(),
  created_by: z.string(),
  last_rotated: z.string().nullable(),
  last_rotated_by: z.string().nullable(),
  deleted_at: z.string().nullable(),
  purge_at: z.string().nullable(),
  current: versionRecord,
  /** The highest number that a version ever had. */
  latest: z.int(),
  /** The version before, while `keep_previous_for` lasts. */
  previous: z.strictObject({ version: z.int(), until: z.string() }).nullable(),
  /** Stored and not live. */
  pending: z
    .strictObject({
      version: z.int(),
      staged_at: z.string(),
      staged_by: z.string(),
      fingerprint: z.string(),
      keep_previous_for: z.string().nullable(),
    })
    .nullable(),
  /** Versions that are kept and never were current. */
  abandoned: z.array(z.int()),
  /** When to look for versions that may be pruned. */
  prune_at: z.string().nullable(),
  rotator: rotatorConfig.nullable().default(null),
  rotation: rotation.nullable().default(null),
  reminder: reminderRecord.default(nothingKnown),
  /** The data key that the head is authenticated under. */
  data_key: z.string(),
});
export type SecretRecord = Readonly<z.infer<typeof secretRecord>>;

/** Reads a head's record. Not proof of anything: see {@link verifyHead}. @throws SecretsError `decryption_failed` */
export function readRecord(stored: Pick<StoredSecret, 'record'>): SecretRecord {
  return parseStored(secretRecord, stored.record);
}

/** A head as the store keeps it, authenticated under a data key. */
export function toStoredSecret(
  org: OrganizationId,
  at: Coordinates,
  record: Omit<SecretRecord, 'data_key'>,
  sealed: Buffer,
  key: DataKey,
): Omit<StoredSecret, 'last_accessed_at'> {
  const bytes = Buffer.from(JSON.stringify({ ...record, data_key: key.id } satisfies SecretRecord));
  return {
    at,
    revision: record.revision,
    record: bytes,
    mac: authenticate(key.recordKey, headContext(org, at, bytes)),
    sealed,
    next_rotation_at: record.deleted_at === null ? nextRotationAt(record) : null,
    deleted_at: record.deleted_at,
    purge_at: record.purge_at,
  };
}

/** Checks that a head is as it was written, at these coordinates. @throws SecretsError `decryption_failed` */
export function verifyHead(org: OrganizationId, stored: StoredSecret, key: DataKey): void {
  assertAuthentic(key.recordKey, headContext(org, stored.at, stored.record), stored.mac);
}

function headContext(org: OrganizationId, at: Coordinates, record: Uint8Array): Buffer {
  return lengthPrefixed(['flowmason/head/v1', org, coordinatesKey(at), record]);
}

/** A secret in the words of the API. Its fingerprint is for those who may write it, and could test a guess. */
export function toMetadata(
  caller: Caller,
  at: Coordinates,
  record: Omit<SecretRecord, 'data_key'>,
  lastAccessedAt: string | null,
): SecretMetadata {
  const reminder = record.deleted_at === null ? describeReminder(record) : undefined;
  return {
    name: at.name,
    ...describeCoordinates(at),
    description: record.description,
    metadata: record.metadata,
    version: record.current.version,
    fingerprint: allows(caller, 'compare', at) ? record.current.fingerprint : null,
    created_at: record.created_at,
    created_by: record.created_by,
    last_rotated: record.last_rotated,
    last_rotated_by: record.last_rotated_by,
    rotation_days: record.rotation_days,
    next_rotation_at: record.deleted_at === null ? nextRotationAt(record) : null,
    last_accessed_at: lastAccessedAt,
    deleted_at: record.deleted_at,
    state: stateOf(record),
    previous: record.previous,
    pending: describePending(record.pending),
    rotator: record.rotator,
    rotation: record.rotation,
    ...(reminder === undefined ? {} : { reminder }),
  };
}

function describePending(pending: SecretRecord['pending']): SecretMetadata['pending'] {
  if (pending === null) return null;
  const { version, staged_at, staged_by } = pending;
  return { version, staged_at, staged_by };
}
