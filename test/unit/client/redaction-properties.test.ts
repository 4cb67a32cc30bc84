import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formsOf } from '../../../client/derived.ts';
import { Redactor } from '../../../client/redaction.ts';
import { encodingsOf } from '../../testkit/encodings.ts';
import { Random, testSeed } from '../../testkit/random.ts';

/** What must hold for any values and any text, beside the vectors, which say what one text becomes. */

const seed = testSeed();
const runs = { seed, numRuns: 300 };

// A value that is a part of the mask cannot be told from it.
const isSecret = (value: string) => !'****...****'.includes(value) && new Redactor().add(value) === null;
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.string({ unit: fc.constantFrom('a', 'b') }),
);
const value = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 8, maxLength: 40 }),
    fc.string({ minLength: 8, maxLength: 40 }),
    // Few letters: values that overlap, that begin alike and that stand in one another.
    fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 8, maxLength: 20 }),
    fc.string({ unit: fc.constantFrom('"', "'", '\\', '\n', '&', '<', '%', '+', ' ', 'x'), minLength: 8 }),
  )
  .filter(isSecret);

/** Forms that others write, made by other code than the redactor's. */
function encoded(secret: string): readonly string[] {
  const other = new Set(['utf16le', 'utf16be', 'reversed', 'URL-encoded', 'URL-encoded in lower case']);
  const forms = [...encodingsOf(secret)].filter(([name]) => !other.has(name) && name !== 'URL-encoded twice');
  const once = encodeURIComponent(secret);
  return [
    ...forms.map(([, form]) => form.toString()),
    encodeURIComponent(once),
    new URLSearchParams({ a: secret }).toString().slice(2),
    secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    secret.split("'").join(`'\\''`),
    JSON.stringify(JSON.stringify(secret)).slice(3, -3),
  ];
}

describe('for any values', () => {
  test('no form of one survives, wherever it stands', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), text, text, (secrets, before, after) => {
        const redactor = new Redactor(secrets);
        for (const form of secrets.flatMap(encoded))
          expect(redactor.redact(before + form + after).replaceAll('****...****', '\0')).not.toContain(form);
      }),
      runs,
    );
  });

  test('any cut into chunks gives what one piece would', () => {
    const pieces = fc.array(fc.oneof(text, fc.nat(99)), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), pieces, fc.infiniteStream(fc.nat(9)), cut),
      runs,
    );
  });

  test('a text without any of their forms stays as it is', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), text, (secrets, clean) => {
        fc.pre(!secrets.some((secret) => [...formsOf(secret)].some((form) => clean.includes(form))));
        expect(new Redactor(secrets).redact(clean)).toBe(clean);
      }),
      runs,
    );
  });

  test('a line of JSON stays one, with the same members', () => {
    fc.assert(
      fc.property(value, text, (secret, message) => {
        const line = JSON.stringify({ level: 30, message: `${message}${secret}`, at: [secret] });
        const redacted = JSON.parse(new Redactor([secret]).redact(line));
        expect(Object.keys(redacted)).toEqual(['level', 'message', 'at']);
        expect(redacted.at).toEqual([expect.stringMatching(/\*{4}\.\.\.\*{4}$/)]);
      }),
      runs,
    );
  });
});

/** Numbers among the pieces stand for a secret in one of its forms. */
function cut(secrets: string[], pieces: (string | number)[], sizes: Iterator<number>): void {
  const forms = secrets.flatMap(encoded);
  const whole = pieces
    .map((piece) => (typeof piece === 'number' ? (forms[piece % forms.length] ?? '') : piece))
    .join('');
  const redactor = new Redactor(secrets);
  const stream = redactor.stream();
  let out = '';
  for (let at = 0; at < whole.length; ) {
    const size = sizes.next().value + 1;
    out += stream.feed(whole.slice(at, at + size));
    at += size;
  }
  expect(out + stream.flush()).toBe(redactor.redact(whole));
}

describe('a megabyte against a thousand secrets', () => {
  const random = new Random(seed);
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/';
  const key = () => `sk-live-${Array.from({ length: 32 }, () => random.pick([...letters])).join('')}`;
  const secrets = Array.from({ length: 1000 }, key);
  const redactor = new Redactor(secrets);
  const words = [
    'INFO',
    'the',
    'request',
    'sk-live-',
    'of',
    'stage',
    '{"id":7}',
    'ünïcode',
    '\n',
    'c2stbGl2ZS0',
  ];
  let clean = '';
  while (clean.length < 1024 * 1024) clean += `${random.pick(words)} `;

  test('not one byte of clean text changes', () => {
    expect(redactor.redact(clean)).toBe(clean);
    const stream = redactor.stream();
    let out = '';
    for (let at = 0; at < clean.length; at += 4096) out += stream.feed(clean.slice(at, at + 4096));
    expect(out + stream.flush() === clean).toBe(true);
  });

  test('every one of a thousand is found', () => {
    const dirty = secrets.map((secret) => `${clean.slice(0, 900)}${secret}`).join('');
    const redacted = redactor.redact(dirty);
    expect(redacted.split('sk-****...****')).toHaveLength(1001);
    expect(secrets.filter((secret) => redacted.includes(secret.slice(8)))).toEqual([]);
  });
});
