import type { OrganizationId } from '../contract/ids.ts';
import { type ChainHead, emptyChain } from './chain.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import { completeSubtrees } from './merkle.ts';
import { rangeHashes, tilePath } from './tiles.ts';

/** Where a check of a log may begin: the end of the chain there, and the tree up to there. */
export interface TreeStart {
  readonly head: ChainHead;
  /** Of the complete subtrees, largest first. */
  readonly roots: readonly Buffer[];
}

/**
 * The state of a log after so many records, from the tiles that were kept apart from it.
 * @param covered the size of a checkpoint, at least `size`
 * @throws Error when a tile is missing or too short
 */
export async function treeStart(
  store: Pick<CheckpointStore, 'readTile'>,
  org: OrganizationId,
  size: number,
  covered: number,
): Promise<TreeStart> {
  if (size === 0) return { head: emptyChain(org), roots: [] };
  const range = rangeHashes((tile) => store.readTile(org, tilePath(tile)), covered);
  const roots = await Promise.all(completeSubtrees(size).map(([from, to]) => range(from, to)));
  const last = await range(size - 1, size);
  return { head: { sequence: size, hash: last.toString('hex') }, roots };
}
