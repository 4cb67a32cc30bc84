import type { Trail } from '../audit/outbox.ts';
import type { AccessNote } from '../audit/record-audit.ts';
import { type Coordinates, coordinatesFromKey } from '../contract/coordinates.ts';
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
import { asBuffer, type Expression, type Item, isNew, setAll, type Write } from './expressions.ts';
import { removeSecret } from './remove-secret.ts';
import type { Table } from './table.ts';
import {
  type Key,
  listings,
  secretKey,
  secretsPartition,
  tendingKey,
  versionKey,
  versionSort,
  versionsPartition,
} from './table-layout.ts';
import { carriedOutMeanwhile, trailWrites } from './trail.ts';

type Absent = 'next_rotation_at' | 'deleted_at' | 'purge_at' | 'last_accessed_at';

/** A head; what is null is absent. */
interface SecretItem extends Key, Omit<StoredSecret, Absent | 'at'>, Partial<Pick<StoredSecret, Absent>> {}

interface VersionItem extends Key, Omit<StoredVersion, 'version'> {}

/** Sorts before and behind every character that a secret's key may hold. */
const FIRST = ' ';
const LAST = '\u{7f}';

const NOT_BEING_REMOVED: Expression = { text: 'attribute_not_exists(#removing)', names: ['removing'] };

/** Secrets in DynamoDB. */
export class DynamoSecretStore implements SecretStore {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async save(change: SecretChange): Promise<boolean> {
    const { org, secret, added, resealed, removed = [], tend_at, expected_revision, trail } = change;
    const { at, ...head } = secret;
    // An update and not a put: the note of the last access stays.
    const writes: Write[] = [
      {
        update: secretKey(org, at),
        change: setAll({ ...head, ...listingOf(org, secret) }),
        when: expected_revision === 0 ? isNew : atRevision(expected_revision),
      },
      ...trailWrites(trail),
    ];
    // Without a condition: a version is written only with the head of its secret.
    for (const one of [added, resealed ?? null]) {
      if (one === null) continue;
      const { version, record, sealed } = one;
      writes.push({ put: { ...versionKey(org, at, version), record, sealed } });
    }
    for (const version of removed) writes.push({ remove: versionKey(org, at, version) });
    if (tend_at !== undefined) writes.push(tendAt(tendingKey(org, at), tend_at));
    const refused = await this.#table.transact(writes);
    if (refused !== null && refused > 0) throw carriedOutMeanwhile();
    return refused === null;
  }

  remove(org: OrganizationId, at: Coordinates, expectedRevision: number, trail: Trail): Promise<boolean> {
    return removeSecret(this.#table, org, at, expectedRevision, trail);
  }

  async findMany(org: OrganizationId, at: readonly Coordinates[]): Promise<readonly StoredSecret[]> {
    const keys = at.map((one) => secretKey(org, one));
    const items = await this.#table.getMany<SecretItem & { removing?: true }>(keys);
    return items.filter(({ removing }) => removing === undefined).map(toStoredSecret);
  }

  async findByName(org: OrganizationId, name: SecretName): Promise<readonly StoredSecret[]> {
    const range = { from: `${name}#`, to: `${name}#${LAST}` };
    return this.#heads(org, range, Number.MAX_SAFE_INTEGER);
  }

  async list(
    org: OrganizationId,
    { prefix, after, limit }: { prefix: string; after: string | undefined; limit: number },
  ): Promise<Page<StoredSecret>> {
    const from = after === undefined || after < prefix ? prefix || FIRST : `${after}${FIRST}`;
    const items = await this.#heads(org, { from, to: `${prefix}${LAST}` }, limit);
    const last = items.at(-1);
    if (items.length < limit || last === undefined) return { items };
    return { items, next: secretKey(org, last.at).sk };
  }

  async versions(
    org: OrganizationId,
    at: Coordinates,
    { limit, below = Number.MAX_SAFE_INTEGER }: VersionRange,
  ): Promise<Page<StoredVersion>> {
    const range = { from: versionSort(0), to: versionSort(below - 1) };
    const options = { limit: limit + 1, descending: true };
    const found = await this.#table.query<VersionItem>(versionsPartition(org, at), range, options);
    const items = found.slice(0, limit).map(toStoredVersion);
    const last = items.at(-1);
    return found.length > limit && last !== undefined ? { items, next: String(last.version) } : { items };
  }

  async findVersions(
    org: OrganizationId,
    wanted: readonly { readonly at: Coordinates; readonly version: number }[],
  ) {
    const places = new Map(wanted.map(({ at }) => [versionsPartition(org, at), at]));
    const items = await this.#table.getMany<VersionItem>(
      wanted.map(({ at, version }) => versionKey(org, at, version)),
    );
    return items.flatMap((item) => {
      const at = places.get(item.pk);
      return at === undefined ? [] : [{ at, ...toStoredVersion(item) }];
    });
  }

  async purgeable(now: string, limit: number) {
    const options = { limit, inIndex: true };
    const items = await this.#table.query<Key & { revision: number }>(
      listings.purge,
      { from: FIRST, to: now },
      options,
    );
    return items.map(({ pk, sk, revision }) => ({
      org: organizationOf(pk),
      at: coordinatesFromKey(sk),
      revision,
    }));
  }

  async due(org: OrganizationId, { until, after, limit }: DueRange): Promise<Page<StoredSecret>> {
    const range = { from: after === undefined ? FIRST : `${after}${FIRST}`, to: `${until}${LAST}` };
    const options = { limit: limit + 1, inIndex: true };
    const listed = await this.#table.query<Key & { listing_at: string }>(listings.due(org), range, options);
    const page = listed.slice(0, limit);
    const heads = await this.findMany(
      org,
      page.map(({ sk }) => coordinatesFromKey(sk)),
    );
    // The index may be a moment behind: what was rotated or deleted since is left out.
    const positions = new Map(heads.map((head) => [duePosition(head.next_rotation_at ?? '', head.at), head]));
    const items = page.flatMap(({ listing_at }) => positions.get(listing_at) ?? []);
    const last = page.at(-1);
    return listed.length > limit && last !== undefined ? { items, next: last.listing_at } : { items };
  }

  async tendable(now: string, limit: number) {
    const options = { limit, inIndex: true };
    const range = { from: FIRST, to: now };
    const items = await this.#table.query<Key>(listings.tending, range, options);
    return items.map(({ pk, sk }) => ({ org: organizationOf(pk), at: coordinatesFromKey(sk) }));
  }

  async noteAccesses(org: OrganizationId, notes: readonly AccessNote[]): Promise<void> {
    const noted = notes.map(({ secret, at }) => {
      const { name, scope, environment, owner } = secret;
      const key = { pk: secretsPartition(org), sk: `${name}#${scope}#${environment ?? ''}#${owner ?? ''}` };
      const when = {
        text: 'attribute_exists(#pk) AND (attribute_not_exists(#last_accessed_at) OR #last_accessed_at < :last_accessed_at)',
        names: ['pk', 'last_accessed_at'],
      };
      return this.#table.update(key, setAll({ last_accessed_at: at }), when);
    });
    await Promise.all(noted);
  }

  async #heads(
    org: OrganizationId,
    range: { from: string; to: string },
    limit: number,
  ): Promise<StoredSecret[]> {
    const options = { limit, when: NOT_BEING_REMOVED };
    const items = await this.#table.query<SecretItem>(secretsPartition(org), range, options);
    return items.map(toStoredSecret);
  }
}

function tendAt(key: Key, at: string | null): Write {
  return at === null ? { remove: key } : { put: tendingItem(key, at) };
}

/** That something is to be done about a secret at a moment. */
export function tendingItem(key: Key, at: string): Item {
  return { ...key, listing: listings.tending, listing_at: at };
}

/** That a secret stands at a revision and is not being removed. */
function atRevision(revision: number): Expression {
  return {
    text: '#revision = :expected AND attribute_not_exists(#removing)',
    names: ['revision', 'removing'],
    values: { expected: revision },
  };
}

/** Where a head is listed: a deleted one until it is purged, a live one until it is due. */
export function listingOf(
  org: OrganizationId,
  { at, purge_at, next_rotation_at }: Pick<StoredSecret, 'at' | 'purge_at' | 'next_rotation_at'>,
) {
  if (purge_at !== null) return { listing: listings.purge, listing_at: purge_at };
  if (next_rotation_at !== null)
    return { listing: listings.due(org), listing_at: duePosition(next_rotation_at, at) };
  return { listing: null, listing_at: null };
}

function organizationOf(partition: string): OrganizationId {
  return partition.split('#')[1] as OrganizationId;
}

function toStoredSecret(item: SecretItem): StoredSecret {
  return {
    at: coordinatesFromKey(item.sk),
    revision: item.revision,
    record: asBuffer(item.record),
    mac: asBuffer(item.mac),
    sealed: asBuffer(item.sealed),
    next_rotation_at: item.next_rotation_at ?? null,
    deleted_at: item.deleted_at ?? null,
    purge_at: item.purge_at ?? null,
    last_accessed_at: item.last_accessed_at ?? null,
  };
}

function toStoredVersion({ sk, record, sealed }: VersionItem): StoredVersion {
  return { version: Number(sk), record: asBuffer(record), sealed: asBuffer(sealed) };
}
