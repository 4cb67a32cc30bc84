import { hash } from 'node:crypto';

/** SHA-256 over 0x01 and both children: a node of RFC 6962's tree. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.of(1), left, right]), 'buffer');
}

/** The root of no leaves: SHA-256 of nothing. */
export const EMPTY_ROOT: Buffer = hash('sha256', '', 'buffer');

/**
 * A growing tree of which only the roots of its complete subtrees are kept, largest first: one per bit of its
 * size. Adding n leaves costs n hashes in all, and a root costs one per bit.
 */
export class CompactTree {
  #size: number;
  readonly #roots: Buffer[];

  /** @param roots of the complete subtrees of a tree of `size` leaves, largest first, see {@link completeSubtrees} */
  constructor(size = 0, roots: readonly Buffer[] = []) {
    this.#size = size;
    this.#roots = [...roots];
  }

  get size(): number {
    return this.#size;
  }

  /** Of the complete subtrees, largest first. */
  get roots(): readonly Buffer[] {
    return [...this.#roots];
  }

  /** Adds the next leaf by its leaf hash, see `recordHash`. */
  add(leafHash: Buffer): void {
    let node = leafHash;
    // Each trailing one bit of the size is a complete subtree as large as the new one: they become one.
    for (let size = this.#size; size % 2 === 1; size = Math.floor(size / 2)) {
      node = nodeHash(this.#roots.pop() ?? EMPTY_ROOT, node);
    }
    this.#roots.push(node);
    this.#size += 1;
  }

  root(): Buffer {
    if (this.#size === 0) return EMPTY_ROOT;
    return this.#roots.reduceRight((right, left) => nodeHash(left, right));
  }
}

/** The hash of the subtree over the leaves `from` to `to` (exclusive). */
export type RangeHash = (from: number, to: number) => Promise<Buffer>;

/** The ranges of leaves that the complete subtrees of a tree stand over, largest first: one per bit of its size. */
export function completeSubtrees(size: number): (readonly [from: number, to: number])[] {
  const ranges: (readonly [number, number])[] = [];
  for (let from = 0; from < size; ) {
    let width = 1;
    while (from + width * 2 <= size) width *= 2;
    ranges.push([from, from + width]);
    from += width;
  }
  return ranges;
}

/** Where a tree of n > 1 leaves divides: the largest power of two below n. */
export function splitPoint(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/**
 * The hashes that prove that a leaf is in a tree (RFC 6962, 2.1.1), lowest first.
 * @param index of the leaf, from 0
 */
export async function inclusionProof(range: RangeHash, index: number, size: number): Promise<Buffer[]> {
  return pathWithin(range, index, 0, size);
}

async function pathWithin(range: RangeHash, index: number, from: number, to: number): Promise<Buffer[]> {
  if (to - from === 1) return [];
  const middle = from + splitPoint(to - from);
  if (index < middle) return [...(await pathWithin(range, index, from, middle)), await range(middle, to)];
  return [...(await pathWithin(range, index, middle, to)), await range(from, middle)];
}

/** Whether a proof leads from a leaf hash to a root (RFC 9162, 2.1.3.2). */
export function verifyInclusion(
  leafHash: Buffer,
  index: number,
  size: number,
  proof: readonly Buffer[],
  root: Buffer,
): boolean {
  if (index < 0 || index >= size) return false;
  let [at, last, node] = [index, size - 1, leafHash];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      node = nodeHash(sibling, node);
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else {
      node = nodeHash(node, sibling);
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && node.equals(root);
}

/** The hashes that prove that the tree of `first` leaves is the beginning of the one of `second` (RFC 6962, 2.1.2). */
export async function consistencyProof(range: RangeHash, first: number, second: number): Promise<Buffer[]> {
  if (first === 0 || first === second) return [];
  return subproof(range, first, 0, second, true);
}

async function subproof(
  range: RangeHash,
  first: number,
  from: number,
  to: number,
  known: boolean,
): Promise<Buffer[]> {
  if (first === to) return known ? [] : [await range(from, to)];
  const middle = from + splitPoint(to - from);
  if (first <= middle) {
    return [...(await subproof(range, first, from, middle, known)), await range(middle, to)];
  }
  return [...(await subproof(range, first, middle, to, false)), await range(from, middle)];
}

/** Whether a proof shows that the first tree is the beginning of the second (RFC 9162, 2.1.4.2). */
export function verifyConsistency(
  first: { readonly size: number; readonly root: Buffer },
  second: { readonly size: number; readonly root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (first.size > second.size) return false;
  if (first.size === second.size) return proof.length === 0 && first.root.equals(second.root);
  if (first.size === 0) return proof.length === 0;
  const isPower = splitPoint(first.size + 1) === first.size;
  const [start, ...rest] = isPower ? [first.root, ...proof] : proof;
  if (start === undefined) return false;
  let [at, last] = [first.size - 1, second.size - 1];
  while (at % 2 === 1) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  let [ofFirst, ofSecond] = [start, start];
  for (const hashed of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      [ofFirst, ofSecond] = [nodeHash(hashed, ofFirst), nodeHash(hashed, ofSecond)];
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else {
      ofSecond = nodeHash(ofSecond, hashed);
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && ofFirst.equals(first.root) && ofSecond.equals(second.root);
}
