import type { AuditEntry } from '../../shared/contract/audit.ts';
import { type Kind, kindOf, kinds } from './kinds.ts';

/** A stretch of the timeline. */
export interface Bucket {
  readonly from: number;
  readonly counts: Readonly<Record<Kind, number>>;
  readonly total: number;
}

/** The time that a timeline shows, in so many stretches of the same length. */
export function bucketsOf(
  entries: readonly AuditEntry[],
  from: number,
  to: number,
  number: number,
): readonly Bucket[] {
  const length = (to - from) / number;
  const counts = Array.from({ length: number }, () => emptyCounts());
  for (const entry of entries) {
    const index = Math.floor((Date.parse(entry.timestamp) - from) / length);
    const bucket = counts[Math.min(index, number - 1)];
    if (bucket !== undefined) bucket[kindOf(entry)] += 1;
  }
  return counts.map((each, index) => ({
    from: from + index * length,
    counts: each,
    total: kinds.reduce((sum, kind) => sum + each[kind], 0),
  }));
}

function emptyCounts(): Record<Kind, number> {
  return { resolves: 0, changes: 0, upkeep: 0, reads: 0, refused: 0 };
}

export function countKinds(entries: readonly AuditEntry[]): Readonly<Record<Kind, number>> {
  const counts = emptyCounts();
  for (const entry of entries) counts[kindOf(entry)] += 1;
  return counts;
}
