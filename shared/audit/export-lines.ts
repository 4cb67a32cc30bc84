import type { OrganizationId } from '../contract/ids.ts';
import type { TreeStart } from './tree-start.ts';

// An export is JSON lines: where it begins; each record, whose line is its canonical bytes, so that hashing the
// line is checking the record; each checkpoint behind the last record that it covers; where it ends.

/** What the first line of an export says. */
export interface ExportBeginning {
  readonly format: 1;
  readonly org: string;
  /** How many records stand before the first one of the export. */
  readonly sequence: number;
  /** The hash of the last of those, or of the empty chain. */
  readonly hash: string;
  /** The tree over those: the roots of its complete subtrees, largest first, in base64. */
  readonly tree: readonly string[];
}

export const RECORD_BEGINS = '{"event":';

export function beginningLine(org: OrganizationId, { head, roots }: TreeStart): string {
  const tree = roots.map((root) => root.toString('base64'));
  const beginning: ExportBeginning = { format: 1, org, sequence: head.sequence, hash: head.hash, tree };
  return JSON.stringify({ export: beginning });
}

export function checkpointLine(note: string): string {
  return JSON.stringify({ checkpoint: note });
}

/**
 * @param sequence of the last record that was in the log when the export began
 * @param hash of the last record; absent when the export has none
 */
export function endLine(sequence: number, hash: string | undefined): string {
  return JSON.stringify({ end: { sequence, ...(hash === undefined ? {} : { hash }) } });
}
