/**
 * Finds many texts at once, in one pass over what is searched (Wu and Manber's algorithm on blocks of four).
 *
 * A window of eight characters, the least that any pattern has, moves over the text. Its last four say how far
 * it may jump; only where a pattern could begin are the eight looked up, and then one binary search among the
 * patterns with this beginning finds the longest. A thousand patterns with one long common beginning, such as
 * the first line of PEM keys, cost little more than one.
 */

const WINDOW = 8;
const BLOCK = 4;
const JUMP = WINDOW - BLOCK + 1;
// Slots of the table for each beginning: it enters JUMP of them, and a full table would hardly let jump.
const SLOTS = 16;
const FIRST_BITS = 12;
const MAX_BITS = 22;

interface Pattern {
  readonly text: string;
  readonly mask: string;
  /** The longest pattern that this one begins with, itself apart. */
  inner: Pattern | undefined;
}

/** Where something stands in a text. */
export interface Match {
  readonly start: number;
  readonly end: number;
  readonly mask: string;
}

/** Patterns of eight UTF-16 units and more, each with what to put in its place. They may be added any time. */
export class Matcher {
  readonly #known = new Set<string>();
  /** By their first eight units: the patterns, sorted. */
  readonly #patterns = new Map<string, Pattern[]>();
  readonly #shortBeginnings = new Set<string>();
  #bits = FIRST_BITS;
  /** By the hash of a block: how far the window may jump at most. Two blocks of one hash jump the shorter way. */
  #jumps = new Uint8Array(2 ** FIRST_BITS).fill(JUMP);
  #longest = 0;

  /** Adds a pattern; the first mask of a pattern stays. @throws RangeError when it is too short */
  add(text: string, mask: string): void {
    if (text.length < WINDOW) throw new RangeError('a pattern has at least eight characters');
    if (this.#known.has(text)) return;
    this.#known.add(text);
    this.#longest = Math.max(this.#longest, text.length);
    const beginning = text.slice(0, WINDOW);
    const patterns = this.#patterns.get(beginning);
    if (patterns === undefined) this.#addBeginning(beginning, { text, mask, inner: undefined });
    else insert(patterns, { text, mask, inner: longestIn(patterns, text) });
  }

  /** The first match that begins from `at` on and ahead of `before`, the longest where several begin. */
  find(text: string, at: number, before: number): Match | undefined {
    for (let start = this.#next(text, at, before); start >= 0; start = this.#next(text, start + 1, before)) {
      const found = longestIn(this.#at(text, start), text.slice(start, start + this.#longest));
      if (found !== undefined) return { start, end: start + found.text.length, mask: found.mask };
    }
    return undefined;
  }

  /** Where the first tail of the text begins that more text could make a (longer) match; its length if none. */
  openEnd(text: string, from: number): number {
    const size = text.length;
    let at = Math.max(from, size - this.#longest + 1);
    for (let start = this.#next(text, at, size); start >= 0; start = this.#next(text, at, size)) {
      const rest = text.slice(start);
      const patterns = this.#at(text, start);
      if (patterns[countUpTo(patterns, rest)]?.text.startsWith(rest)) return start;
      at = start + 1;
    }
    for (let start = Math.max(at, size - WINDOW + 1); start < size; start += 1) {
      if (this.#shortBeginnings.has(text.slice(start))) return start;
    }
    return size;
  }

  #addBeginning(beginning: string, pattern: Pattern): void {
    this.#patterns.set(beginning, [pattern]);
    for (let length = 1; length < WINDOW; length += 1) this.#shortBeginnings.add(beginning.slice(0, length));
    if (this.#patterns.size * SLOTS <= this.#jumps.length || this.#bits === MAX_BITS) this.#enter(beginning);
    else {
      this.#bits += 2;
      this.#jumps = new Uint8Array(2 ** this.#bits).fill(JUMP);
      for (const each of this.#patterns.keys()) this.#enter(each);
    }
  }

  #enter(beginning: string): void {
    for (let at = 0; at < JUMP; at += 1) {
      const slot = hashOf(beginning, at) >>> (32 - this.#bits);
      this.#jumps[slot] = Math.min(this.#jumps[slot] ?? JUMP, JUMP - 1 - at);
    }
  }

  #at(text: string, start: number): readonly Pattern[] {
    return this.#patterns.get(text.slice(start, start + WINDOW)) ?? [];
  }

  /** Where the first eight units of a pattern stand next; -1 when nowhere ahead of `before`. */
  #next(text: string, at: number, before: number): number {
    const jumps = this.#jumps;
    const shift = 32 - this.#bits;
    const last = Math.min(text.length, before + WINDOW - 1);
    for (let end = at + WINDOW; end <= last; ) {
      const jump = jumps[hashOf(text, end - BLOCK) >>> shift] ?? 0;
      if (jump === 0 && this.#patterns.has(text.slice(end - WINDOW, end))) return end - WINDOW;
      end += jump === 0 ? 1 : jump;
    }
    return -1;
  }
}

/** Of four units; its upper bits are the good ones. */
function hashOf(text: string, at: number): number {
  const first = Math.imul(text.charCodeAt(at), 0x9e3779b1) + Math.imul(text.charCodeAt(at + 1), 0x85ebca6b);
  const last =
    Math.imul(text.charCodeAt(at + 2), 0xc2b2ae35) + Math.imul(text.charCodeAt(at + 3), 0x27d4eb2f);
  return (first + last) | 0;
}

/** Puts a pattern in its place among the sorted, and into those that begin with it. */
function insert(patterns: Pattern[], pattern: Pattern): void {
  const at = countUpTo(patterns, pattern.text);
  for (let index = at; index < patterns.length; index += 1) {
    const longer = patterns[index];
    if (longer === undefined || !longer.text.startsWith(pattern.text)) break;
    if (longer.inner === undefined || longer.inner.text.length < pattern.text.length) longer.inner = pattern;
  }
  patterns.splice(at, 0, pattern);
}

/** How many of the sorted patterns sort no later than the text. */
function countUpTo(patterns: readonly Pattern[], text: string): number {
  let low = 0;
  let high = patterns.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((patterns[middle]?.text ?? '') <= text) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The longest of sorted patterns that the text begins with. All that it begins with sort before it, and what
 * sorts between one of those and the text begins with that one too: so it is the last that sorts before the
 * text, or is what that one begins with.
 */
function longestIn(patterns: readonly Pattern[], text: string): Pattern | undefined {
  let found = patterns[countUpTo(patterns, text) - 1];
  while (found !== undefined && !text.startsWith(found.text)) found = found.inner;
  return found;
}
