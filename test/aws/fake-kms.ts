import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  randomUUID,
} from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import * as z from 'zod';
import { canonicalJson } from '../../shared/audit/chain.ts';
import { signDigest } from './sign-digest.ts';

const base64 = z.base64().transform((text) => Buffer.from(text, 'base64'));
const context = z.record(z.string(), z.string()).default({});
const requests = {
  GenerateDataKey: z.object({ KeyId: z.string(), KeySpec: z.literal('AES_256'), EncryptionContext: context }),
  Encrypt: z.object({ KeyId: z.string(), Plaintext: base64, EncryptionContext: context }),
  Decrypt: z.object({ KeyId: z.string().optional(), CiphertextBlob: base64, EncryptionContext: context }),
  Sign: z.object({
    KeyId: z.string(),
    Message: base64,
    MessageType: z.literal('DIGEST'),
    SigningAlgorithm: z.literal('ECDSA_SHA_256'),
  }),
  GenerateMac: z.object({
    KeyId: z.string(),
    Message: base64.refine((bytes) => bytes.length <= 4096),
    MacAlgorithm: z.literal('HMAC_SHA_256'),
  }),
  GetPublicKey: z.object({ KeyId: z.string() }),
};
type Operation = keyof typeof requests;

/** One request, as KMS's own log would show it. */
export interface LedgerEntry {
  readonly operation: Operation;
  readonly keyId: string | undefined;
  readonly context: Readonly<Record<string, string>>;
}

type FakeKey = { readonly root: Buffer } | { readonly mac: Buffer } | { readonly signing: KeyObject };

class KmsError extends Error {
  constructor(name: string) {
    super(name);
    this.name = name;
  }
}

const KEY_ID_BYTES = 36;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AWS KMS as far as KeyService goes, over its own protocol on loopback: ciphertexts are authenticated, the
 * encryption context is their additional data, the key is named in them, and failures have KMS's names. No
 * emulator's cipher is all of that.
 */
export class FakeKms {
  readonly ledger: LedgerEntry[] = [];
  /** Thrown by every request while it is set, for example `DisabledException`. */
  failure: string | null = null;
  /** The only operation that throws {@link failure}; null for all. */
  failing: Operation | null = null;
  readonly #keys = new Map<string, FakeKey>();
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response));

  createDataKey(): string {
    return this.#add({ root: randomBytes(32) });
  }

  createSigningKey(): string {
    return this.#add({ signing: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey });
  }

  createMacKey(): string {
    return this.#add({ mac: randomBytes(32) });
  }

  /** Starts listening. @returns the endpoint */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new TypeError('no port');
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #add(key: FakeKey): string {
    const id = `arn:aws:kms:us-east-1:111111111111:key/${randomUUID()}`;
    this.#keys.set(id, key);
    return id;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const operation = String(request.headers['x-amz-target']).split('.')[1] as Operation;
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    try {
      const answer = this.#carryOut(operation, JSON.parse(Buffer.concat(chunks).toString()));
      response.end(JSON.stringify(answer));
    } catch (error) {
      response.statusCode = error instanceof KmsError ? 400 : 500;
      response.end(
        JSON.stringify({ __type: error instanceof KmsError ? error.name : 'KMSInternalException' }),
      );
    }
  }

  #carryOut(operation: Operation, body: unknown): object {
    const { KeyId } = z.object({ KeyId: z.string().optional() }).parse(body);
    const entry = z.object({ EncryptionContext: context }).parse(body);
    this.ledger.push({ operation, keyId: KeyId, context: entry.EncryptionContext });
    if (this.failure !== null && (this.failing ?? operation) === operation) throw new KmsError(this.failure);
    switch (operation) {
      case 'GenerateDataKey':
        return this.#generate(requests.GenerateDataKey.parse(body));
      case 'Encrypt': {
        const { KeyId: id, Plaintext, EncryptionContext } = requests.Encrypt.parse(body);
        return { KeyId: id, CiphertextBlob: this.#encrypt(id, Plaintext, EncryptionContext) };
      }
      case 'Decrypt':
        return this.#decrypt(requests.Decrypt.parse(body));
      case 'Sign': {
        const { KeyId: id, Message } = requests.Sign.parse(body);
        return { KeyId: id, Signature: signDigest(this.#signingKey(id), Message).toString('base64') };
      }
      case 'GenerateMac': {
        const { KeyId: id, Message } = requests.GenerateMac.parse(body);
        return {
          KeyId: id,
          Mac: createHmac('sha256', this.#macKey(id)).update(Message).digest('base64'),
        };
      }
      case 'GetPublicKey': {
        const { KeyId: id } = requests.GetPublicKey.parse(body);
        return { KeyId: id, PublicKey: publicHalf(this.#signingKey(id)).toString('base64') };
      }
    }
  }

  #generate({ KeyId, EncryptionContext }: z.infer<typeof requests.GenerateDataKey>): object {
    const plaintext = randomBytes(32);
    const CiphertextBlob = this.#encrypt(KeyId, plaintext, EncryptionContext);
    return { KeyId, Plaintext: plaintext.toString('base64'), CiphertextBlob };
  }

  #encrypt(keyId: string, plaintext: Buffer, encryptionContext: Record<string, string>): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#root(keyId), nonce);
    const id = Buffer.from(keyId.slice(-KEY_ID_BYTES));
    cipher.setAAD(additionalData(id, encryptionContext));
    const encrypted = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([id, nonce, cipher.getAuthTag(), encrypted]).toString('base64');
  }

  #decrypt({ KeyId, CiphertextBlob: blob, EncryptionContext }: z.infer<typeof requests.Decrypt>): object {
    const id = blob.subarray(0, KEY_ID_BYTES);
    const name = [...this.#keys.keys()].find((key) => key.endsWith(`/${id.toString('latin1')}`));
    if (name === undefined || blob.length !== KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES + 32)
      throw new KmsError('InvalidCiphertextException');
    if (KeyId !== undefined && KeyId !== name) throw new KmsError('IncorrectKeyException');
    const [nonceEnd, tagEnd] = [KEY_ID_BYTES + NONCE_BYTES, KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES];
    const decipher = createDecipheriv(
      'aes-256-gcm',
      this.#root(name),
      blob.subarray(KEY_ID_BYTES, nonceEnd),
      {
        authTagLength: TAG_BYTES,
      },
    );
    decipher.setAAD(additionalData(id, EncryptionContext));
    decipher.setAuthTag(blob.subarray(nonceEnd, tagEnd));
    try {
      const plaintext = Buffer.concat([decipher.update(blob.subarray(tagEnd)), decipher.final()]);
      return { KeyId: name, Plaintext: plaintext.toString('base64') };
    } catch {
      throw new KmsError('InvalidCiphertextException');
    }
  }

  #root(id: string): Buffer {
    const key = this.#keys.get(id);
    if (key === undefined) throw new KmsError('NotFoundException');
    if (!('root' in key)) throw new KmsError('InvalidKeyUsageException');
    return key.root;
  }

  #macKey(id: string): Buffer {
    const key = this.#keys.get(id);
    if (key === undefined) throw new KmsError('NotFoundException');
    if (!('mac' in key)) throw new KmsError('InvalidKeyUsageException');
    return key.mac;
  }

  #signingKey(id: string): KeyObject {
    const key = this.#keys.get(id);
    if (key === undefined) throw new KmsError('NotFoundException');
    if (!('signing' in key)) throw new KmsError('InvalidKeyUsageException');
    return key.signing;
  }
}

function additionalData(id: Buffer, encryptionContext: Record<string, string>): Buffer {
  return Buffer.concat([id, Buffer.from(canonicalJson(encryptionContext))]);
}

function publicHalf(key: KeyObject): Buffer {
  return createPublicKey(key.export({ format: 'pem', type: 'pkcs8' })).export({
    format: 'der',
    type: 'spki',
  });
}
