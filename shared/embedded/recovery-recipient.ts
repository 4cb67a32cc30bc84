import { hash, timingSafeEqual } from 'node:crypto';
import type { Encrypter } from 'age-encryption';
import { SecretsError } from '../contract/errors.ts';
import { decryptionFailed } from '../envelope/envelope.ts';
import type { EncryptionContext } from '../envelope/key-service.ts';
import { contextBytes } from './data-key-context.ts';

const DATA_KEY_BYTES = 32;

/**
 * Whom every data key is wrapped for a second time: a recipient of age (`age1…`), whose identity is kept where this
 * process cannot reach it. age encrypts without additional data, so what is encrypted begins with the context's digest:
 *
 *   SHA-256(context) 32 | data key 32
 */
export class RecoveryRecipient {
  readonly #recipient: string;

  constructor(recipient: string) {
    this.#recipient = recipient;
  }

  /** @throws SecretsError `unavailable` when it is no recipient */
  async check(): Promise<void> {
    await this.#encrypter();
  }

  /** @throws SecretsError `unavailable` when it is no recipient */
  async wrap(dataKey: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    const encrypter = await this.#encrypter();
    const content = Buffer.concat([contextDigest(context), dataKey]);
    try {
      return await encrypter.encrypt(content);
    } finally {
      content.fill(0);
    }
  }

  async #encrypter(): Promise<Encrypter> {
    // Loaded only where a recipient is named: age takes 80 ms that no other start has use for.
    const age = await import('age-encryption');
    const encrypter = new age.Encrypter();
    try {
      encrypter.addRecipient(this.#recipient);
    } catch {
      throw new SecretsError('unavailable', 'FM_RECOVERY_RECIPIENT is not a recipient of age (age1…).');
    }
    return encrypter;
  }
}

/**
 * The data key that {@link RecoveryRecipient} wrapped, by the identity (`AGE-SECRET-KEY-1…`). The caller zeroes it.
 * @throws SecretsError `decryption_failed` when it was not wrapped for this identity and this context
 */
export async function openRecovery(
  recovery: Uint8Array,
  context: EncryptionContext,
  identity: string,
): Promise<Buffer> {
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  let content: Buffer;
  try {
    decrypter.addIdentity(identity);
    content = Buffer.from(await decrypter.decrypt(recovery));
  } catch {
    throw decryptionFailed();
  }
  const digest = contextDigest(context);
  const isBound =
    content.length === digest.length + DATA_KEY_BYTES &&
    timingSafeEqual(content.subarray(0, digest.length), digest);
  if (!isBound) throw decryptionFailed();
  return content.subarray(digest.length);
}

function contextDigest(context: EncryptionContext): Buffer {
  return hash('sha256', contextBytes(context), 'buffer');
}
