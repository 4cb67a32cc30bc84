/**
 * Joins fields so that no two different lists give the same bytes: each field is preceded by its length
 * (4 bytes, big-endian). Joining by a separator would let `a|b` + `c` pass for `a` + `b|c`.
 */
export function lengthPrefixed(fields: readonly (string | Uint8Array)[]): Buffer {
  const total = fields.reduce((sum, field) => sum + LENGTH_BYTES + byteLength(field), 0);
  const joined = Buffer.allocUnsafe(total);
  let at = 0;
  for (const field of fields) {
    const length = byteLength(field);
    joined.writeUInt32BE(length, at);
    at += LENGTH_BYTES;
    if (typeof field === 'string') joined.write(field, at, 'utf8');
    else joined.set(field, at);
    at += length;
  }
  return joined;
}

const LENGTH_BYTES = 4;

function byteLength(field: string | Uint8Array): number {
  return typeof field === 'string' ? Buffer.byteLength(field) : field.length;
}
