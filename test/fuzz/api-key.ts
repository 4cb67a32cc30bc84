import assert from 'node:assert/strict';
import { apiKeyIdOf, generateApiKey, hashApiKey, matchesHash } from '../../shared/access/api-key.ts';
import { decodeRunToken, encodeRunToken, isRunToken, parseRunClaims } from '../../shared/access/run-token.ts';

const { id, key } = generateApiKey();

/** A credential of any bytes is none of ours, or has one spelling; a real one with a letter changed is none. */
export function fuzz(bytes: Buffer): void {
  for (const text of [bytes.toString('utf8'), bytes.toString('latin1'), `fmk_${bytes.toString('latin1')}`]) {
    const found = apiKeyIdOf(text);
    if (found !== null) assert.match(text, new RegExp(`^fmk_${found}_[0-9A-Za-z]{39}$`));
    const token = decodeRunToken(text);
    if (token !== null) {
      assert.ok(isRunToken(text));
      assert.equal(encodeRunToken(token.message, token.signature), text);
      parseRunClaims(token.message);
    }
  }
  parseRunClaims(bytes);
  const at = (bytes[0] ?? 0) % key.length;
  const letter = String.fromCharCode(bytes[1] ?? 0x30);
  const changed = key.slice(0, at) + letter + key.slice(at + 1);
  assert.equal(matchesHash(changed, hashApiKey(key)), changed === key);
  // The checksum finds every single letter that is wrong.
  assert.equal(apiKeyIdOf(changed), changed === key ? id : null);
}
