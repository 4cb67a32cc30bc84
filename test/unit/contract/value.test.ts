import { describe, expect, test } from 'vitest';
import { MAX_VALUE_BYTES, valueBytes, valueText } from '../../../shared/contract/value.ts';

describe('values', () => {
  test.each([
    ['text', 'sk-…😀', 'utf8'],
    ['a NUL and line breaks', 'a\0\r\n', 'utf8'],
    ['bytes', Buffer.from([0, 255, 128]).toString('base64'), 'base64'],
    ['the longest text', 'x'.repeat(MAX_VALUE_BYTES), 'utf8'],
    ['the longest bytes', Buffer.alloc(MAX_VALUE_BYTES, 1).toString('base64'), 'base64'],
  ] as const)('%s comes back as it came', (_what, text, encoding) => {
    expect(valueText(valueBytes('value', text, encoding), encoding)).toBe(text);
  });

  test.each([
    ['empty', '', 'utf8', 'must not be empty'],
    ['no bytes', '', 'base64', 'must not be empty'],
    [
      'one byte too long',
      'x'.repeat(MAX_VALUE_BYTES + 1),
      'utf8',
      `must be at most ${MAX_VALUE_BYTES} bytes`,
    ],
    [
      'too long in bytes only',
      'é'.repeat(MAX_VALUE_BYTES / 2 + 1),
      'utf8',
      `must be at most ${MAX_VALUE_BYTES} bytes`,
    ],
    [
      'half a surrogate pair',
      'canary\ud800',
      'utf8',
      'must be well-formed Unicode; send bytes with encoding base64',
    ],
    ['base64 without padding', 'canary', 'base64', 'must be standard base64 with padding'],
    ['base64url', 'ca-_', 'base64', 'must be standard base64 with padding'],
    ['base64 with spaces', 'Y2Fu YXJ5', 'base64', 'must be standard base64 with padding'],
    ['base64 with bits left over', 'YR==', 'base64', 'must be standard base64 with padding'],
  ] as const)('%s is refused by its rule and not quoted', (_what, text, encoding, message) => {
    expect(() => valueBytes('new_value', text, encoding)).toThrow(
      expect.objectContaining({ code: 'validation', errors: [{ path: 'new_value', message }] }),
    );
  });
});
