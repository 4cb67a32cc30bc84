import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import {
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetPublicKeyCommand,
  type KMSClient,
  SignCommand,
} from '@aws-sdk/client-kms';
import { decryptionFailed } from '../envelope/envelope.ts';
import type {
  EncryptionContext,
  GeneratedDataKey,
  KeyService,
  SigningPurpose,
} from '../envelope/key-service.ts';
import { signedBytes } from '../envelope/signature.ts';
import { Deadline } from './deadline.ts';
import { asBuffer } from './expressions.ts';
import { nameOf, toFailure, unavailable } from './failures.ts';

/** Not what this key wrapped for this context; everything else means that KMS cannot say now. */
const NOT_OURS = ['InvalidCiphertextException', 'IncorrectKeyException'];

/** A symmetric KMS key that wraps data keys once more, and the client of its region. */
export interface RecoveryKey {
  readonly client: KMSClient;
  /** Its ARN: the key may be another account's. */
  readonly id: string;
}

/**
 * The KeyService on AWS KMS. Every request names the key: a wrapped key that another KMS key made is refused,
 * even where this process might use that one too.
 */
export class KmsKeyService implements KeyService {
  readonly #client: KMSClient;
  /** A symmetric key's ARN. */
  readonly #dataKeyId: string;
  /** The ARN of a key of ECC_NIST_P256 that signs. */
  readonly #signingKeyId: string;
  readonly #recovery: RecoveryKey | null;
  #publicKey: Promise<KeyObject> | undefined;

  constructor(
    client: KMSClient,
    dataKeyId: string,
    signingKeyId: string,
    recovery: RecoveryKey | null = null,
  ) {
    this.#client = client;
    this.#dataKeyId = dataKeyId;
    this.#signingKeyId = signingKeyId;
    this.#recovery = recovery;
  }

  async generateDataKey(context: EncryptionContext): Promise<GeneratedDataKey> {
    const command = new GenerateDataKeyCommand({
      KeyId: this.#dataKeyId,
      KeySpec: 'AES_256',
      EncryptionContext: kmsContext(context),
    });
    const { Plaintext, CiphertextBlob } = await this.#send((options) => this.#client.send(command, options));
    if (Plaintext?.length !== 32 || CiphertextBlob === undefined) throw unavailable();
    const plaintext = asBuffer(Plaintext);
    try {
      return {
        plaintext,
        wrapped: CiphertextBlob,
        recovery: await this.#wrapForRecovery(plaintext, context),
      };
    } catch (error) {
      plaintext.fill(0);
      throw error;
    }
  }

  /** Under the same context: who holds the recovery key opens it as {@link unwrapDataKey} does. */
  async #wrapForRecovery(plaintext: Buffer, context: EncryptionContext): Promise<Uint8Array | null> {
    if (this.#recovery === null) return null;
    const { client, id } = this.#recovery;
    const command = new EncryptCommand({
      KeyId: id,
      Plaintext: plaintext,
      EncryptionContext: kmsContext(context),
    });
    const { CiphertextBlob } = await this.#send((options) => client.send(command, options));
    if (CiphertextBlob === undefined) throw unavailable();
    return CiphertextBlob;
  }

  async unwrapDataKey(wrapped: Uint8Array, context: EncryptionContext): Promise<Buffer> {
    const command = new DecryptCommand({
      KeyId: this.#dataKeyId,
      CiphertextBlob: wrapped,
      EncryptionContext: kmsContext(context),
    });
    const { Plaintext } = await this.#send((options) => this.#client.send(command, options));
    if (Plaintext?.length !== 32) throw decryptionFailed();
    return asBuffer(Plaintext);
  }

  async sign(purpose: SigningPurpose, message: Uint8Array): Promise<Uint8Array> {
    const command = new SignCommand({
      KeyId: this.#signingKeyId,
      // The digest, since KMS takes messages of 4,096 bytes at most.
      Message: hash('sha256', signedBytes(purpose, message), 'buffer'),
      MessageType: 'DIGEST',
      SigningAlgorithm: 'ECDSA_SHA_256',
    });
    const { Signature } = await this.#send((options) => this.#client.send(command, options));
    if (Signature === undefined) throw unavailable();
    return Signature;
  }

  publicKey(): Promise<KeyObject> {
    if (this.#publicKey === undefined) {
      const asked = this.#askPublicKey();
      this.#publicKey = asked;
      // A failure is not remembered: the next caller asks again.
      asked.catch(() => {
        this.#publicKey = undefined;
      });
    }
    return this.#publicKey;
  }

  async #askPublicKey(): Promise<KeyObject> {
    const command = new GetPublicKeyCommand({ KeyId: this.#signingKeyId });
    const { PublicKey } = await this.#send((options) => this.#client.send(command, options));
    if (PublicKey === undefined) throw unavailable();
    return createPublicKey({ key: asBuffer(PublicKey), format: 'der', type: 'spki' });
  }

  async #send<T>(send: (options: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    try {
      return await send({ abortSignal: new Deadline().signal });
    } catch (error) {
      throw NOT_OURS.includes(nameOf(error)) ? decryptionFailed() : toFailure(error);
    }
  }
}

/** What KMS binds into the wrapped key, writes to its log, and key policies may ask for. */
function kmsContext({ org, environment, data_key }: EncryptionContext): Record<string, string> {
  const context = { use: 'flowmason/data-key/v1', org, data_key };
  return environment === null ? context : { ...context, environment };
}
