import { hash } from 'node:crypto';
import { lengthPrefixed } from './bytes.ts';
import type { EncryptionContext } from './key-service.ts';

/** What a wrapped data key is bound to, as bytes. */
export function contextBytes({ org, environment, data_key }: EncryptionContext): Buffer {
  return lengthPrefixed(['flowmason/data-key/v1', org, environment ?? '', data_key]);
}

/** Its SHA-256, for what cannot bind additional data. */
export function contextDigest(context: EncryptionContext): Buffer {
  return hash('sha256', contextBytes(context), 'buffer');
}
