import { hash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  CompactTree,
  consistencyProof,
  EMPTY_ROOT,
  inclusionProof,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from '../../../shared/audit/merkle.ts';
import { edgeTiles, rangeHashes, type Tile, TileBuilder, tilePath } from '../../../shared/audit/tiles.ts';

const MOST = 70_000;
const leaves = Array.from({ length: MOST }, (_, i) => hash('sha256', `leaf ${i}`, 'buffer'));

/** RFC 6962's own definition, with no thought of speed. */
function naiveRoot(from: number, to: number): Buffer {
  if (to === from) return EMPTY_ROOT;
  if (to - from === 1) return leaf(from);
  let k = 1;
  while (k * 2 < to - from) k *= 2;
  return nodeHash(naiveRoot(from, from + k), naiveRoot(from + k, to));
}

function leaf(index: number): Buffer {
  const at = leaves[index];
  if (at === undefined) throw new RangeError('no such leaf');
  return at;
}

/** The tiles of a tree that grew in steps, as checkpoints make them. */
function tilesOf(sizes: readonly number[]): Map<string, Buffer> {
  const kept = new Map<string, Buffer>();
  let size = 0;
  for (const next of sizes) {
    const edge = edgeTiles(size).map((tile) => {
      const bytes = tile.width === 0 ? Buffer.alloc(0) : (kept.get(tilePath(tile)) ?? Buffer.alloc(0));
      return {
        index: tile.index,
        hashes: Array.from({ length: tile.width }, (_, i) => bytes.subarray(i * 32, i * 32 + 32)),
      };
    });
    const builder = new TileBuilder(edge);
    for (; size < next; size++)
      for (const { tile, bytes } of builder.add(leaf(size))) kept.set(tilePath(tile), bytes);
    for (const { tile, bytes } of builder.edge()) kept.set(tilePath(tile), bytes);
  }
  return kept;
}

const readFrom = (kept: ReadonlyMap<string, Buffer>) => async (tile: Tile) =>
  kept.get(tilePath(tile)) ?? null;

test('a compact tree has the root that RFC 6962 defines, at every size', { timeout: 60_000 }, () => {
  const tree = new CompactTree();
  expect(tree.root()).toEqual(EMPTY_ROOT);
  for (let size = 1; size <= 600; size++) {
    tree.add(leaf(size - 1));
    expect(tree.root().equals(naiveRoot(0, size))).toBe(true);
  }
});

test('proofs made of tiles verify, and only for what they prove', { timeout: 60_000 }, async () => {
  const size = fc.oneof(
    fc.integer({ min: 2, max: 700 }),
    fc.constantFrom(255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_793),
  );
  await fc.assert(
    fc.asyncProperty(size, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(), async (n, share, step) => {
      const first = Math.min(n, Math.max(1, Math.floor(n * share)));
      const kept = tilesOf(
        [...new Set([Math.min(first, step % 300), first, n])].filter((s) => s > 0).sort((a, b) => a - b),
      );
      const range = rangeHashes(readFrom(kept), n);
      const root = naiveRoot(0, n);
      expect((await range(0, n)).equals(root)).toBe(true);

      const index = first - 1;
      const proof = await inclusionProof(range, index, n);
      expect(proof.length).toBeLessThanOrEqual(Math.ceil(Math.log2(n)) + 1);
      expect(verifyInclusion(leaf(index), index, n, proof, root)).toBe(true);
      expect(verifyInclusion(leaf((index + 1) % n), index, n, proof, root)).toBe(false);
      expect(verifyInclusion(leaf(index), (index + 1) % n, n, proof, root)).toBe(false);
      expect(verifyInclusion(leaf(index), index, n, proof.slice(1), root)).toBe(proof.length === 0);
      expect(verifyInclusion(leaf(index), index, n, [...proof, root], root)).toBe(false);

      const before = { size: first, root: naiveRoot(0, first) };
      const consistency = await consistencyProof(range, first, n);
      expect(verifyConsistency(before, { size: n, root }, consistency)).toBe(true);
      if (first < n) {
        expect(verifyConsistency({ ...before, root: leaf(0) }, { size: n, root }, consistency)).toBe(
          first === 1,
        );
        expect(verifyConsistency(before, { size: n, root: leaf(1) }, consistency)).toBe(false);
        expect(verifyConsistency(before, { size: n, root }, [...consistency, root])).toBe(false);
      }
    }),
    { numRuns: 60, examples: [[65_793, 0.999, 7]] },
  );
});

test('a tree that shrank is not consistent', () => {
  const [one, two] = [naiveRoot(0, 1), naiveRoot(0, 2)];
  expect(verifyConsistency({ size: 2, root: two }, { size: 1, root: one }, [])).toBe(false);
  expect(verifyConsistency({ size: 0, root: EMPTY_ROOT }, { size: 2, root: two }, [])).toBe(true);
  expect(verifyConsistency({ size: 1, root: one }, { size: 1, root: two }, [])).toBe(false);
  expect(verifyConsistency({ size: 1, root: one }, { size: 2, root: two }, [])).toBe(false);
});

test('a missing or short tile is refused, not guessed', async () => {
  const kept = tilesOf([300]);
  const path = tilePath({ level: 0, index: 1, width: 44 });
  for (const bytes of [null, kept.get(path)?.subarray(32) ?? null]) {
    const range = rangeHashes(
      async (tile) => (tilePath(tile) === path ? bytes : (kept.get(tilePath(tile)) ?? null)),
      300,
    );
    await expect(range(0, 300)).rejects.toThrow(/missing or damaged/);
  }
});

test('tile paths are those of tlog-tiles', () => {
  expect(tilePath({ level: 0, index: 0, width: 256 })).toBe('tile/0/000');
  expect(tilePath({ level: 3, index: 1_234_067, width: 256 })).toBe('tile/3/x001/x234/067');
  expect(tilePath({ level: 1, index: 273, width: 7 })).toBe('tile/1/273.p/7');
});
