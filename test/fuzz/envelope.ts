import assert from 'node:assert/strict';
import { SecretsError } from '../../shared/contract/errors.ts';
import { open, SEAL_OVERHEAD, seal } from '../../shared/envelope/envelope.ts';

const key = Buffer.alloc(32, 7);
const context = Buffer.from('context');
const sealed = seal(key, context, Buffer.from('the plaintext'));

/** Bytes alone, and laid over what was sealed at the place that the first one names: nothing else ever opens. */
export function fuzz(bytes: Buffer): void {
  refused(bytes);
  const changed = Buffer.from(sealed);
  const at = (bytes[0] ?? 0) % sealed.length;
  bytes.subarray(1).copy(changed, at);
  if (!changed.equals(sealed)) refused(changed);
  refused(sealed.subarray(0, at));
  if (bytes.length > 1) refused(Buffer.concat([sealed, bytes.subarray(1)]));
  assert.equal(open(key, context, sealed).toString(), 'the plaintext');
  const own = seal(key, bytes, bytes);
  assert.equal(own.length, SEAL_OVERHEAD + bytes.length);
  assert.deepEqual(open(key, bytes, own), bytes);
}

function refused(bytes: Buffer): void {
  try {
    open(key, context, bytes);
  } catch (error) {
    assert.ok(
      error instanceof SecretsError && error.code === 'decryption_failed' && error.cause === undefined,
    );
    return;
  }
  assert.fail('it opened');
}
