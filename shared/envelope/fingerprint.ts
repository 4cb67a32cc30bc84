import { createHash } from 'node:crypto';
import type { OrganizationId } from '../contract/ids.ts';
import type { Encoding } from '../contract/value.ts';
import { lengthPrefixed } from './bytes.ts';
import type { KeyService, MacPurpose } from './key-service.ts';

/** What a code is made over: the purpose bound to the message. */
export function macBytes(purpose: MacPurpose, message: Uint8Array): Buffer {
  return lengthPrefixed([`flowmason/${purpose}/v1`, message]);
}

const BYTES = 16;

/**
 * Tells whether two values of an organization are the same without opening either, and nothing to who cannot ask
 * the KeyService. The encoding is part of it: the same bytes resolve to other text in the other encoding.
 * @returns 32 hexadecimal digits
 * @throws SecretsError `unavailable`
 */
export async function fingerprint(
  keys: Pick<KeyService, 'mac'>,
  org: OrganizationId,
  value: Uint8Array,
  encoding: Encoding,
): Promise<string> {
  // The digest, since the KeyService takes 4,000 bytes; in pieces, since a copy of the value would stay behind.
  const digest = createHash('sha256')
    .update(lengthPrefixed([encoding]))
    .update(value)
    .digest();
  const code = await keys.mac('fingerprint', lengthPrefixed([org, digest]));
  return code.toString('hex', 0, BYTES);
}
