import { nodeHash, type RangeHash, splitPoint } from './merkle.ts';

/** Hashes of one level of the tree, 256 to a full tile: C2SP's tlog-tiles. */
export interface Tile {
  /** 0 holds leaf hashes; each level above, the roots of the full tiles below. */
  readonly level: number;
  readonly index: number;
  /** 1 to 256 hashes; fewer than 256 at the tree's right edge. */
  readonly width: number;
}

export const TILE_WIDTH = 256;
const HASH_BYTES = 32;

/** A tile's path, for example `tile/0/x001/234.p/7`. */
export function tilePath({ level, index, width }: Tile): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
  const groups = digits.match(/\d{3}/g) ?? [];
  const path = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/');
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** The tile at the right edge of a tree on each level, where it is not full. */
export function edgeTiles(size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0, nodes = size; nodes > 0; level += 1, nodes = Math.floor(nodes / TILE_WIDTH)) {
    const width = nodes % TILE_WIDTH;
    tiles.push({ level, index: Math.floor(nodes / TILE_WIDTH), width });
  }
  return tiles;
}

/** Reads a tile's bytes; null when there is none. */
export type TileReader = (tile: Tile) => Promise<Buffer | null>;

/**
 * Hashes of ranges of a tree of some size, from its tiles: what the proofs are made of.
 * @throws Error when a tile is missing or too short
 */
export function rangeHashes(readTile: TileReader, size: number): RangeHash {
  const tiles = new Map<string, Promise<Buffer>>();
  const read = (level: number, index: number): Promise<Buffer> => {
    const nodes = Math.floor(size / TILE_WIDTH ** level);
    const width = Math.min(TILE_WIDTH, nodes - index * TILE_WIDTH);
    const path = tilePath({ level, index, width });
    const known =
      tiles.get(path) ?? readTile({ level, index, width }).then((bytes) => checked(bytes, width, path));
    tiles.set(path, known);
    return known;
  };
  /** The hashes `from` to `to` of one level, within one tile. */
  const within = async (level: number, from: number, to: number): Promise<Buffer[]> => {
    const index = Math.floor(from / TILE_WIDTH);
    const bytes = await read(level, index);
    return Array.from({ length: to - from }, (_, offset) => {
      const at = (from + offset - index * TILE_WIDTH) * HASH_BYTES;
      return bytes.subarray(at, at + HASH_BYTES);
    });
  };
  const range: RangeHash = async (from, to) => {
    const count = to - from;
    for (let level = 0, unit = 1; ; level += 1, unit *= TILE_WIDTH) {
      if (count % unit !== 0 || from % unit !== 0) break;
      const [first, last] = [from / unit, to / unit];
      const isOneTile = Math.floor(first / TILE_WIDTH) === Math.floor((last - 1) / TILE_WIDTH);
      if (isOneTile) return rootOf(await within(level, first, last));
    }
    const middle = from + splitPoint(count);
    const [left, right] = await Promise.all([range(from, middle), range(middle, to)]);
    return nodeHash(left, right);
  };
  return range;
}

function rootOf(hashes: readonly Buffer[]): Buffer {
  const [only] = hashes;
  if (only !== undefined && hashes.length === 1) return only;
  const middle = splitPoint(hashes.length);
  return nodeHash(rootOf(hashes.slice(0, middle)), rootOf(hashes.slice(middle)));
}

function checked(bytes: Buffer | null, width: number, path: string): Buffer {
  if (bytes === null || bytes.length !== width * HASH_BYTES)
    throw new Error(`the tile ${path} is missing or damaged`);
  return bytes;
}

/** The hashes within a tile's bytes. */
export function tileHashes(bytes: Buffer): Buffer[] {
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, at) =>
    bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  );
}

/** Makes the tiles that records add to a tree, from their leaf hashes and the tiles at the edge before. */
export class TileBuilder {
  readonly #levels: { index: number; hashes: Buffer[] }[];

  /** @param edge the hashes of {@link edgeTiles}, level by level; none for an empty tree */
  constructor(edge: readonly { readonly index: number; readonly hashes: readonly Buffer[] }[] = []) {
    this.#levels = edge.map(({ index, hashes }) => ({ index, hashes: [...hashes] }));
  }

  /** Adds a leaf hash. @returns the tiles that it fills, lowest first */
  add(leafHash: Buffer): { tile: Tile; bytes: Buffer }[] {
    const filled: { tile: Tile; bytes: Buffer }[] = [];
    let node: Buffer | null = leafHash;
    for (let level = 0; node !== null; level += 1) {
      const row = this.#levels[level] ?? { index: 0, hashes: [] };
      this.#levels[level] = row;
      row.hashes.push(node);
      node = null;
      if (row.hashes.length < TILE_WIDTH) continue;
      filled.push({ tile: { level, index: row.index, width: TILE_WIDTH }, bytes: Buffer.concat(row.hashes) });
      node = rootOf(row.hashes);
      this.#levels[level] = { index: row.index + 1, hashes: [] };
    }
    return filled;
  }

  /** The tiles at the right edge. */
  edge(): { tile: Tile; bytes: Buffer }[] {
    return this.#levels.flatMap(({ index, hashes }, level) =>
      hashes.length === 0
        ? []
        : [{ tile: { level, index, width: hashes.length }, bytes: Buffer.concat(hashes) }],
    );
  }
}
