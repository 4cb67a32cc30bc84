import type { OrganizationId } from '../contract/ids.ts';
import type { ChainHead, StoredRecord } from './chain.ts';
import type { Facet, IndexBlock } from './facets.ts';

/** Where a block stands within its facet. */
export type BlockPosition = Pick<IndexBlock, 'last_timestamp' | 'first_sequence'>;

/** Which blocks to read: newest first, by `last_timestamp` and then `first_sequence`. */
export interface BlockRange {
  /** Blocks that end at or after this moment. */
  readonly from: string | undefined;
  /** Blocks at or before this position. */
  readonly upTo: BlockPosition;
  readonly limit: number;
}

/** The organizations' chains and their index. */
export interface AuditLog {
  /** How many records one `appendAfter` takes. */
  readonly appendsAtOnce: number;
  head(org: OrganizationId): Promise<ChainHead>;
  /** Those of the event ids that are in the log already. */
  recorded(org: OrganizationId, eventIds: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Appends records and their index blocks when the chain still ends at `head`, all or none. A store that cannot
   * write the blocks in the same transaction writes them before, with `last_hash`: whoever reads one must check
   * that its last record has that hash, else it is of a recorder that lost.
   * @returns false when another recorder was first: read the head again
   * @throws SecretsError `unavailable`
   */
  appendAfter(
    org: OrganizationId,
    head: ChainHead,
    records: readonly StoredRecord[],
    blocks: readonly IndexBlock[],
  ): Promise<boolean>;
  /**
   * As `appendAfter`, where nothing was ever recorded: the chain begins behind a head whose records expired, in the
   * store that they come from.
   * @returns false when there is a record
   */
  beginAfter(
    org: OrganizationId,
    head: ChainHead,
    records: readonly StoredRecord[],
    blocks: readonly IndexBlock[],
  ): Promise<boolean>;
  /** Blocks of a facet, newest first. */
  blocks(org: OrganizationId, facet: Facet, range: BlockRange): Promise<readonly IndexBlock[]>;
  /** Those of the records that exist, in any order. */
  readMany(org: OrganizationId, sequences: readonly number[]): Promise<readonly StoredRecord[]>;
  /**
   * Removes the oldest records up to a sequence, at most `limit` of them, and the index blocks that name no later
   * one. What a crash interrupts is done by the next call.
   * @returns how many were removed; 0 when there are none left
   * @throws SecretsError `unavailable`
   */
  removeUpTo(org: OrganizationId, sequence: number, limit: number): Promise<number>;
  /** At most `limit` records from a sequence on, oldest first; what the store holds, not what it should hold. */
  read(org: OrganizationId, fromSequence: number, limit: number): Promise<readonly StoredRecord[]>;
}
