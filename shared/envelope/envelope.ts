import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { SecretsError } from '../contract/errors.ts';

/**
 * The envelope: how bytes are sealed under a data key. docs/envelope.md has the picture.
 *
 *   format 1 | salt 32 | commitment 32 | nonce 12 | tag 16 | ciphertext
 *
 * version key ‖ commitment = HKDF-SHA-256(data key, salt, "flowmason/seal/v1" ‖ SHA-256(context), 64 bytes).
 * The context also goes into GCM as additional data. The commitment is compared before anything is
 * decrypted: GCM alone lets one ciphertext open under two keys (Albertini et al., USENIX Security 2022).
 */
const FORMAT = 1;
const SALT = { from: 1, to: 33 } as const;
const COMMITMENT = { from: 33, to: 65 } as const;
const NONCE = { from: 65, to: 77 } as const;
const TAG = { from: 77, to: 93 } as const;
const LABEL = Buffer.from('flowmason/seal/v1');

/** Bytes that sealing adds. */
export const SEAL_OVERHEAD = TAG.to;

/**
 * Seals bytes under a data key, bound to a context.
 * @param dataKey 32 bytes
 * @param context what must be the same when it is opened: see {@link lengthPrefixed}
 */
export function seal(dataKey: Uint8Array, context: Uint8Array, plaintext: Uint8Array): Buffer {
  const sealed = Buffer.alloc(SEAL_OVERHEAD + plaintext.length);
  sealed[0] = FORMAT;
  randomBytes(32).copy(sealed, SALT.from);
  randomBytes(12).copy(sealed, NONCE.from);
  const derived = derive(dataKey, sealed.subarray(SALT.from, SALT.to), context);
  derived.copy(sealed, COMMITMENT.from, 32);
  const cipher = createCipheriv(
    'aes-256-gcm',
    asKey(derived.subarray(0, 32)),
    sealed.subarray(NONCE.from, NONCE.to),
    {
      authTagLength: 16,
    },
  );
  cipher.setAAD(context);
  cipher.update(plaintext).copy(sealed, SEAL_OVERHEAD);
  cipher.final();
  cipher.getAuthTag().copy(sealed, TAG.from);
  derived.fill(0);
  return sealed;
}

/**
 * Opens what {@link seal} made. The caller zeroes the plaintext.
 * @throws SecretsError `decryption_failed` for any other key, context or byte; it says nothing more, since
 *   whoever tampers learns from differences
 */
export function open(dataKey: Uint8Array, context: Uint8Array, sealed: Buffer): Buffer {
  if (sealed.length < SEAL_OVERHEAD || sealed[0] !== FORMAT) throw decryptionFailed();
  const derived = derive(dataKey, sealed.subarray(SALT.from, SALT.to), context);
  try {
    const commitment = sealed.subarray(COMMITMENT.from, COMMITMENT.to);
    if (!timingSafeEqual(derived.subarray(32), commitment)) throw decryptionFailed();
    return decrypt(derived.subarray(0, 32), context, sealed);
  } finally {
    derived.fill(0);
  }
}

function decrypt(key: Buffer, context: Uint8Array, sealed: Buffer): Buffer {
  // authTagLength is given because Node accepts tags of 4 bytes by default.
  const decipher = createDecipheriv('aes-256-gcm', asKey(key), sealed.subarray(NONCE.from, NONCE.to), {
    authTagLength: 16,
  });
  decipher.setAAD(context);
  decipher.setAuthTag(sealed.subarray(TAG.from, TAG.to));
  const plaintext = decipher.update(sealed.subarray(SEAL_OVERHEAD));
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    throw decryptionFailed();
  }
}

function derive(dataKey: Uint8Array, salt: Uint8Array, context: Uint8Array): Buffer {
  const info = Buffer.concat([LABEL, hash('sha256', context, 'buffer')]);
  return Buffer.from(hkdfSync('sha256', asKey(dataKey), salt, info, 64));
}

/** A key for one operation. Node 24 takes a fresh KeyObject three times as fast as the bytes themselves. */
function asKey(bytes: Uint8Array): KeyObject {
  return createSecretKey(bytes);
}

/** The key that authenticates records under a data key; 32 bytes, apart from every version key by its label. */
export function deriveRecordKey(dataKey: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', asKey(dataKey), '', 'flowmason/record/v1', 32));
}

/** HMAC-SHA-256 over bytes that must not change unseen but need not be hidden. */
export function authenticate(recordKey: Uint8Array, context: Uint8Array): Buffer {
  return createHmac('sha256', asKey(recordKey)).update(context).digest();
}

/** Checks {@link authenticate} in constant time. @throws SecretsError `decryption_failed` */
export function assertAuthentic(recordKey: Uint8Array, context: Uint8Array, mac: Uint8Array): void {
  const expected = authenticate(recordKey, context);
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) throw decryptionFailed();
}

/** The one failure of opening: a fixed text and no cause. */
export function decryptionFailed(): SecretsError {
  return new SecretsError(
    'decryption_failed',
    'A stored secret is not what was stored. Nothing was returned; restore it from a backup or store it again.',
  );
}
