import type { AuditEvent } from '../audit/event.ts';
import type { AuditOutbox, HeldEvents } from '../audit/outbox.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { Page } from '../contract/page.ts';
import type { Table } from './table.ts';
import { type Key, outboxPartitions, recordedKey } from './table-layout.ts';
import { outboxItem } from './trail.ts';

/** Of each shard: with 16 shards, as many as one request looks up. */
const EVENTS_LOOKED_AT = 6;

/**
 * The outbox in DynamoDB. Its events leave it by the table's stream, which feeds the recorder; the items stay
 * for some days, and then expire.
 */
export class DynamoAuditOutbox implements AuditOutbox, HeldEvents {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async append(event: AuditEvent): Promise<void> {
    await this.#table.put(outboxItem(event));
  }

  async held(
    { from, to }: { readonly from: string; readonly to: string },
    limit: number,
    after: string | undefined,
  ): Promise<Page<string>> {
    const [shard = '', last = ''] = after?.split(' ') ?? [outboxPartitions[0], ''];
    // `!` behind a key is the next key that could be; a tilde sorts behind every id.
    const range = { from: last === '' ? from : `${last}!`, to: `${to}~` };
    const items = await this.#table.query<Key & { event: string }>(shard, range, { limit });
    const texts = items.map(({ event }) => event);
    if (items.length >= limit) return { items: texts, next: `${shard} ${items.at(-1)?.sk ?? ''}` };
    const next = outboxPartitions[outboxPartitions.indexOf(shard) + 1];
    return next === undefined ? { items: texts } : { items: texts, next: `${next} ` };
  }

  /**
   * How many of the newest events, up to 96 of them, are not in the log yet. A health check costs the same
   * however many events there are; how far behind the log is beyond that, the age of the stream's iterator tells.
   * @throws SecretsError `unavailable`
   */
  async lag(): Promise<number> {
    const options = { limit: EVENTS_LOOKED_AT, descending: true, attributes: ['pk', 'sk', 'org'] };
    const newest = await Promise.all(
      outboxPartitions.map((shard) =>
        this.#table.query<Key & { org: OrganizationId }>(shard, { from: '0', to: '9' }, options),
      ),
    );
    const markers = newest.flat().map(({ sk, org }) => recordedKey(org, sk.slice(sk.indexOf('#') + 1)));
    return markers.length - (await this.#table.getMany<Key>(markers)).length;
  }
}
