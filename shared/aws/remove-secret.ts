import type { Trail } from '../audit/outbox.ts';
import type { Coordinates } from '../contract/coordinates.ts';
import type { OrganizationId } from '../contract/ids.ts';
import { setAll } from './expressions.ts';
import type { Table } from './table.ts';
import { type Key, listings, secretKey, tendingKey, versionSort, versionsPartition } from './table-layout.ts';
import { carriedOutMeanwhile, trailWrites } from './trail.ts';

/** A version has up to 130 KiB and a transaction at most 4 MiB. */
const VERSIONS_AT_ONCE = 20;

/**
 * Removes a secret and its versions: at once when they are few. When they are more than a transaction takes, the
 * head is marked first, with the trail: from then on nobody finds it, and nobody writes it. Its versions go
 * next, and the head last. A crash in between leaves a marked head that the next purge finds and finishes.
 * @returns false when the stored revision is not the expected one: nothing was removed
 * @throws SecretsError `idempotency_conflict`, `unavailable`
 */
export async function removeSecret(
  table: Table,
  org: OrganizationId,
  at: Coordinates,
  expectedRevision: number,
  trail: Trail,
): Promise<boolean> {
  const head = secretKey(org, at);
  const range = { from: versionSort(0), to: versionSort(Number.MAX_SAFE_INTEGER) };
  const options = { limit: Number.MAX_SAFE_INTEGER, attributes: ['pk', 'sk'] };
  const versions = await table.query<Key>(versionsPartition(org, at), range, options);
  const when = { text: '#revision = :expected', names: ['revision'], values: { expected: expectedRevision } };
  const few = versions.length <= VERSIONS_AT_ONCE;
  const { purge: listing } = listings;
  const mark = setAll({ removing: true, listing, listing_at: trail.event.timestamp });
  // Who adds a version meanwhile moves the head's revision on, so none is left behind.
  const refused = await table.transact([
    few ? { remove: head, when } : { update: head, change: mark, when },
    ...trailWrites(trail),
    { remove: tendingKey(org, at) },
    ...(few ? versions.map((remove) => ({ remove })) : []),
  ]);
  if (refused !== null && refused > 0) throw carriedOutMeanwhile();
  if (refused === null && !few) await removeMarked(table, head, versions);
  return refused === null;
}

/** It is removed already for whoever asks, so a failure from here on is the next purge's to mend. */
async function removeMarked(table: Table, head: Key, versions: readonly Key[]): Promise<void> {
  try {
    await table.removeMany(versions);
    await table.removeMany([head]);
  } catch {
    // The mark lists it as purgeable.
  }
}
