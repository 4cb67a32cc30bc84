import { hash } from 'node:crypto';
import * as z from 'zod';
import type { Caller } from '../access/caller.ts';
import { allows } from '../access/roles.ts';
import { type Coordinates, coordinatesKey, describeCoordinates } from '../contract/coordinates.ts';
import type { OrganizationId } from '../contract/ids.ts';
import { type SecretMetadata, secretMetadata } from '../contract/secrets.ts';
import type { Encoding } from '../contract/value.ts';
import { lengthPrefixed } from '../envelope/bytes.ts';
import type { DataKey } from '../envelope/data-key-loan.ts';
import {
  assertAuthentic,
  authenticate,
  decryptionFailed,
  open,
  SEAL_OVERHEAD,
  seal,
} from '../envelope/envelope.ts';
import { describeReminder, nextRotationAt, nothingKnown, reminderRecord } from './due.ts';
import type { StoredSecret, StoredVersion } from './secret-store.ts';

/** What a version is, beside its value. All of it is bound into the envelope. */
export interface VersionRecord {
  readonly version: number;
  readonly data_key: string;
  readonly encoding: Encoding;
  /** Tells whether two values are the same, see {@link fingerprint}. */
  readonly fingerprint: string;
  readonly created_at: string;
  readonly created_by: string;
  readonly reason: string;
  /** Set by a roll back: the version whose value this one brings back, carried along sealed as it was. */
  readonly restores: VersionRecord | null;
}

const sealedFields = {
  version: z.int(),
  data_key: z.string(),
  encoding: z.enum(['utf8', 'base64']),
  fingerprint: z.string(),
  created_at: z.string(),
  created_by: z.string(),
  reason: z.string(),
};
const versionRecord: z.ZodType<VersionRecord> = z.strictObject({
  ...sealedFields,
  // What is brought back is never itself a roll back, see valueEnvelope.
  restores: z.strictObject({ ...sealedFields, restores: z.null() }).nullable(),
});

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
  /** The version before, while `keep_previous_for` lasts. */
  previous: z.strictObject({ version: z.int(), until: z.string() }).nullable(),
  reminder: reminderRecord.default(nothingKnown),
  /** The data key that the head is authenticated under. */
  data_key: z.string(),
});
export type SecretRecord = Readonly<z.infer<typeof secretRecord>>;

/** Reads a head's record. Not proof of anything: see {@link verifyHead}. @throws SecretsError `decryption_failed` */
export function readRecord(stored: Pick<StoredSecret, 'record'>): SecretRecord {
  return parseRecord(secretRecord, stored.record);
}

/**
 * Reads a version's record. Its envelope proves it when it is opened, but not that it stands at its own number.
 * @throws SecretsError `decryption_failed`
 */
export function readVersion(stored: Pick<StoredVersion, 'version' | 'record'>): VersionRecord {
  const record = parseRecord(versionRecord, stored.record);
  if (record.version !== stored.version) throw decryptionFailed();
  return record;
}

function parseRecord<T>(schema: z.ZodType<T>, bytes: Buffer): T {
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    throw decryptionFailed();
  }
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

/** Everything about a version that must be the same when it is opened. */
function versionContext(
  org: OrganizationId,
  at: Coordinates,
  version: VersionRecord,
  restored: Uint8Array,
): Buffer {
  const { data_key, encoding, fingerprint, created_at, created_by, reason, restores } = version;
  return lengthPrefixed([
    'flowmason/version/v1',
    org,
    coordinatesKey(at),
    String(version.version),
    data_key,
    encoding,
    fingerprint,
    created_at,
    created_by,
    reason,
    restores === null ? '' : String(restores.version),
    restores === null ? '' : hash('sha256', restored, 'buffer'),
  ]);
}

const NOTHING = Buffer.alloc(0);

/** Seals a value as a version. */
export function sealVersion(
  org: OrganizationId,
  at: Coordinates,
  version: VersionRecord,
  value: Uint8Array,
  key: DataKey,
): Buffer {
  return seal(key.secret, versionContext(org, at, version, NOTHING), value);
}

/**
 * Seals a version that brings an old one back without opening it, since who writes may not open: an envelope
 * of nothing whose context holds the old envelope's hash, followed by that envelope.
 */
export function sealRestoringVersion(
  org: OrganizationId,
  at: Coordinates,
  version: VersionRecord,
  restored: Buffer,
  key: DataKey,
): Buffer {
  return Buffer.concat([seal(key.secret, versionContext(org, at, version, restored), NOTHING), restored]);
}

/**
 * Opens a version's value. The caller zeroes it.
 * @param keyOf the data key of an id
 * @throws SecretsError `decryption_failed`
 */
export function openVersion(
  org: OrganizationId,
  at: Coordinates,
  version: VersionRecord,
  sealed: Buffer,
  keyOf: (id: string) => DataKey,
): Buffer {
  const { secret } = keyOf(version.data_key);
  if (version.restores === null) return open(secret, versionContext(org, at, version, NOTHING), sealed);
  const restored = sealed.subarray(SEAL_OVERHEAD);
  open(secret, versionContext(org, at, version, restored), sealed.subarray(0, SEAL_OVERHEAD));
  return open(
    keyOf(version.restores.data_key).secret,
    versionContext(org, at, version.restores, NOTHING),
    restored,
  );
}

/** The envelope that holds a version's value: its own, or the one it carries along. */
export function valueEnvelope(
  version: VersionRecord,
  sealed: Buffer,
): { version: VersionRecord; sealed: Buffer } {
  if (version.restores === null) return { version, sealed };
  return { version: version.restores, sealed: sealed.subarray(SEAL_OVERHEAD) };
}

/** How many bytes a version's value has, told without opening it. */
export function valueSize(version: VersionRecord, sealed: Buffer): number {
  return valueEnvelope(version, sealed).sealed.length - SEAL_OVERHEAD;
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
    ...(reminder === undefined ? {} : { reminder }),
  };
}
