import type { Encrypter } from 'age-encryption';
import { SecretsError } from '../contract/errors.ts';
import { contextDigest } from '../envelope/data-key-context.ts';
import type { EncryptionContext } from '../envelope/key-service.ts';

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
