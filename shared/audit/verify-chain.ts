import { type ChainHead, readRecordBytes, recordHash } from './chain.ts';
import type { Checkpoint } from './checkpoint.ts';
import { CompactTree } from './merkle.ts';

/** The first record that is not what it was, and how that shows. */
export interface BadRecord {
  readonly sequence: number;
  readonly reason: string;
}

/** What breaks a record's link to the one before it; null when it holds. */
export function linkProblem(
  record: { readonly sequence: number; readonly hash: string; readonly bytes: Uint8Array },
  last: ChainHead,
): string | null {
  if (record.sequence !== last.sequence + 1) return 'is missing, or records stand in another order';
  if (recordHash(record.bytes) !== record.hash) return 'was changed';
  const said = linkOf(record.bytes);
  // What says something else of itself is wrong itself; only of what it follows can the fault be the other's.
  if (typeof said?.sequence !== 'number') return 'was changed';
  if (said.sequence !== record.sequence) return 'is missing, or records stand in another order';
  return said.previous === last.hash ? null : 'does not follow the record before it';
}

function linkOf(bytes: Uint8Array): { readonly sequence: unknown; readonly previous: unknown } | null {
  try {
    return readRecordBytes(bytes);
  } catch {
    return null;
  }
}

/**
 * Checks a log record by record in constant memory: each link, each signed checkpoint, and where the tree's
 * leaves were kept apart from the log, each record against its leaf.
 */
export class ChainVerifier {
  readonly #tree: CompactTree;
  #last: ChainHead;
  /** The last size at which a checkpoint agreed. */
  #agreed: number;

  /**
   * @param before the head before the first record that is checked, see `emptyChain`
   * @param roots of the tree up to there: nobody believes them, the next checkpoint proves them
   */
  constructor(before: ChainHead, roots: readonly Buffer[] = []) {
    this.#last = before;
    this.#agreed = before.sequence;
    this.#tree = new CompactTree(before.sequence, roots);
  }

  get size(): number {
    return this.#last.sequence;
  }

  /** Of the tree so far. */
  root(): Buffer {
    return this.#tree.root();
  }

  /** Of the last record. */
  get hash(): string {
    return this.#last.hash;
  }

  /**
   * Adds the next record.
   * @param leaf its leaf hash as kept apart from the log, when it was
   * @returns what is wrong, and then nothing further can be added; null when all is well
   */
  add(
    record: { readonly sequence: number; readonly bytes: Uint8Array; readonly hash?: string },
    leaf: Buffer | null,
  ): BadRecord | null {
    const next = this.#last.sequence + 1;
    const hash = recordHash(record.bytes);
    if (leaf !== null && leaf.toString('hex') !== hash)
      return { sequence: next, reason: differs(record.sequence, next) };
    const problem = linkProblem({ ...record, hash: record.hash ?? hash }, this.#last);
    if (problem !== null) {
      // A record that is whole but follows another one than it says: the other one is what was changed.
      const isFollower =
        problem.startsWith('does not follow') && leaf === null && this.#last.sequence > this.#agreed;
      return {
        sequence: isFollower ? this.#last.sequence : next,
        reason: isFollower ? 'was changed' : problem,
      };
    }
    this.#tree.add(Buffer.from(hash, 'hex'));
    this.#last = { sequence: next, hash };
    return null;
  }

  /** Compares a checkpoint of exactly the present size. */
  agrees({ size, root, time }: Checkpoint): BadRecord | null {
    if (size === this.#tree.size && root.equals(this.#tree.root())) {
      this.#agreed = size;
      return null;
    }
    const reason = `this record or one after it, up to ${size}, is not what the checkpoint of ${time} covers`;
    return { sequence: this.#agreed + 1, reason };
  }
}

function differs(sequence: number, expected: number): string {
  return sequence === expected ? 'was changed' : 'is missing, or records stand in another order';
}
