import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { maskOf } from '../../../client/derived.ts';
import { Redactor } from '../../../client/redaction.ts';

const vectors = z
  .object({
    masks: z.array(z.object({ value: z.string(), mask: z.string() })),
    left_alone: z.array(z.object({ value: z.string(), reason: z.enum(['short', 'common']) })),
    redact_bytes: z.array(
      z.object({ name: z.string(), bytes: z.base64(), text: z.string(), redacted: z.string() }),
    ),
    redact: z.array(
      z.object({ name: z.string(), secrets: z.array(z.string()), text: z.string(), redacted: z.string() }),
    ),
  })
  .parse(JSON.parse(readFileSync('test/vectors/redaction.json', 'utf8')));

function redactorOf(secrets: readonly string[]): Redactor {
  const redactor = new Redactor();
  for (const secret of secrets) redactor.addValue(secret);
  return redactor;
}

test.each(vectors.redact)('$name', ({ secrets, text, redacted }) => {
  const redactor = redactorOf(secrets);
  expect(redactor.redact(text)).toBe(redacted);
  for (let cut = 0; cut <= text.length; cut += 1) {
    const stream = redactor.stream();
    expect(stream.feed(text.slice(0, cut)) + stream.feed(text.slice(cut)) + stream.flush()).toBe(redacted);
  }
  const stream = redactor.stream();
  const units = Array.from({ length: text.length }, (_, at) => stream.feed(text.charAt(at)));
  expect(units.join('') + stream.flush()).toBe(redacted);
});

test.each(vectors.redact_bytes)('$name', ({ bytes, text, redacted }) => {
  const redactor = new Redactor();
  expect(redactor.addBytes(Buffer.from(bytes, 'base64'))).toBeNull();
  expect(redactor.redact(text)).toBe(redacted);
});

test('bytes that are left alone', () => {
  const redactor = new Redactor();
  expect(redactor.addBytes(Buffer.from([0xff, 0xfe, 0xfd]))).toBe('short');
  expect(redactor.addBytes(Buffer.alloc(32, 0xff))).toBe('common');
  const text = `fffefd ${'ff'.repeat(32)}`;
  expect(redactor.redact(text)).toBe(text);
});

test.each(vectors.masks)('the mask $mask', ({ value, mask }) => {
  expect(maskOf(value)).toBe(mask);
});

test.each(vectors.left_alone)('$value is left alone, and it says so', ({ value, reason }) => {
  const redactor = new Redactor();
  expect(redactor.add(value)).toBe(reason);
  expect(redactor.add(value)).toBe(reason);
  expect(redactor.leftAlone[reason]).toBe(1);
  expect(redactor.redact(`a ${value} b`)).toBe(`a ${value} b`);
});
