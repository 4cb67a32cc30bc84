import { type ChainHead, emptyChain, type StoredRecord } from '../audit/chain.ts';
import { type Facet, facetsOfAll, type IndexBlock } from '../audit/facets.ts';
import type { AuditLog, BlockRange } from '../audit/log.ts';
import type { OrganizationId } from '../contract/ids.ts';
import { type Expression, type Item, inChunks, isNew, type Write } from './expressions.ts';
import type { Table } from './table.ts';
import {
  blockSort,
  blocksPartition,
  chainHeadKey,
  chainPartition,
  type Key,
  recordedKey,
  recordKey,
  sequenceSort,
} from './table-layout.ts';

interface RecordItem extends Key, Pick<StoredRecord, 'hash' | 'bytes' | 'event_id'> {}

interface BlockItem extends Key {
  readonly sequences: ReadonlySet<number>;
  readonly last_hash?: string;
}

const BLOCKS_AT_ONCE = 25;
/** More than one batch of records can have made. */
const OLDEST_BLOCKS = 200;
/** Enough to tell the blocks of recorders apart that race. */
const HASH_DIGITS = 16;

/** The audit log in DynamoDB. */
export class DynamoAuditLog implements AuditLog {
  /** Two items for each record and one for the head: 99 of the 100 that a transaction takes. */
  readonly appendsAtOnce = 49;
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async head(org: OrganizationId): Promise<ChainHead> {
    const item = await this.#table.get<ChainHead>(chainHeadKey(org));
    return item === undefined ? emptyChain(org) : { sequence: item.sequence, hash: item.hash };
  }

  async recorded(org: OrganizationId, eventIds: readonly string[]): Promise<ReadonlySet<string>> {
    const ids = new Map(eventIds.map((id) => [recordedKey(org, id).pk, id]));
    const items = await this.#table.getMany<Key>(eventIds.map((id) => recordedKey(org, id)));
    return new Set(items.flatMap(({ pk }) => ids.get(pk) ?? []));
  }

  /**
   * The head moves on with the records, in one transaction. The blocks are written before: a recorder that loses
   * afterwards leaves blocks which name records that came to be others. Their keys hold a hash, so they stand
   * beside the winner's and never in their place.
   */
  appendAfter(
    org: OrganizationId,
    head: ChainHead,
    records: readonly StoredRecord[],
    blocks: readonly IndexBlock[],
  ): Promise<boolean> {
    const when: Expression =
      head.sequence === 0 ? isNew : { text: '#hash = :hash', names: ['hash'], values: { hash: head.hash } };
    return this.#append(org, when, records, blocks);
  }

  beginAfter(
    org: OrganizationId,
    _head: ChainHead,
    records: readonly StoredRecord[],
    blocks: readonly IndexBlock[],
  ): Promise<boolean> {
    return this.#append(org, isNew, records, blocks);
  }

  async #append(
    org: OrganizationId,
    when: Expression,
    records: readonly StoredRecord[],
    blocks: readonly IndexBlock[],
  ): Promise<boolean> {
    const last = records.at(-1);
    if (last === undefined) return true;
    for (const some of inChunks(blocks, BLOCKS_AT_ONCE))
      await Promise.all(some.map((block) => this.#table.put(blockItem(org, block))));
    const writes = records.flatMap((record) => recordWrites(org, record));
    const { sequence, hash } = last;
    const head: Write = { put: { ...chainHeadKey(org), sequence, hash }, when };
    const refused = await this.#table.transact([head, ...writes]);
    return refused === null;
  }

  async blocks(
    org: OrganizationId,
    facet: Facet,
    { from, upTo, limit }: BlockRange,
  ): Promise<readonly IndexBlock[]> {
    const range = { from: from || '0', to: `${blockSort(upTo)}~` };
    const options = { limit, descending: true };
    const items = await this.#table.query<BlockItem>(blocksPartition(org, facet), range, options);
    return items.map(({ sk, sequences, last_hash }) => {
      const [last_timestamp = '', first = ''] = sk.split('#');
      const ascending = [...sequences].sort((a, b) => a - b);
      const named = { facet, last_timestamp, first_sequence: Number(first), sequences: ascending };
      return last_hash === undefined ? named : { ...named, last_hash };
    });
  }

  async readMany(org: OrganizationId, sequences: readonly number[]): Promise<readonly StoredRecord[]> {
    const keys = sequences.map((sequence) => recordKey(org, sequence));
    return (await this.#table.getMany<RecordItem>(keys)).map(toStoredRecord);
  }

  async read(org: OrganizationId, fromSequence: number, limit: number): Promise<readonly StoredRecord[]> {
    const range = { from: sequenceSort(fromSequence), to: sequenceSort(Number.MAX_SAFE_INTEGER) };
    const items = await this.#table.query<RecordItem>(chainPartition(org), range, { limit });
    return items.map(toStoredRecord);
  }

  async removeUpTo(org: OrganizationId, sequence: number, limit: number): Promise<number> {
    const records = (await this.read(org, 1, limit)).filter((record) => record.sequence <= sequence);
    const last = records.at(-1);
    if (last === undefined) return 0;
    const blocks = await Promise.all(
      facetsOfAll(records).map((facet) => this.#blocksUpTo(org, facet, last.sequence)),
    );
    // The records last: as long as they are there, the next call finds what belongs to them.
    await this.#table.removeMany(blocks.flat());
    await this.#table.removeMany(records.map(({ event_id }) => recordedKey(org, event_id)));
    await this.#table.removeMany(records.map((record) => recordKey(org, record.sequence)));
    return records.length;
  }

  /** The oldest blocks of a facet that name no record behind a sequence. */
  async #blocksUpTo(org: OrganizationId, facet: Facet, sequence: number): Promise<Key[]> {
    const options = { limit: OLDEST_BLOCKS, attributes: ['pk', 'sk', 'sequences'] };
    const oldest = await this.#table.query<BlockItem>(
      blocksPartition(org, facet),
      { from: '0', to: '9' },
      options,
    );
    return oldest.filter(({ sequences }) => Math.max(...sequences) <= sequence);
  }
}

function blockItem(org: OrganizationId, block: IndexBlock): Item {
  const { facet, sequences, last_hash } = block;
  const key = {
    pk: blocksPartition(org, facet),
    sk: `${blockSort(block)}#${last_hash?.slice(0, HASH_DIGITS) ?? ''}`,
  };
  return { ...key, sequences: new Set(sequences), ...(last_hash === undefined ? {} : { last_hash }) };
}

function recordWrites(org: OrganizationId, { sequence, event_id, hash, bytes }: StoredRecord): Write[] {
  return [
    { put: { ...recordKey(org, sequence), hash, bytes, event_id } },
    { put: { ...recordedKey(org, event_id) } },
  ];
}

function toStoredRecord({ sk, hash, bytes, event_id }: RecordItem): StoredRecord {
  return { sequence: Number(sk), hash, bytes, event_id };
}
