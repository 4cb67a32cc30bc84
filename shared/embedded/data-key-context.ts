import { lengthPrefixed } from '../envelope/bytes.ts';
import type { EncryptionContext } from '../envelope/key-service.ts';

/** What a wrapped data key is bound to, as bytes. */
export function contextBytes({ org, environment, data_key }: EncryptionContext): Buffer {
  return lengthPrefixed(['flowmason/data-key/v1', org, environment ?? '', data_key]);
}
