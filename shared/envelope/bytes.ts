/**
 * Joins fields so that no two different lists give the same bytes: each field is preceded by its length
 * (4 bytes, big-endian). Joining by a separator would let `a|b` + `c` pass for `a` + `b|c`.
 */
export function lengthPrefixed(fields: readonly (string | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const field of fields) {
    const bytes = typeof field === 'string' ? Buffer.from(field, 'utf8') : field;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}
