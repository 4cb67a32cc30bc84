import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  randomUUID,
  sign,
} from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import { SecretsError } from '../contract/errors.ts';
import { contextBytes } from '../envelope/data-key-context.ts';
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
import { refuseSharedFile, writePrivateFile } from './files.ts';
import type { RecoveryRecipient } from './recovery-recipient.ts';

const keyringFile = z.strictObject({
  format: z.literal(1),
  /** The root keys by id; the last one wraps, all of them unwrap. */
  root_keys: z
    .array(z.strictObject({ id: z.uuid(), created_at: z.string(), key: z.base64().length(44) }))
    .min(1),
  /** P-256, PKCS #8, base64. */
  signing_key: z.base64(),
  /** Makes fingerprints. Never rotated: with another key no two fingerprints could be compared. */
  mac_key: z.base64().length(44),
});

/**
 *   format 1 | root key id 16 | nonce 12 | tag 16 | 32 bytes of data key
 *
 * AES-256-GCM under the root key; the encryption context is its additional data, as in KMS.
 */
const FORMAT = 1;
const ID = { from: 1, to: 17 } as const;
const NONCE = { from: 17, to: 29 } as const;
const TAG = { from: 29, to: 45 } as const;
const WRAPPED_BYTES = 77;

/** The embedded KeyService: a keyring file, read once at start. */
export class Keyring implements KeyService {
  readonly #rootKeys = new Map<string, Buffer>();
  readonly #currentId: string;
  readonly #signingKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #recovery: RecoveryRecipient | null;
  readonly #macKey: KeyObject;

  private constructor(file: z.infer<typeof keyringFile>, recovery: RecoveryRecipient | null) {
    this.#recovery = recovery;
    for (const { id, key } of file.root_keys) this.#rootKeys.set(uuidHex(id), Buffer.from(key, 'base64'));
    this.#currentId = uuidHex(file.root_keys.at(-1)?.id ?? '');
    this.#signingKey = createPrivateKey({
      key: Buffer.from(file.signing_key, 'base64'),
      format: 'der',
      type: 'pkcs8',
    });
    this.#publicKey = createPublicKey(this.#signingKey);
    this.#macKey = createSecretKey(file.mac_key, 'base64');
  }

  /**
   * Opens the keyring, or makes one where there is neither a keyring nor anything sealed under it.
   * @throws SecretsError `unavailable` when it is missing, damaged, or readable by others
   */
  static open(path: string, storeHoldsKeys: boolean, recovery: RecoveryRecipient | null = null): Keyring {
    if (!existsSync(path)) {
      if (storeHoldsKeys) {
        throw new SecretsError(
          'unavailable',
          `The store holds secrets, but their keyring ${path} is missing. Bring it back, or name it in FM_KEYRING.`,
        );
      }
      writePrivateFile(path, JSON.stringify(generateKeyring(), null, 2));
    }
    return new Keyring(readKeyring(path), recovery);
  }

  /**
   * Adds a new root key to a keyring file, which wraps from the next start on; the old ones still unwrap.
   * @throws SecretsError `unavailable` when it is missing, damaged, or readable by others
   */
  static addRootKey(path: string): void {
    const file = readKeyring(path);
    writePrivateFile(
      path,
      JSON.stringify({ ...file, root_keys: [...file.root_keys, newRootKey()] }, null, 2),
    );
  }

  /** Whether it is the newest root key that wrapped this. */
  isCurrent(wrapped: Uint8Array): boolean {
    return Buffer.from(wrapped).toString('hex', ID.from, ID.to) === this.#currentId;
  }

  async generateDataKey(context: EncryptionContext): Promise<GeneratedDataKey> {
    const plaintext = randomBytes(32);
    try {
      return { plaintext, ...(await this.wrapDataKey(plaintext, context)) };
    } catch (error) {
      plaintext.fill(0);
      throw error;
    }
  }

  async wrapDataKey(dataKey: Uint8Array, context: EncryptionContext) {
    const recovery = (await this.#recovery?.wrap(dataKey, context)) ?? null;
    return { wrapped: this.#wrap(dataKey, context), recovery };
  }

  #wrap(plaintext: Uint8Array, context: EncryptionContext): Buffer {
    const wrapped = Buffer.alloc(WRAPPED_BYTES);
    wrapped[0] = FORMAT;
    wrapped.write(this.#currentId, ID.from, 'hex');
    randomBytes(12).copy(wrapped, NONCE.from);
    const nonce = wrapped.subarray(NONCE.from, NONCE.to);
    const cipher = createCipheriv('aes-256-gcm', this.#rootKey(this.#currentId), nonce, {
      authTagLength: 16,
    });
    cipher.setAAD(contextBytes(context));
    cipher.update(plaintext).copy(wrapped, TAG.to);
    cipher.final();
    cipher.getAuthTag().copy(wrapped, TAG.from);
    return wrapped;
  }

  async unwrapDataKey(bytes: Uint8Array, context: EncryptionContext): Promise<Buffer> {
    const wrapped = Buffer.from(bytes);
    if (wrapped.length !== WRAPPED_BYTES || wrapped[0] !== FORMAT) throw decryptionFailed();
    const rootKey = this.#rootKey(wrapped.toString('hex', ID.from, ID.to));
    const nonce = wrapped.subarray(NONCE.from, NONCE.to);
    const decipher = createDecipheriv('aes-256-gcm', rootKey, nonce, { authTagLength: 16 });
    decipher.setAAD(contextBytes(context));
    decipher.setAuthTag(wrapped.subarray(TAG.from, TAG.to));
    const plaintext = decipher.update(wrapped.subarray(TAG.to));
    try {
      decipher.final();
      return plaintext;
    } catch {
      plaintext.fill(0);
      throw decryptionFailed();
    }
  }

  async sign(purpose: SigningPurpose, message: Uint8Array): Promise<Uint8Array> {
    return sign('sha256', signedBytes(purpose, message), this.#signingKey);
  }

  async mac(purpose: MacPurpose, message: Uint8Array): Promise<Buffer> {
    return createHmac('sha256', this.#macKey).update(macBytes(purpose, message)).digest();
  }

  async publicKey(): Promise<KeyObject> {
    return this.#publicKey;
  }

  #rootKey(id: string): Buffer {
    const key = this.#rootKeys.get(id);
    if (key === undefined) throw decryptionFailed();
    return key;
  }
}

/** @throws SecretsError `unavailable` when it is damaged, or readable by others */
function readKeyring(path: string): z.infer<typeof keyringFile> {
  refuseSharedFile(path);
  const parsed = keyringFile.safeParse(parseJson(readFileSync(path, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new SecretsError('unavailable', `${path} is not a keyring. Bring it back from a backup.`);
}

function newRootKey() {
  const key = randomBytes(32).toString('base64');
  return { id: randomUUID(), created_at: new Date().toISOString(), key };
}

function generateKeyring(): z.infer<typeof keyringFile> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signing_key = privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64');
  const mac_key = randomBytes(32).toString('base64');
  return { format: 1, root_keys: [newRootKey()], signing_key, mac_key };
}

function uuidHex(id: string): string {
  return id.replaceAll('-', '');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
