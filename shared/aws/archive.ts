import type { AuditEvent } from '../audit/event.ts';
import { type ArchiveRow, type ArchiveTarget, type RowOf, tendingOf } from '../backup/archive.ts';
import { coordinatesFromKey } from '../contract/coordinates.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { Digest, Recipient } from '../reminders/reminder-store.ts';
import { apiKeyItem, organizationItem, runItem } from './caller-store.ts';
import { documentClient } from './clients.ts';
import { type Item, withoutNulls } from './expressions.ts';
import { announcementExpires, digestItem, recipientItems } from './reminder-store.ts';
import { listingOf, tendingItem } from './secret-store.ts';
import { Table } from './table.ts';
import {
  announcementKey,
  dataKeyKey,
  listings,
  progressKey,
  secretKey,
  tendingKey,
  versionKey,
} from './table-layout.ts';
import { outboxItem } from './trail.ts';

/** The table as a restore fills it. AWS's own backups are of the table; a file of rows is made by the embedded host. */
export class DynamoArchive implements ArchiveTarget {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async isUsed(): Promise<boolean> {
    const range = { from: '-', to: '~' };
    return (await this.#table.query(listings.organizations, range, { limit: 1, inIndex: true })).length > 0;
  }

  async load(rows: readonly ArchiveRow[]): Promise<void> {
    const items = rows.flatMap(itemsOf);
    // One request must not name an item twice.
    await this.#table.putMany([...new Map(items.map((item) => [`${item.pk} ${item.sk}`, item])).values()]);
  }
}

/** The archive of the table that the settings of a function name. */
export function openArchive(env: Readonly<Record<string, string | undefined>>): DynamoArchive {
  return new DynamoArchive(new Table(documentClient(), env['FM_TABLE'] ?? ''));
}

/** What a row is in the table. */
function itemsOf(row: ArchiveRow): Item[] {
  switch (row.kind) {
    case 'data_key': {
      const { org, id, environment, wrapped, recovery, created_at } = row;
      const second = recovery === null ? null : decode(recovery);
      const key = dataKeyKey(org as OrganizationId, id);
      return [withoutNulls({ ...key, environment, wrapped: decode(wrapped), recovery: second, created_at })];
    }
    case 'secret':
      return secretItems(row);
    case 'version': {
      const { org, key, version, record, sealed } = row;
      const at = coordinatesFromKey(key);
      return [
        { ...versionKey(org as OrganizationId, at, version), record: decode(record), sealed: decode(sealed) },
      ];
    }
    case 'audit_event':
      return [outboxItem(JSON.parse(row.event) as AuditEvent)];
    case 'reminder':
      return reminderItems(row);
    case 'run': {
      const { ended_at, ...run } = row.record;
      return [withoutNulls({ ...runItem({ ...run, ended_at: null }), ended_at })];
    }
    case 'api_key': {
      const { last_used_at, revoked_at, ...key } = row.record;
      return [withoutNulls({ ...apiKeyItem(key), last_used_at, revoked_at })];
    }
    case 'organization':
      return [organizationItem(row.record)];
    case 'checkpoint':
    case 'expired':
    case 'audit_record':
      throw new TypeError('the audit log is appended to, not loaded');
  }
}

function secretItems({ kind: _, org: id, key, record, mac, sealed, ...head }: RowOf<'secret'>): Item[] {
  const org = id as OrganizationId;
  const at = coordinatesFromKey(key);
  const bytes = { record: decode(record), mac: decode(mac), sealed: decode(sealed) };
  const listed = listingOf(org, { at, ...head });
  const tend = tendingOf(bytes);
  return [
    withoutNulls({ ...secretKey(org, at), ...head, ...bytes, ...listed }),
    ...(tend === null ? [] : [tendingItem(tendingKey(org, at), tend)]),
  ];
}

/** Rows as the embedded host has them: what they are is in their JSON. */
function reminderItems({ table, columns }: RowOf<'reminder'>): Item[] {
  const text = (name: string) => String(columns[name] ?? '');
  const org = text('org') as OrganizationId;
  switch (table) {
    case 'announcements': {
      const at = text('at');
      return [{ ...announcementKey(org, text('id')), expires: announcementExpires(at) }];
    }
    case 'digests':
      return [digestItem(JSON.parse(text('digest')) as Digest)];
    case 'recipients':
      return recipientItems(JSON.parse(text('recipient')) as Recipient);
    case 'reminder_progress': {
      const { policies = null, audit = null } = columns;
      return [{ ...progressKey(org), policies, audit }];
    }
  }
}

function decode(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}
