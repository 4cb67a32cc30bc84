import type { Trail } from '../audit/outbox.ts';
import type { AccessNote } from '../audit/record-audit.ts';
import { type Coordinates, coordinatesKey } from '../contract/coordinates.ts';
import type { OrganizationId, SecretName } from '../contract/ids.ts';
import type { Page } from '../contract/page.ts';

/** One immutable version as the store keeps it: `record` says what it is, `sealed` holds the value. */
export interface StoredVersion {
  readonly version: number;
  readonly record: Buffer;
  readonly sealed: Buffer;
}

/**
 * A secret's head as the store keeps it. `record` and `mac` are opaque to the store; `sealed` is the current
 * version's, so that a resolve reads one row per secret. The other fields are what the store may look things
 * up by: nothing that opens a secret trusts them.
 */
export interface StoredSecret {
  readonly at: Coordinates;
  readonly revision: number;
  readonly record: Buffer;
  readonly mac: Buffer;
  readonly sealed: Buffer;
  readonly next_rotation_at: string | null;
  readonly deleted_at: string | null;
  readonly purge_at: string | null;
  /** Noted by the audit, after the fact, outside of the revision. */
  readonly last_accessed_at: string | null;
}

/** A change of one secret, with its trail in the same transaction. */
export interface SecretChange {
  readonly org: OrganizationId;
  readonly secret: Omit<StoredSecret, 'last_accessed_at'>;
  /** The version that the change adds, if it adds one. */
  readonly added: StoredVersion | null;
  /** A version that stands already and is sealed under another data key from now on. */
  readonly resealed?: StoredVersion;
  /** The numbers of versions that go for good with it, at most {@link REMOVED_AT_ONCE}. */
  readonly removed?: readonly number[];
  /** When {@link SecretStore.tendable} shall name the secret from now on; null for never, absent for as it was. */
  readonly tend_at?: string | null;
  /** The revision that it was made from; 0 when there must be no such secret yet. */
  readonly expected_revision: number;
  readonly trail: Trail;
}

/** A version has up to 130 KiB, and a transaction of DynamoDB 100 items and 4 MiB. */
export const REMOVED_AT_ONCE = 25;

/** How many versions to read, and below which. */
export interface VersionRange {
  readonly limit: number;
  readonly below: number | undefined;
}

/** Until when secrets must be due, and behind which position: see {@link duePosition}. */
export interface DueRange {
  readonly until: string;
  readonly after: string | undefined;
  readonly limit: number;
}

/** Where a secret stands among those that are due: by time, then by key. */
export function duePosition(nextRotationAt: string, at: Coordinates): string {
  return `${nextRotationAt} ${coordinatesKey(at)}`;
}

/** Where secrets are kept. Every method is one request of the store, and no read is a scan. */
export interface SecretStore {
  /**
   * Writes a change, all of it or nothing.
   * @returns false when the stored revision is not the expected one: nothing was written
   * @throws SecretsError `idempotency_conflict`, `unavailable`
   */
  save(change: SecretChange): Promise<boolean>;

  /**
   * Removes a secret and its versions for good.
   * @returns false when the stored revision is not the expected one: nothing was removed
   * @throws SecretsError `idempotency_conflict`, `unavailable`
   */
  remove(org: OrganizationId, at: Coordinates, expectedRevision: number, trail: Trail): Promise<boolean>;

  /** Those of the secrets that exist, deleted or not, in any order. */
  findMany(org: OrganizationId, at: readonly Coordinates[]): Promise<readonly StoredSecret[]>;

  /** The secrets of a name at all their coordinates, deleted or not. */
  findByName(org: OrganizationId, name: SecretName): Promise<readonly StoredSecret[]>;

  /** Secrets in order of their coordinates' keys, from after a key on, deleted or not. */
  list(
    org: OrganizationId,
    range: { readonly prefix: string; readonly after: string | undefined; readonly limit: number },
  ): Promise<Page<StoredSecret>>;

  /** A secret's versions, newest first; `next` is the number to go on below. */
  versions(org: OrganizationId, at: Coordinates, range: VersionRange): Promise<Page<StoredVersion>>;

  /** Those of the versions that exist, in any order. */
  findVersions(
    org: OrganizationId,
    wanted: readonly { readonly at: Coordinates; readonly version: number }[],
  ): Promise<readonly (StoredVersion & { readonly at: Coordinates })[]>;

  /** Deleted secrets whose time to be restored is over, of every organization. */
  purgeable(
    now: string,
    limit: number,
  ): Promise<
    readonly { readonly org: OrganizationId; readonly at: Coordinates; readonly revision: number }[]
  >;

  /**
   * Live secrets that are due at a moment or before, those first that are due the longest. An index finds them,
   * which may be a moment behind what was written.
   */
  due(org: OrganizationId, range: DueRange): Promise<Page<StoredSecret>>;

  /** Secrets whose time has come that something is done about them, of every organization, the earliest first. */
  tendable(
    now: string,
    limit: number,
  ): Promise<readonly { readonly org: OrganizationId; readonly at: Coordinates }[]>;

  noteAccesses(org: OrganizationId, notes: readonly AccessNote[]): Promise<void>;
}
