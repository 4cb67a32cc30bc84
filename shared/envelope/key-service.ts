import type { KeyObject } from 'node:crypto';
import type { EnvironmentName, OrganizationId } from '../contract/ids.ts';

/** What a data key is wrapped for. The wrapped form opens under exactly this context and no other. */
export interface EncryptionContext {
  readonly org: OrganizationId;
  readonly environment: EnvironmentName | null;
  readonly data_key: string;
}

/** A new data key: itself, and wrapped. The caller zeroes the plaintext. */
export interface GeneratedDataKey {
  readonly plaintext: Buffer;
  readonly wrapped: Uint8Array;
  /** Wrapped once more, for a key that this process can only encrypt to; null when none is named. */
  readonly recovery: Uint8Array | null;
}

/** What a signature is for; a signature made for one purpose never passes for another. */
export type SigningPurpose = 'api-key' | 'run-token' | 'checkpoint' | 'organization' | 'backup';

/** What a code is for; a code made for one purpose never passes for another. */
export type MacPurpose = 'fingerprint' | 'version' | 'rotator';

/** The root of the key hierarchy: AWS KMS, or a keyring file on this machine. */
export interface KeyService {
  /**
   * A new 32-byte data key and its wrapped forms.
   * @throws SecretsError `unavailable` when the root key or the recovery key cannot be used now: what only one of
   *   them opens would be lost with it
   */
  generateDataKey(context: EncryptionContext): Promise<GeneratedDataKey>;

  /**
   * The wrapped forms of a data key that was made before, for a store that moves to this root key.
   * @throws SecretsError as {@link generateDataKey}
   */
  wrapDataKey(dataKey: Uint8Array, context: EncryptionContext): Promise<Omit<GeneratedDataKey, 'plaintext'>>;

  /**
   * The 32 bytes of a wrapped data key. The caller zeroes them.
   * @throws SecretsError `decryption_failed` when it was not wrapped by this root for this context;
   *   `unavailable` when the root key cannot be used now
   */
  unwrapDataKey(wrapped: Uint8Array, context: EncryptionContext): Promise<Buffer>;

  /**
   * An ECDSA P-256 SHA-256 signature (DER) over {@link signedBytes}.
   * @throws SecretsError `unavailable` when the signing key cannot be used now
   */
  sign(purpose: SigningPurpose, message: Uint8Array): Promise<Uint8Array>;

  /**
   * HMAC-SHA-256 over {@link macBytes}, 32 bytes, under a key that never leaves here: the same for the same
   * message for ever, also after root keys were rotated.
   * @param message 4,000 bytes at most
   * @throws SecretsError `unavailable` when the key cannot be used now
   */
  mac(purpose: MacPurpose, message: Uint8Array): Promise<Buffer>;

  /** The public half of the signing key; it does not change while the process runs. */
  publicKey(): Promise<KeyObject>;
}
