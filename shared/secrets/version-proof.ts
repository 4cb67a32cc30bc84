import { hash, timingSafeEqual } from 'node:crypto';
import { type Coordinates, coordinatesKey } from '../contract/coordinates.ts';
import type { OrganizationId } from '../contract/ids.ts';
import { lengthPrefixed } from '../envelope/bytes.ts';
import { decryptionFailed } from '../envelope/envelope.ts';
import type { KeyService } from '../envelope/key-service.ts';
import type { StoredVersion } from './secret-store.ts';
import { readVersionRow, type VersionRecord } from './version-record.ts';

type Keys = Pick<KeyService, 'mac'>;

/** A version as the store keeps it, with the proof that it was written here. @throws SecretsError `unavailable` */
export async function toStoredVersion(
  keys: Keys,
  org: OrganizationId,
  at: Coordinates,
  version: VersionRecord,
  sealed: Buffer,
): Promise<StoredVersion> {
  const proof = await proofOf(keys, org, at, version, sealed);
  const record = Buffer.from(JSON.stringify({ ...version, proof: proof.toString('hex') }));
  return { version: version.version, record, sealed };
}

/**
 * A stored version's record, proven for who may write and may not open: a roll back and an activation make current
 * what they cannot look into, so who can write the store must not be able to make up a row for them.
 * @throws SecretsError `decryption_failed` for any row but one that was written here at this number; `unavailable`
 */
export async function provenVersion(
  keys: Keys,
  org: OrganizationId,
  at: Coordinates,
  stored: StoredVersion,
): Promise<VersionRecord> {
  const { record, proof } = readVersionRow(stored);
  const expected = await proofOf(keys, org, at, record, stored.sealed);
  const [given, wanted] = [Buffer.from(proof), Buffer.from(expected.toString('hex'))];
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw decryptionFailed();
  return record;
}

function proofOf(
  keys: Keys,
  org: OrganizationId,
  at: Coordinates,
  version: VersionRecord,
  sealed: Buffer,
): Promise<Buffer> {
  const { restores, ...own } = version;
  const fields = lengthPrefixed([fieldsOf(own), restores === null ? '' : fieldsOf({ ...restores })]);
  const digests = [hash('sha256', fields, 'buffer'), hash('sha256', sealed, 'buffer')];
  return keys.mac('version', lengthPrefixed([org, coordinatesKey(at), ...digests]));
}

function fieldsOf(version: Omit<VersionRecord, 'restores'>): Buffer {
  const { version: number, data_key, encoding, fingerprint, created_at, created_by, reason } = version;
  return lengthPrefixed([String(number), data_key, encoding, fingerprint, created_at, created_by, reason]);
}
