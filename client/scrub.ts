import { types } from 'node:util';

type Redact = (text: string) => string;

/** A copy of data in which every string went through `redact`, keys too. Cycles stay cycles. */
export function scrub(redact: Redact, data: unknown, seen = new Map<object, unknown>()): unknown {
  if (typeof data === 'string') return redact(data);
  if (typeof data === 'number' || typeof data === 'bigint') return scrubNumber(redact, data);
  if (typeof data !== 'object' || data === null || data instanceof Date) return data;
  const known = seen.get(data);
  if (known !== undefined) return known;
  if (isError(data)) {
    scrubError(redact, data, seen);
    return data;
  }
  if (data instanceof Uint8Array) return scrubBytes(redact, data);
  if (Array.isArray(data)) {
    const copy: unknown[] = [];
    seen.set(data, copy);
    for (const member of data) copy.push(scrub(redact, member, seen));
    return copy;
  }
  return scrubObject(redact, data, seen);
}

/** A field of a secret may be a number. One that is none stays as it is. */
export function scrubNumber(redact: Redact, number: number | bigint): number | bigint | string {
  const text = String(number);
  const redacted = redact(text);
  return redacted === text ? number : redacted;
}

function scrubObject(redact: Redact, data: object, seen: Map<object, unknown>): unknown {
  if (data instanceof Map) {
    const copy = new Map<unknown, unknown>();
    seen.set(data, copy);
    for (const [key, value] of data) copy.set(scrub(redact, key, seen), scrub(redact, value, seen));
    return copy;
  }
  if (data instanceof Set) {
    const copy = new Set<unknown>();
    seen.set(data, copy);
    for (const member of data) copy.add(scrub(redact, member, seen));
    return copy;
  }
  if ('toJSON' in data && typeof data.toJSON === 'function') return scrub(redact, data.toJSON(), seen);
  const copy: Record<string, unknown> = {};
  seen.set(data, copy);
  for (const [key, value] of Object.entries(data)) {
    // Not by assignment: `__proto__` is a key like another.
    Object.defineProperty(copy, redact(key), { value: scrub(redact, value, seen), ...plain });
  }
  return copy;
}

const plain = { writable: true, enumerable: true, configurable: true } as const;

/** Bytes without values keep their identity and every byte, text or not. */
function scrubBytes(redact: Redact, data: Uint8Array): Uint8Array {
  // Latin-1 maps every byte to one character and back; a redactor knows the values in that form as well.
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1');
  const redacted = redact(text);
  if (redacted === text) return data;
  const bytes = Buffer.from(redacted, 'latin1');
  return Buffer.isBuffer(data) ? bytes : new Uint8Array(bytes);
}

/** Takes what `redact` knows out of an error, its causes, and what they hold, in place. */
export function scrubError(redact: Redact, error: unknown, seen = new Map<object, unknown>()): void {
  if (!isError(error)) return;
  seen.set(error, error);
  for (const name of new Set(['message', 'stack', ...Object.getOwnPropertyNames(error)])) {
    replace(error, name, scrub(redact, Reflect.get(error, name), seen));
  }
}

export function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value); // one of another realm, too
}

/** What cannot be set (a frozen error, a getter) stays; setting must not fail in the middle of a failure. */
function replace(error: Error, name: string, value: unknown): void {
  if (value === undefined || value === Reflect.get(error, name)) return;
  const enumerable = Object.prototype.propertyIsEnumerable.call(error, name);
  Reflect.defineProperty(error, name, { value, writable: true, configurable: true, enumerable });
}
