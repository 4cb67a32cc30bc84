import type { Trail } from '../audit/outbox.ts';
import type { OrganizationId } from '../contract/ids.ts';
import {
  type Announcement,
  announcementId,
  type Digest,
  MAX_RECIPIENTS,
  type Progress,
  type Recipient,
  type ReminderStore,
} from '../reminders/reminder-store.ts';
import { exists, type Item, isNew, type Write } from './expressions.ts';
import { unavailable } from './failures.ts';
import type { Table } from './table.ts';
import {
  announcementKey,
  calendarKey,
  daysAfter,
  digestKey,
  type Key,
  listings,
  progressKey,
  recipientKey,
  recipientsPartition,
} from './table-layout.ts';
import { carriedOutMeanwhile, outboxItem, trailWrites } from './trail.ts';

/** Longer than any stage lasts; who is late for longer than that is told again. */
const KEPT_DAYS = 400;

interface DigestItem extends Key {
  /** The digest as JSON. */
  readonly digest: string;
}

interface RecipientItem extends Key {
  readonly recipient: string;
}

/** What was announced to whom, in DynamoDB. */
export class DynamoReminderStore implements ReminderStore {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async announced(org: OrganizationId, ids: readonly string[]): Promise<ReadonlySet<string>> {
    const keys = new Map(ids.map((id) => [announcementKey(org, id).pk, id]));
    const items = await this.#table.getMany<Key>(
      ids.map((id) => announcementKey(org, id)),
      ['pk'],
    );
    return new Set(items.flatMap(({ pk }) => keys.get(pk) ?? []));
  }

  async claim(digest: Digest): Promise<boolean> {
    const expires = announcementExpires(digest.created_at);
    const claims = digest.announcements.map((announcement): Write => {
      const key = announcementKey(digest.org, announcementId(announcement));
      return { put: { ...key, digest: digest.id, expires }, when: isNew };
    });
    return (await this.#table.transact([{ put: digestItem(digest), when: isNew }, ...claims])) === null;
  }

  async saveDigest(
    digest: Digest,
    event: Trail['event'] | null,
    released: readonly Announcement[],
  ): Promise<boolean> {
    const expected = digest.revision - 1;
    const when = { text: '#revision = :expected', names: ['revision'], values: { expected } };
    const told = event === null ? [] : [{ put: outboxItem(event) }];
    const freed = released.map(
      (one): Write => ({ remove: announcementKey(digest.org, announcementId(one)) }),
    );
    return (await this.#table.transact([{ put: digestItem(digest), when }, ...told, ...freed])) === null;
  }

  async waiting(now: string, limit: number): Promise<readonly Digest[]> {
    const range = { from: '0', to: `${now}~` };
    const listed = await this.#table.query<Key>(listings.digests, range, { limit, inIndex: true });
    const items = await this.#table.getMany<DigestItem>(listed.map(({ pk, sk }) => ({ pk, sk })));
    // The index may be a moment behind: what was taken up or done since is left out.
    return items
      .map(({ digest }) => JSON.parse(digest) as Digest)
      .filter(({ retry_at }) => retry_at !== null && retry_at <= now)
      .sort((one, two) => (position(one) < position(two) ? -1 : 1));
  }

  /** DynamoDB does it by itself. */
  async forget(): Promise<void> {}

  async addRecipient(recipient: Recipient, trail: Trail): Promise<void> {
    const items = recipientItems(recipient).map((put): Write => ({ put, when: isNew }));
    const refused = await this.#table.transact([...items, ...trailWrites(trail)]);
    if (refused !== null && refused < items.length) throw unavailable();
    if (refused !== null) throw carriedOutMeanwhile();
  }

  async removeRecipient(org: OrganizationId, id: string, trail: Trail): Promise<boolean> {
    const key = recipientKey(org, id);
    const item = await this.#table.get<RecipientItem>(key);
    if (item === undefined) return false;
    const { token_hash } = JSON.parse(item.recipient) as Recipient;
    const calendar = token_hash === null ? [] : [{ remove: calendarKey(token_hash) }];
    const refused = await this.#table.transact([
      { remove: key, when: exists },
      ...calendar,
      ...trailWrites(trail),
    ]);
    if (refused !== null && refused > 0) throw carriedOutMeanwhile();
    return refused === null;
  }

  async recipients(org: OrganizationId): Promise<readonly Recipient[]> {
    const options = { limit: 2 * MAX_RECIPIENTS };
    const range = { from: ' ', to: '~' };
    const items = await this.#table.query<RecipientItem>(recipientsPartition(org), range, options);
    const order = ({ created_at, id }: Recipient) => `${created_at} ${id}`;
    return items
      .map(({ recipient }) => JSON.parse(recipient) as Recipient)
      .sort((one, two) => (order(one) < order(two) ? -1 : 1));
  }

  async findCalendar(tokenHash: string): Promise<Recipient | null> {
    const found = await this.#table.get<{ org: OrganizationId; recipient_id: string }>(
      calendarKey(tokenHash),
    );
    if (found === undefined) return null;
    const item = await this.#table.get<RecipientItem>(recipientKey(found.org, found.recipient_id));
    return item === undefined ? null : (JSON.parse(item.recipient) as Recipient);
  }

  async progress(org: OrganizationId): Promise<Progress> {
    const item = await this.#table.get<Partial<Progress>>(progressKey(org));
    return { policies: item?.policies ?? null, audit: item?.audit ?? null };
  }

  async saveProgress(org: OrganizationId, progress: Progress): Promise<void> {
    await this.#table.put({ ...progressKey(org), ...progress });
  }
}

/** A digest as an item; listed until it is done with. */
export function digestItem(digest: Digest): Item {
  const { id, org, revision, retry_at, created_at } = digest;
  const listed = retry_at === null ? {} : { listing: listings.digests, listing_at: position(digest) };
  return {
    ...digestKey(org, id),
    revision,
    digest: JSON.stringify(digest),
    expires: announcementExpires(created_at),
    ...listed,
  };
}

/** A recipient, and how its calendar is found. */
export function recipientItems(recipient: Recipient): Item[] {
  const { org, id, token_hash } = recipient;
  const item = { ...recipientKey(org, id), recipient: JSON.stringify(recipient) };
  return token_hash === null ? [item] : [item, { ...calendarKey(token_hash), org, recipient_id: id }];
}

/** For how long it is known that something was announced. @param at when it was; Unix seconds */
export function announcementExpires(at: string): number {
  return daysAfter(at, KEPT_DAYS);
}

function position({ retry_at, id }: Digest): string {
  return `${retry_at} ${id}`;
}
