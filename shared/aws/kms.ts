import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import {
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateMacCommand,
  GetPublicKeyCommand,
  type KMSClient,
  SignCommand,
} from '@aws-sdk/client-kms';
import { decryptionFailed } from '../envelope/envelope.ts';
import { macBytes } from '../envelope/fingerprint.ts';
import type {
  EncryptionContext,
  GeneratedDataKey,
  KeyService,
  MacPurpose,
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

/** The ARNs of the KMS keys that it uses. */
interface KeyArns {
  /** Symmetric: wraps data keys. */
  readonly dataKeyId: string;
  /** ECC_NIST_P256: signs. */
  readonly signingKeyId: string;
  /** HMAC_256: makes fingerprints. */
  readonly macKeyId: string;
}

/**
 * The KeyService on AWS KMS. Every request names the key: a wrapped key that another KMS key made is refused,
 * even where this process might use that one too.
 */
export class KmsKeyService implements KeyService {
  readonly #client: KMSClient;
  readonly #arns: KeyArns;
  readonly #recovery: RecoveryKey | null;
  readonly #onFailure: (name: string) => void;
  #publicKey: Promise<KeyObject> | undefined;

  /** @param onFailure is told the name of each failure that becomes `unavailable` */
  constructor(
    client: KMSClient,
    arns: KeyArns,
    recovery: RecoveryKey | null = null,
    onFailure: (name: string) => void = () => undefined,
  ) {
    this.#client = client;
    this.#arns = arns;
    this.#recovery = recovery;
    this.#onFailure = onFailure;
  }

  async generateDataKey(context: EncryptionContext): Promise<GeneratedDataKey> {
    const command = new GenerateDataKeyCommand({
      KeyId: this.#arns.dataKeyId,
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

  async wrapDataKey(dataKey: Uint8Array, context: EncryptionContext) {
    const main = { client: this.#client, id: this.#arns.dataKeyId };
    return {
      wrapped: await this.#encrypt(main, dataKey, context),
      recovery: await this.#wrapForRecovery(dataKey, context),
    };
  }

  /** Under the same context: who holds the recovery key opens it as {@link unwrapDataKey} does. */
  async #wrapForRecovery(dataKey: Uint8Array, context: EncryptionContext): Promise<Uint8Array | null> {
    return this.#recovery === null ? null : this.#encrypt(this.#recovery, dataKey, context);
  }

  async #encrypt({ client, id }: RecoveryKey, dataKey: Uint8Array, context: EncryptionContext) {
    const command = new EncryptCommand({
      KeyId: id,
      Plaintext: dataKey,
      EncryptionContext: kmsContext(context),
    });
    const { CiphertextBlob } = await this.#send((options) => client.send(command, options));
    if (CiphertextBlob === undefined) throw unavailable();
    return CiphertextBlob;
  }

  async unwrapDataKey(wrapped: Uint8Array, context: EncryptionContext): Promise<Buffer> {
    const command = new DecryptCommand({
      KeyId: this.#arns.dataKeyId,
      CiphertextBlob: wrapped,
      EncryptionContext: kmsContext(context),
    });
    const { Plaintext } = await this.#send((options) => this.#client.send(command, options));
    if (Plaintext?.length !== 32) throw decryptionFailed();
    return asBuffer(Plaintext);
  }

  async sign(purpose: SigningPurpose, message: Uint8Array): Promise<Uint8Array> {
    const command = new SignCommand({
      KeyId: this.#arns.signingKeyId,
      // The digest, since KMS takes messages of 4,096 bytes at most.
      Message: hash('sha256', signedBytes(purpose, message), 'buffer'),
      MessageType: 'DIGEST',
      SigningAlgorithm: 'ECDSA_SHA_256',
    });
    const { Signature } = await this.#send((options) => this.#client.send(command, options));
    if (Signature === undefined) throw unavailable();
    return Signature;
  }

  async mac(purpose: MacPurpose, message: Uint8Array): Promise<Buffer> {
    const command = new GenerateMacCommand({
      KeyId: this.#arns.macKeyId,
      Message: macBytes(purpose, message),
      MacAlgorithm: 'HMAC_SHA_256',
    });
    const { Mac } = await this.#send((options) => this.#client.send(command, options));
    if (Mac?.length !== 32) throw unavailable();
    return asBuffer(Mac);
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
    const command = new GetPublicKeyCommand({ KeyId: this.#arns.signingKeyId });
    const { PublicKey } = await this.#send((options) => this.#client.send(command, options));
    if (PublicKey === undefined) throw unavailable();
    return createPublicKey({ key: asBuffer(PublicKey), format: 'der', type: 'spki' });
  }

  async #send<T>(send: (options: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    try {
      return await send({ abortSignal: new Deadline().signal });
    } catch (error) {
      if (NOT_OURS.includes(nameOf(error))) throw decryptionFailed();
      this.#onFailure(nameOf(error));
      throw toFailure(error);
    }
  }
}

/** What KMS binds into the wrapped key, writes to its log, and key policies may ask for. */
function kmsContext({ org, environment, data_key }: EncryptionContext): Record<string, string> {
  const context = { use: 'flowmason/data-key/v1', org, data_key };
  return environment === null ? context : { ...context, environment };
}
