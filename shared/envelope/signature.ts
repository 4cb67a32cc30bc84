import { hash, verify } from 'node:crypto';
import { lengthPrefixed } from './bytes.ts';
import type { KeyService, SigningPurpose } from './key-service.ts';

/**
 * What is signed: the purpose bound to the message, so that a run token can never be read as a key record. A
 * checkpoint is signed as it stands, so that other people's tools can verify it; it begins with text, and
 * everything else with the length of its purpose, so that neither can be read as the other.
 */
export function signedBytes(purpose: SigningPurpose, message: Uint8Array): Uint8Array {
  if (purpose === 'checkpoint') return message;
  return lengthPrefixed([`flowmason/${purpose}/v1`, message]);
}

const REMEMBERED = 10_000;

/**
 * Verifies the KeyService's signatures with its public key. What verified once is remembered by its digest:
 * a signature stays valid for ever, and checking it costs a hundred times as much as looking it up.
 */
export class SignatureVerifier {
  readonly #keys: Pick<KeyService, 'publicKey'>;
  readonly #verified = new Set<string>();

  constructor(keys: Pick<KeyService, 'publicKey'>) {
    this.#keys = keys;
  }

  async verifies(purpose: SigningPurpose, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
    const bytes = signedBytes(purpose, message);
    const digest = hash('sha256', lengthPrefixed([bytes, signature]), 'base64');
    if (this.#verified.has(digest)) return true;
    const key = await this.#keys.publicKey();
    if (!verify('sha256', bytes, key, signature)) return false;
    if (this.#verified.size >= REMEMBERED) this.#verified.clear();
    this.#verified.add(digest);
    return true;
  }
}
