/**
 * Which values are not taken out of texts. It stands alone, so that the server can tell whoever stores one; the
 * shared vectors (test/vectors/redaction.json) hold it to what Python has.
 */

/** A shorter value stands by chance in too many texts. In characters, not in UTF-16 units. */
export const MIN_LENGTH = 8;

/** Why a value is not redacted. */
export type LeftAlone = 'short' | 'common';

// Texts that stand in every log: hiding them would tell more than it hides.
const common = new Set([
  ...['password', 'changeme', 'username', 'password1', '12345678', 'anonymous', 'administrator', 'redacted'],
  ...['production', 'development', 'undefined', 'disabled', 'required', 'internal', 'external', 'database'],
  ...['postgres', 'postgresql', 'localhost', '127.0.0.1', 'http://localhost', 'https://localhost'],
]);

/** Why a value cannot be redacted; null when it can. */
export function whyLeftAlone(value: string): LeftAlone | null {
  if (!hasLength(value, MIN_LENGTH)) return 'short';
  const [first = ''] = value;
  if (common.has(value.toLowerCase()) || first.repeat(value.length / first.length) === value) return 'common';
  return null;
}

/** Whether a text has so many characters. */
export function hasLength(text: string, least: number): boolean {
  // Only few are short enough for the count to be worth its while.
  return text.length >= least * 2 || [...text].length >= least;
}
