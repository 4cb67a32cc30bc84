import type { OrganizationId } from '../contract/ids.ts';
import { type AuditRecord, readRecordBytes, type StoredRecord } from './chain.ts';
import { endOfSecond, type IndexBlock, type LogFilter, matchesFilter, narrowestFacet } from './facets.ts';
import type { AuditLog, BlockPosition } from './log.ts';

/** A record that a filter found, and the block that it was found by. */
export interface FoundRecord {
  readonly record: AuditRecord;
  readonly block: BlockPosition;
}

const BLOCKS_AT_ONCE = 100;
const RECORDS_AT_ONCE = 100;

/**
 * The records that a filter looks for, newest first: blocks by one request, their records by another, so that
 * a page costs the same in any log.
 * @param start where the page before ended: its block, and the first record of the next page in it
 */
export async function searchLog(
  log: Pick<AuditLog, 'blocks' | 'readMany'>,
  org: OrganizationId,
  filter: LogFilter,
  limit: number,
  start: (BlockPosition & { readonly sequence: number }) | undefined,
): Promise<FoundRecord[]> {
  const facet = narrowestFacet(filter);
  const found: FoundRecord[] = [];
  const seen = new Set<number>();
  let upTo: BlockPosition = start ?? newest(filter.to);
  for (;;) {
    const blocks = await log.blocks(org, facet, { from: filter.from, upTo, limit: BLOCKS_AT_ONCE });
    for (const pointers of inPortions(blocks, start)) {
      const wanted = pointers.flatMap(({ sequence, block }) => [
        sequence,
        block.sequences.at(-1) ?? sequence,
      ]);
      const read = await log.readMany(org, [...new Set(wanted)]);
      const records = new Map(read.map((record) => [record.sequence, record]));
      for (const { sequence, block } of pointers) {
        const bytes = isOfTheLog(block, records) ? records.get(sequence)?.bytes : undefined;
        const record = bytes === undefined ? undefined : readRecordBytes(bytes);
        if (record === undefined || seen.has(sequence)) continue;
        seen.add(sequence);
        const { last_timestamp, first_sequence } = block;
        if (matchesFilter(filter, record.event))
          found.push({ record, block: { last_timestamp, first_sequence } });
      }
      if (found.length >= limit) return found.slice(0, limit);
    }
    const last = blocks.at(-1);
    if (last === undefined || blocks.length < BLOCKS_AT_ONCE) return found;
    upTo = { last_timestamp: last.last_timestamp, first_sequence: last.first_sequence - 1 };
  }
}

interface Pointer {
  readonly sequence: number;
  readonly block: IndexBlock;
}

/** Whether the log holds the records that a block was made of; else a recorder made it that lost. */
function isOfTheLog(
  { sequences, last_hash }: IndexBlock,
  records: ReadonlyMap<number, StoredRecord>,
): boolean {
  return last_hash === undefined || records.get(sequences.at(-1) ?? 0)?.hash === last_hash;
}

/** The records that blocks name, newest first, in portions that the store reads at once. */
function* inPortions(
  blocks: readonly IndexBlock[],
  start: (BlockPosition & { readonly sequence: number }) | undefined,
): Generator<Pointer[]> {
  let portion: Pointer[] = [];
  for (const block of blocks) {
    const isStart =
      start?.last_timestamp === block.last_timestamp && start.first_sequence === block.first_sequence;
    for (const sequence of block.sequences.toReversed()) {
      if (isStart && sequence > start.sequence) continue;
      portion.push({ sequence, block });
      if (portion.length === RECORDS_AT_ONCE) {
        yield portion;
        portion = [];
      }
    }
  }
  if (portion.length > 0) yield portion;
}

function newest(to: string | undefined): BlockPosition {
  return {
    last_timestamp: to === undefined ? '9' : endOfSecond(to),
    first_sequence: Number.MAX_SAFE_INTEGER,
  };
}
