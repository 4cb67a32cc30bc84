import { isUtf8 } from 'node:buffer';
import { formsOf, formsOfBytes, maskOf } from './derived.ts';
import { type LeftAlone, whyLeftAlone } from './left-alone.ts';
import { Matcher } from './matcher.ts';
import { scrub, scrubError } from './scrub.ts';
import { textsIn } from './texts.ts';

export type { LeftAlone } from './left-alone.ts';

/**
 * Knows values and replaces them, and what is derived from them, by a mask of one width: `sk-****...****`.
 * Values under eight characters, and such as stand in every log, are left alone; `leftAlone` counts them, so
 * that their owner can be told.
 */
export class Redactor {
  readonly #matcher = new Matcher();
  readonly #known = new Set<string>();
  readonly #leftAlone = { short: 0, common: 0 };

  constructor(values: Iterable<string> = []) {
    for (const value of values) this.add(value);
  }

  /** How many values it was given that it does not redact, by the reason. */
  get leftAlone(): Readonly<Record<LeftAlone, number>> {
    return { ...this.#leftAlone };
  }

  /** Learns a value. @returns why it is left alone; null when it is redacted from now on */
  add(value: string): LeftAlone | null {
    const reason = whyLeftAlone(value);
    if (this.#known.has(value)) return reason;
    this.#known.add(value);
    if (reason !== null) {
      this.#leftAlone[reason] += 1;
      return reason;
    }
    const mask = maskOf(value);
    for (const form of formsOf(value)) this.#matcher.add(form, mask);
    return null;
  }

  /** Learns what a secret holds: its text and, when that is JSON, each string and number within. */
  addValue(value: unknown): LeftAlone | null {
    const [first, ...within] = textsIn(value);
    const reason = this.add(first);
    for (const text of within) this.add(text);
    return reason;
  }

  /** Learns bytes: as the text that they are, or else as others write bytes that are none. */
  addBytes(bytes: Uint8Array): LeftAlone | null {
    const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (isUtf8(data)) return this.addValue(data.toString('utf8'));
    // As text of any kind, a text of this length would be left alone for the same reason.
    const reason = whyLeftAlone(data.toString('latin1'));
    if (reason === null) for (const form of formsOfBytes(data)) this.#matcher.add(form, maskOf(''));
    return reason;
  }

  /** The text without the values; the same text when there were none. */
  redact(text: string): string {
    let found = this.#matcher.find(text, 0, text.length);
    if (found === undefined) return text;
    let redacted = '';
    let done = 0;
    for (; found !== undefined; found = this.#matcher.find(text, done, text.length)) {
      redacted += text.slice(done, found.start) + found.mask;
      done = found.end;
    }
    return redacted + text.slice(done);
  }

  /** For text that comes in chunks. */
  stream(): StreamRedactor {
    return new StreamRedactor(this.#matcher);
  }

  /**
   * A copy of data without the values, in keys too: for stage outputs. Objects that JSON would write become
   * plain; errors are scrubbed in place.
   */
  scrub(data: unknown): unknown {
    return scrub((text) => this.redact(text), data);
  }

  /** Takes the values out of an error and of all that it was caused by, in place: message, stack, properties. */
  scrubError<E>(error: E): E {
    scrubError((text) => this.redact(text), error);
    return error;
  }

  toJSON(): string {
    return `Redactor(${this.#known.size} values)`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toJSON();
  }
}

/**
 * Redacts text that comes in chunks of any size, with the result that one piece would have had. It keeps back
 * only what could be the beginning of a value, so a line that is none comes out at once.
 */
export class StreamRedactor {
  readonly #matcher: Matcher;
  #held = '';

  constructor(matcher: Matcher) {
    this.#matcher = matcher;
  }

  /** Takes a chunk. @returns what is decided by now */
  feed(chunk: string): string {
    return this.#work(this.#held + chunk, false);
  }

  /** @returns what was kept back: nothing follows */
  flush(): string {
    return this.#work(this.#held, true);
  }

  #work(text: string, isLast: boolean): string {
    const openEnd = (from: number) => (isLast ? text.length : this.#matcher.openEnd(text, from));
    let redacted = '';
    let done = 0;
    let undecided = openEnd(0);
    for (
      let found = this.#matcher.find(text, 0, undecided);
      found !== undefined;
      found = this.#matcher.find(text, done, undecided)
    ) {
      redacted += text.slice(done, found.start) + found.mask;
      done = found.end;
      if (done > undecided) undecided = openEnd(done);
    }
    redacted += text.slice(done, undecided);
    this.#held = text.slice(undecided);
    return redacted;
  }
}
