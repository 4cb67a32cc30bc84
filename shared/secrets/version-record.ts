import { hash } from 'node:crypto';
import * as z from 'zod';
import { type Coordinates, coordinatesKey } from '../contract/coordinates.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { Encoding } from '../contract/value.ts';
import { lengthPrefixed } from '../envelope/bytes.ts';
import type { DataKey } from '../envelope/data-key-loan.ts';
import { decryptionFailed, open, SEAL_OVERHEAD, seal } from '../envelope/envelope.ts';
import type { StoredVersion } from './secret-store.ts';

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
const versionFields = {
  ...sealedFields,
  // What is brought back is never itself a roll back, see valueEnvelope.
  restores: z.strictObject({ ...sealedFields, restores: z.null() }).nullable(),
};
export const versionRecord: z.ZodType<VersionRecord> = z.strictObject(versionFields);
const versionRow = z.strictObject({ ...versionFields, proof: z.string() });

/**
 * Reads a version's record. Its envelope proves it when it is opened, but not that it stands at its own number.
 * @throws SecretsError `decryption_failed`
 */
export function readVersion(stored: Pick<StoredVersion, 'version' | 'record'>): VersionRecord {
  return readVersionRow(stored).record;
}

/** A version's record, and what proves to who cannot open it that it is one: see {@link proveVersion}. */
export function readVersionRow(stored: Pick<StoredVersion, 'version' | 'record'>): {
  readonly record: VersionRecord;
  readonly proof: string;
} {
  const { proof, ...record } = parseStored(versionRow, stored.record);
  if (record.version !== stored.version) throw decryptionFailed();
  return { record, proof };
}

/** Reads JSON that the store holds. @throws SecretsError `decryption_failed` */
export function parseStored<T>(schema: z.ZodType<T>, bytes: Buffer): T {
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    throw decryptionFailed();
  }
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
