import { createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  assertAuthentic,
  authenticate,
  deriveRecordKey,
  open,
  SEAL_OVERHEAD,
  seal,
} from '../../../shared/envelope/envelope.ts';
import { codeOf } from '../../testkit/failure.ts';

const dataKey = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex');
const otherKey = Buffer.alloc(32, 7);
const context = Buffer.from('who, where, which version');
const value = Buffer.from('correct horse battery staple');

/** HKDF-SHA-256 (RFC 5869) in its own two steps, so that it shares nothing with what it checks. */
function hkdf(key: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Buffer {
  const extracted = createHmac('sha256', salt).update(key).digest();
  let block = Buffer.alloc(0);
  let output = Buffer.alloc(0);
  for (let i = 1; output.length < length; i++) {
    block = createHmac('sha256', extracted)
      .update(Buffer.concat([block, info, Buffer.of(i)]))
      .digest();
    output = Buffer.concat([output, block]);
  }
  return output.subarray(0, length);
}

interface Sealing {
  readonly key: Uint8Array;
  readonly salt: Buffer;
  readonly nonce: Buffer;
  readonly context: Uint8Array;
  readonly plaintext: Uint8Array;
}

/** The envelope by its formula, line after line: an implementation apart from the one that is tested. */
function sealByFormula({ key, salt, nonce, context, plaintext }: Sealing) {
  const info = Buffer.concat([
    Buffer.from('flowmason/seal/v1'),
    createHash('sha256').update(context).digest(),
  ]);
  const derived = hkdf(key, salt, info, 64);
  const cipher = createCipheriv('aes-256-gcm', derived.subarray(0, 32), nonce, { authTagLength: 16 });
  cipher.setAAD(context);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const commitment = derived.subarray(32);
  const sealed = Buffer.concat([Buffer.of(1), salt, commitment, nonce, cipher.getAuthTag(), ciphertext]);
  return { sealed, derived };
}

describe('seal and open', () => {
  it('give back what was sealed, at every length and for every context', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(bytes, bytes, (plaintext, boundTo) => {
        const sealed = seal(dataKey, boundTo, plaintext);
        expect(sealed).toHaveLength(SEAL_OVERHEAD + plaintext.length);
        expect(open(dataKey, boundTo, sealed)).toEqual(Buffer.from(plaintext));
      }),
    );
  });

  it('seal anew each time: the same value twice shares no salt, commitment, nonce or ciphertext', () => {
    const [a, b] = [seal(dataKey, context, value), seal(dataKey, context, value)];
    const ranges = [
      [1, 33],
      [33, 65],
      [65, 77],
      [77, 93],
      [93, a.length],
    ] as const;
    for (const [from, to] of ranges) expect(a.subarray(from, to).equals(b.subarray(from, to))).toBe(false);
  });

  it('refuse every bit flipped', () => {
    const sealed = seal(dataKey, context, value);
    const accepted: number[] = [];
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      if (codeOf(() => open(dataKey, context, changed)) !== 'decryption_failed') accepted.push(bit);
    }
    expect(accepted).toEqual([]);
  });

  it('refuse every truncation and every addition', () => {
    const sealed = seal(dataKey, context, value);
    const refusals = Array.from({ length: sealed.length }, (_, end) =>
      codeOf(() => open(dataKey, context, sealed.subarray(0, end))),
    );
    expect(new Set(refusals)).toEqual(new Set(['decryption_failed']));
    const longer = Buffer.concat([sealed, Buffer.of(0)]);
    expect(codeOf(() => open(dataKey, context, longer))).toBe('decryption_failed');
  });

  it.each([
    { change: 'another key', key: otherKey, boundTo: context },
    { change: 'another context', key: dataKey, boundTo: Buffer.from('who, where, which versioN') },
    { change: 'a shorter context', key: dataKey, boundTo: context.subarray(1) },
    { change: 'no context', key: dataKey, boundTo: Buffer.alloc(0) },
  ])('refuse $change', ({ key, boundTo }) => {
    const sealed = seal(dataKey, context, value);
    expect(codeOf(() => open(key, boundTo, sealed))).toBe('decryption_failed');
  });

  it('open what the formula alone seals, and fail alike: by one code, one text, no cause', () => {
    const { sealed } = sealByFormula({
      key: dataKey,
      salt: randomBytes(32),
      nonce: randomBytes(12),
      context,
      plaintext: value,
    });
    expect(open(dataKey, context, sealed)).toEqual(value);
    const failures = [0, 1, 33, 65, 77, 93].map((at) => {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      try {
        return open(dataKey, context, changed);
      } catch (error) {
        return error instanceof Error ? { text: error.message, cause: error.cause } : error;
      }
    });
    expect(new Set(failures.map((failure) => JSON.stringify(failure))).size).toBe(1);
    expect(failures[0]).toEqual({ text: expect.stringContaining('not what was stored'), cause: undefined });
  });
});

describe('the key commitment', () => {
  const salt = Buffer.alloc(32, 3);
  const nonce = Buffer.alloc(12, 4);

  it('refuses a ciphertext that GCM would open but whose commitment is of another key', () => {
    const mine = sealByFormula({ key: dataKey, salt, nonce, context, plaintext: value });
    const theirs = sealByFormula({ key: otherKey, salt, nonce, context, plaintext: value });
    const forged = Buffer.from(mine.sealed);
    theirs.derived.copy(forged, 33, 32);
    // GCM sees neither the commitment nor the format byte: all that it checks is as it was sealed.
    expect(forged.subarray(65).equals(mine.sealed.subarray(65))).toBe(true);
    expect(open(dataKey, context, mine.sealed)).toEqual(value);
    expect(codeOf(() => open(dataKey, context, forged))).toBe('decryption_failed');
    expect(codeOf(() => open(otherKey, context, forged))).toBe('decryption_failed');
  });

  it('refuses one ciphertext forged to pass GCM under two keys', () => {
    const [a, b] = [dataKey, otherKey].map(
      (key) => sealByFormula({ key, salt, nonce, context, plaintext: value }).derived,
    );
    if (a === undefined || b === undefined) throw new TypeError('two keys');
    const pair = forgePair(a.subarray(0, 32), b.subarray(0, 32), nonce, context);
    for (const [mine, key] of [
      [a, dataKey],
      [b, otherKey],
    ] as const) {
      const commitments = [a, b].map((derived) => derived.subarray(32));
      const opened = commitments.map((commitment) => {
        const sealed = Buffer.concat([Buffer.of(1), salt, commitment, nonce, pair.tag, pair.ciphertext]);
        return codeOf(() => open(key, context, sealed));
      });
      // Under its own commitment GCM alone decides, and the forgery passes it; under the other's it is refused.
      expect(opened).toEqual(
        commitments.map((commitment) =>
          commitment.equals(mine.subarray(32)) ? 'nothing was thrown' : 'decryption_failed',
        ),
      );
    }
  });
});

/** One block of ciphertext and a tag that are valid under both keys: the second block is solved for. */
function forgePair(keyA: Buffer, keyB: Buffer, nonce: Buffer, aad: Buffer) {
  const [a, b] = [ghashKey(keyA), ghashKey(keyB)];
  const [padA, padB] = [tagPad(keyA, nonce), tagPad(keyB, nonce)];
  const blocks = [...blocksOf(aad), lengths(aad.length, 16)];
  // The tag is pad ^ (sum of blocks times powers of the hash key). With one free block C before the lengths,
  // C·(Ha² ^ Hb²) = the difference of everything else: one linear equation in GF(2^128).
  const constant = (h: bigint) => {
    const powers = blocks.map((block, index) => {
      const isLast = index === blocks.length - 1;
      return multiply(block, power(h, isLast ? 1 : blocks.length - index + 1));
    });
    return powers.reduce((sum, term) => sum ^ term, 0n);
  };
  const difference = constant(a) ^ constant(b) ^ padA ^ padB;
  const block = multiply(difference, inverse(power(a, 2) ^ power(b, 2)));
  const tag = constant(a) ^ multiply(block, power(a, 2)) ^ padA;
  return { ciphertext: toBytes(block), tag: toBytes(tag) };
}

const R = 0xe1n << 120n;

/** Multiplication in GCM's field (NIST SP 800-38D, 6.3), first bit first. */
function multiply(x: bigint, y: bigint): bigint {
  let product = 0n;
  let v = y;
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((x >> bit) & 1n) product ^= v;
    v = v & 1n ? (v >> 1n) ^ R : v >> 1n;
  }
  return product;
}

const ONE = 1n << 127n;

function power(x: bigint, exponent: number): bigint {
  let result = ONE;
  for (let i = 0; i < exponent; i++) result = multiply(result, x);
  return result;
}

/** x^(2^128 - 2). */
function inverse(x: bigint): bigint {
  let result = ONE;
  let square = x;
  for (let i = 1; i < 128; i++) {
    square = multiply(square, square);
    result = multiply(result, square);
  }
  return result;
}

function encryptBlock(key: Buffer, block: Buffer): bigint {
  const cipher = createCipheriv('aes-256-ecb', key, null);
  return toNumber(cipher.update(block));
}

function ghashKey(key: Buffer): bigint {
  return encryptBlock(key, Buffer.alloc(16));
}

function tagPad(key: Buffer, nonce: Buffer): bigint {
  return encryptBlock(key, Buffer.concat([nonce, Buffer.of(0, 0, 0, 1)]));
}

function blocksOf(bytes: Buffer): bigint[] {
  const padded = Buffer.concat([bytes, Buffer.alloc((16 - (bytes.length % 16)) % 16)]);
  return Array.from({ length: padded.length / 16 }, (_, i) => toNumber(padded.subarray(i * 16, i * 16 + 16)));
}

function lengths(aad: number, ciphertext: number): bigint {
  return (BigInt(aad * 8) << 64n) | BigInt(ciphertext * 8);
}

function toNumber(block: Buffer): bigint {
  return BigInt(`0x${block.toString('hex')}`);
}

function toBytes(block: bigint): Buffer {
  return Buffer.from(block.toString(16).padStart(32, '0'), 'hex');
}

const hex = z.string().transform((text) => Buffer.from(text, 'hex'));
const vectors = z
  .object({
    seal: z.array(
      z.object({
        what: z.string(),
        data_key: hex,
        context: hex,
        salt: hex,
        nonce: hex,
        plaintext: hex,
        sealed: hex,
      }),
    ),
    record: z.array(z.object({ data_key: hex, record_key: hex, context: hex, mac: hex })),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../vectors/envelope.json'), 'utf8')));

describe('test/vectors/envelope.json', () => {
  it.each(vectors.seal)('opens to what was sealed: $what', ({ data_key, context, plaintext, sealed }) => {
    expect(open(data_key, context, sealed)).toEqual(plaintext);
  });

  it.each(vectors.seal)('is what the formula gives: $what', (vector) => {
    expect(sealByFormula({ ...vector, key: vector.data_key }).sealed).toEqual(vector.sealed);
  });

  it.each(vectors.record)('authenticates records as before', ({ data_key, record_key, context, mac }) => {
    expect(deriveRecordKey(data_key)).toEqual(record_key);
    expect(hkdf(data_key, Buffer.alloc(32), Buffer.from('flowmason/record/v1'), 32)).toEqual(record_key);
    expect(authenticate(record_key, context)).toEqual(mac);
    expect(codeOf(() => assertAuthentic(record_key, context, mac))).toBe('nothing was thrown');
  });
});

describe('assertAuthentic', () => {
  const recordKey = deriveRecordKey(dataKey);
  const mac = authenticate(recordKey, context);

  it.each([
    { change: 'another context', key: recordKey, boundTo: value, mac },
    { change: 'another key', key: deriveRecordKey(otherKey), boundTo: context, mac },
    { change: 'a shorter code', key: recordKey, boundTo: context, mac: mac.subarray(0, 31) },
    { change: 'no code', key: recordKey, boundTo: context, mac: Buffer.alloc(0) },
    { change: 'a longer code', key: recordKey, boundTo: context, mac: Buffer.concat([mac, Buffer.of(0)]) },
  ])('refuses $change', ({ key, boundTo, mac }) => {
    expect(codeOf(() => assertAuthentic(key, boundTo, mac))).toBe('decryption_failed');
  });

  it('refuses every bit of the code flipped', () => {
    const codes = Array.from({ length: 256 }, (_, bit) => {
      const changed = Buffer.from(mac);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      return codeOf(() => assertAuthentic(recordKey, context, changed));
    });
    expect(new Set(codes)).toEqual(new Set(['decryption_failed']));
  });
});
