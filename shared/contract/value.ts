import { invalid } from './errors.ts';

/** The most that a secret can hold, in bytes. */
export const MAX_VALUE_BYTES = 64 * 1024;

export type Encoding = 'utf8' | 'base64';

/**
 * The bytes of a value as it came over the wire. The caller zeroes them after use.
 * @param field the field to name in the error, for example `new_value`
 * @throws SecretsError `validation`, never quoting the value
 */
export function valueBytes(field: string, text: string, encoding: Encoding): Buffer {
  const bytes = encoding === 'base64' ? decodeBase64(field, text) : encodeUtf8(field, text);
  if (bytes.length === 0) throw invalid(field, 'must not be empty');
  if (bytes.length > MAX_VALUE_BYTES) throw invalid(field, `must be at most ${MAX_VALUE_BYTES} bytes`);
  return bytes;
}

/** A value as it goes back over the wire, in the encoding that it came in. */
export function valueText(bytes: Buffer, encoding: Encoding): string {
  return bytes.toString(encoding);
}

function encodeUtf8(field: string, text: string): Buffer {
  if (!text.isWellFormed())
    throw invalid(field, 'must be well-formed Unicode; send bytes with encoding base64');
  return Buffer.from(text, 'utf8');
}

function decodeBase64(field: string, text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  // Node skips what is not base64; only text that encodes back to itself was base64 in full.
  if (bytes.toString('base64') !== text) throw invalid(field, 'must be standard base64 with padding');
  return bytes;
}
