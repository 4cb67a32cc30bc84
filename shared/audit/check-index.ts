import type { OrganizationId } from '../contract/ids.ts';
import { readRecordBytes, type StoredRecord } from './chain.ts';
import { type Facet, facetsOfAll, type IndexBlock } from './facets.ts';
import type { AuditLog } from './log.ts';
import type { BadRecord } from './verify-chain.ts';

interface Portion {
  readonly facets: ReadonlyMap<string, { readonly facet: Facet; readonly sequences: number[] }>;
  readonly hashes: ReadonlyMap<number, string>;
  readonly oldest: string;
  readonly newest: string;
}

const BLOCKS_AT_ONCE = 1000;

/**
 * Checks that the log's index names every record under each of its facets: who removes index rows hides records
 * from every question, while the chain stays whole. A row that names too much hides nothing.
 */
export class IndexChecker {
  readonly #log: Pick<AuditLog, 'blocks'>;
  readonly #org: OrganizationId;
  /** Waits for the records behind it: a block ends when its newest record happened, and that may be one of those. */
  #waiting: Portion | null = null;

  constructor(log: Pick<AuditLog, 'blocks'>, org: OrganizationId) {
    this.#log = log;
    this.#org = org;
  }

  /** Adds the next records. @returns the first record before them that a facet does not find */
  async add(records: readonly StoredRecord[]): Promise<BadRecord | null> {
    const portion = portionOf(records);
    const waited = this.#waiting;
    this.#waiting = portion;
    if (waited === null || portion === null) return null;
    return this.#check(waited, portion);
  }

  /** Checks the last records. */
  async end(): Promise<BadRecord | null> {
    return this.#waiting === null ? null : this.#check(this.#waiting, null);
  }

  async #check({ facets, oldest, newest, hashes }: Portion, next: Portion | null): Promise<BadRecord | null> {
    const upTo = next === null ? '9' : later(newest, next.newest);
    const isOfTheLog = ({ sequences, last_hash }: IndexBlock) => {
      const last = sequences.at(-1) ?? 0;
      return last_hash === undefined || (hashes.get(last) ?? next?.hashes.get(last)) === last_hash;
    };

    let bad: BadRecord | null = null;
    for (const { facet, sequences } of facets.values()) {
      const named = await this.#named(facet, oldest, upTo, isOfTheLog);
      const missing = sequences.find((sequence) => !named.has(sequence));
      if (missing === undefined || (bad !== null && bad.sequence <= missing)) continue;
      bad = {
        sequence: missing,
        reason: `is missing from the index of ${facet[0]}: questions do not find it`,
      };
    }
    return bad;
  }

  /** The records that blocks of a facet name which end between two moments and are of the log. */
  async #named(
    facet: Facet,
    from: string,
    newest: string,
    isOfTheLog: (block: IndexBlock) => boolean,
  ): Promise<ReadonlySet<number>> {
    const named = new Set<number>();
    for (let upTo = { last_timestamp: newest, first_sequence: Number.MAX_SAFE_INTEGER }; ; ) {
      const blocks = await this.#log.blocks(this.#org, facet, { from, upTo, limit: BLOCKS_AT_ONCE });
      for (const block of blocks.filter(isOfTheLog))
        for (const sequence of block.sequences) named.add(sequence);
      const last = blocks.at(-1);
      if (last === undefined || blocks.length < BLOCKS_AT_ONCE) return named;
      upTo = { last_timestamp: last.last_timestamp, first_sequence: last.first_sequence - 1 };
    }
  }
}

function portionOf(records: readonly StoredRecord[]): Portion | null {
  const facets = new Map<string, { facet: Facet; sequences: number[] }>();
  const times: string[] = [];
  const hashes = new Map(records.map(({ sequence, hash }) => [sequence, hash]));
  for (const record of records) {
    const { sequence } = record;
    times.push(readRecordBytes(record.bytes).event.timestamp);
    for (const facet of facetsOfAll([record])) {
      const key = facet.join(' ');
      const known = facets.get(key) ?? { facet, sequences: [] };
      known.sequences.push(sequence);
      facets.set(key, known);
    }
  }
  times.sort();
  const [oldest, newest] = [times[0], times.at(-1)];
  return oldest === undefined || newest === undefined ? null : { facets, hashes, oldest, newest };
}

function later(a: string, b: string): string {
  return a > b ? a : b;
}
