import { timingSafeEqual } from 'node:crypto';
import { contextDigest } from '../envelope/data-key-context.ts';
import { decryptionFailed } from '../envelope/envelope.ts';
import type { OpenRecovery } from './open-keys.ts';

const DATA_KEY_BYTES = 32;

/**
 * Opens data keys that were wrapped a second time for a recipient of age.
 * @param identity `AGE-SECRET-KEY-1…`
 */
export function recoveryBy(identity: string): OpenRecovery {
  return async (recovery, context) => {
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
  };
}
