import { crc32 } from 'node:zlib';
import { type Coordinates, coordinatesKey } from '../contract/coordinates.ts';
import type { ApiKeyId, OrganizationId, RunId } from '../contract/ids.ts';

/**
 * The one table: what its keys are called, and how each kind of item is found. docs/data-model-aws.md explains
 * it. The stack that makes the table and the tests read it here.
 */
export const tableLayout = {
  partitionKey: 'pk',
  sortKey: 'sk',
  /** Seconds since 1970, after which DynamoDB may delete the item. */
  timeToLive: 'expires',
  /** Sparse: only items with these attributes are in it. */
  index: {
    name: 'listing',
    partitionKey: 'listing',
    sortKey: 'listing_at',
    attributes: [
      'revision',
      'api_key',
      'last_used_at',
      'revoked_at',
      'created_at',
      'record_reads',
      'rotation_policies',
      'audit_retention_days',
      'settings_signature',
    ],
  },
} as const;

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

// No organization holds a `#`, so what follows it in a key cannot be taken for another organization's.

export function organizationKey(org: OrganizationId): Key {
  return { pk: `org#${org}`, sk: 'organization' };
}

/** Secrets' heads, sorted by {@link coordinatesKey}. */
export function secretsPartition(org: OrganizationId): string {
  return `org#${org}#secrets`;
}

export function secretKey(org: OrganizationId, at: Coordinates): Key {
  return { pk: secretsPartition(org), sk: coordinatesKey(at) };
}

/** Says when something is to be done about a secret. Beside the head, which is listed by when it is due. */
export function tendingKey(org: OrganizationId, at: Coordinates): Key {
  return { pk: `org#${org}#tending`, sk: coordinatesKey(at) };
}

/** A secret's versions, sorted by number. */
export function versionsPartition(org: OrganizationId, at: Coordinates): string {
  return `org#${org}#versions#${coordinatesKey(at)}`;
}

export function versionKey(org: OrganizationId, at: Coordinates, version: number): Key {
  return { pk: versionsPartition(org, at), sk: versionSort(version) };
}

export function versionSort(version: number): string {
  return String(version).padStart(16, '0');
}

export function dataKeyKey(org: OrganizationId, id: string): Key {
  return { pk: `org#${org}#data-keys`, sk: id };
}

/** Found before it is known whose it is. */
export function apiKeyKey(id: ApiKeyId): Key {
  return { pk: `api-key#${id}`, sk: 'api-key' };
}

/** A partition of its own for each: an organization may begin more runs in a second than one partition writes. */
export function runKey(org: OrganizationId, id: RunId): Key {
  return { pk: `org#${org}#run#${id}`, sk: 'run' };
}

export function replayKey(caller: string, key: string): Key {
  return { pk: `replay#${caller}`, sk: key };
}

const OUTBOX_SHARDS = 16;

/** Every resolve writes here, so it is spread; within a shard events are sorted by time. */
export function outboxKey(eventId: string, timestamp: string): Key {
  return { pk: outboxPartition(crc32(eventId) % OUTBOX_SHARDS), sk: `${timestamp}#${eventId}` };
}

function outboxPartition(shard: number): string {
  return `outbox#${String(shard).padStart(2, '0')}`;
}

export const outboxPartitions: readonly string[] = Array.from({ length: OUTBOX_SHARDS }, (_, shard) =>
  outboxPartition(shard),
);

/** The chain's records, sorted by sequence, and its head. */
export function chainPartition(org: OrganizationId): string {
  return `org#${org}#audit`;
}

export function chainHeadKey(org: OrganizationId): Key {
  return { pk: chainPartition(org), sk: 'head' };
}

export function recordKey(org: OrganizationId, sequence: number): Key {
  return { pk: chainPartition(org), sk: sequenceSort(sequence) };
}

/** Says that an event is in the chain. */
export function recordedKey(org: OrganizationId, eventId: string): Key {
  return { pk: `org#${org}#recorded#${eventId}`, sk: 'recorded' };
}

/** That a digest has claimed an announcement. */
export function announcementKey(org: OrganizationId, id: string): Key {
  return { pk: `org#${org}#announced#${id}`, sk: 'announced' };
}

export function digestKey(org: OrganizationId, id: string): Key {
  return { pk: `org#${org}#digest#${id}`, sk: 'digest' };
}

export function recipientKey(org: OrganizationId, id: string): Key {
  return { pk: recipientsPartition(org), sk: id };
}

export function recipientsPartition(org: OrganizationId): string {
  return `org#${org}#recipients`;
}

/** Found before it is known whose it is. */
export function calendarKey(tokenHash: string): Key {
  return { pk: `calendar#${tokenHash}`, sk: 'calendar' };
}

export function progressKey(org: OrganizationId): Key {
  return { pk: `org#${org}`, sk: 'reminders' };
}

/** The index blocks of a facet, sorted by {@link blockSort}. The value comes last: it may hold any character. */
export function blocksPartition(org: OrganizationId, [facet, value]: readonly [string, string]): string {
  return `org#${org}#index#${facet}#${value}`;
}

export function blockSort(block: {
  readonly last_timestamp: string;
  readonly first_sequence: number;
}): string {
  return `${block.last_timestamp}#${sequenceSort(block.first_sequence)}`;
}

/** As many digits as the largest safe integer has. */
export function sequenceSort(sequence: number): string {
  return String(sequence).padStart(16, '0');
}

/** What an item is listed under in the index. */
export const listings = {
  /** Deleted secrets of every organization, by the time that they may be purged. */
  purge: 'purge',
  /** What is to be done about secrets of every organization, by its time. */
  tending: 'tending',
  /** Secrets of an organization, by the time that they become due. */
  due: (org: OrganizationId) => `due#${org}`,
  /** Digests of every organization that are not done with, by when they may be taken up. */
  digests: 'digests',
  organizations: 'organizations',
  apiKeys: (org: OrganizationId) => `api-keys#${org}`,
} as const;

const DAY_SECONDS = 24 * 60 * 60;

/** A `timeToLive`: so many days after a moment. */
export function daysAfter(timestamp: string, days: number): number {
  return Math.ceil(Date.parse(timestamp) / 1000) + days * DAY_SECONDS;
}
