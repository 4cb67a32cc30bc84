import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { open, seal } from '../shared/envelope/envelope.ts';
import type { Figures } from './figures.ts';
import { VALUE } from './store.ts';

const FLOOR = 'floor, of the machine';
export const ENVELOPE = 'envelope of 1 KB, open';

/** Microseconds that one turn takes, by the best of several portions: what else the machine does is not meant. */
async function timed(turns: number, turn: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let portion = 0; portion < 7; portion += 1) {
    const started = performance.now();
    for (let at = 0; at < turns; at += 1) {
      const value = turn();
      if (value instanceof Promise) await value;
    }
    best = Math.min(best, ((performance.now() - started) * 1000) / turns);
  }
  return best;
}

/** What no store on this machine can be faster than. */
export async function measureFloor(figures: Figures, folder: string): Promise<void> {
  const db = new DatabaseSync(join(folder, 'floor.db'));
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  db.exec('CREATE TABLE rows (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID; BEGIN');
  const insert = db.prepare('INSERT INTO rows VALUES (?, ?)');
  for (let at = 0; at < 10_000; at += 1) insert.run(`k${at}`, Buffer.from(VALUE));
  db.exec('COMMIT');
  const read = db.prepare('SELECT value FROM rows WHERE key = ?');
  let at = 0;
  const readOne = () => read.get(`k${(at++ * 7919) % 10_000}`);
  figures.add(FLOOR, 'node:sqlite, point read of 1 KB', 'µs', await timed(10_000, readOne));
  const insertOne = () => insert.run(`new ${at++}`, Buffer.from(VALUE));
  figures.add(FLOOR, 'node:sqlite, insert of 1 KB, synced', 'µs', await timed(100, insertOne));
  db.close();
}

/** The envelope beside its bare parts and beside the AWS Encryption SDK. */
export async function measureEnvelope(figures: Figures): Promise<void> {
  const dataKey = randomBytes(32);
  const context = Buffer.from('flowmason/version/v1 acme db_url#org#production# 7');
  const plaintext = Buffer.from(VALUE);
  const sealed = seal(dataKey, context, plaintext);
  const bare = bareOpening(dataKey, context, plaintext);
  const decrypt = await encryptionSdk(plaintext);
  for (let round = 0; round < 3; round += 1) {
    figures.add(ENVELOPE, 'bare HKDF and AES-256-GCM', 'µs', await timed(2000, bare));
    const ours = await timed(2000, () => open(dataKey, context, sealed));
    figures.add(ENVELOPE, 'FlowMason Secrets', 'µs', ours);
    figures.add(ENVELOPE, 'AWS Encryption SDK for JavaScript', 'µs', await timed(50, decrypt));
  }
}

function bareOpening(dataKey: Buffer, context: Buffer, plaintext: Buffer): () => Buffer {
  const salt = randomBytes(32);
  const nonce = randomBytes(12);
  const derive = () =>
    createSecretKey(Buffer.from(hkdfSync('sha256', createSecretKey(dataKey), salt, context, 32)));
  const cipher = createCipheriv('aes-256-gcm', derive(), nonce, { authTagLength: 16 });
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const tag = cipher.getAuthTag();
  return () => {
    const decipher = createDecipheriv('aes-256-gcm', derive(), nonce, { authTagLength: 16 });
    decipher.setAuthTag(tag);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  };
}

/** As much of the AWS Encryption SDK as is used; it is installed beside the bench, not in the package. */
interface EncryptionSdk {
  readonly CommitmentPolicy: Readonly<Record<string, unknown>>;
  readonly RawAesWrappingSuiteIdentifier: Readonly<Record<string, unknown>>;
  readonly AlgorithmSuiteIdentifier: Readonly<Record<string, unknown>>;
  readonly RawAesKeyringNode: new (input: object) => object;
  buildClient(policy: unknown): {
    encrypt(keyring: object, plaintext: Buffer, options: object): Promise<{ result: Buffer }>;
    decrypt(keyring: object, ciphertext: Buffer): Promise<{ plaintext: Buffer }>;
  };
}

/** Its opening of the same plaintext, with a raw keyring, key commitment and no signature: the nearest to ours. */
async function encryptionSdk(plaintext: Buffer): Promise<() => Promise<unknown>> {
  const name = '@aws-crypto/client-node';
  const sdk = (await import(name)) as EncryptionSdk;
  const keyring = new sdk.RawAesKeyringNode({
    keyName: 'bench',
    keyNamespace: 'bench',
    unencryptedMasterKey: new Uint8Array(randomBytes(32)),
    wrappingSuite: sdk.RawAesWrappingSuiteIdentifier['AES256_GCM_IV12_TAG16_NO_PADDING'],
  });
  const client = sdk.buildClient(sdk.CommitmentPolicy['REQUIRE_ENCRYPT_REQUIRE_DECRYPT']);
  const { result } = await client.encrypt(keyring, plaintext, {
    suiteId: sdk.AlgorithmSuiteIdentifier['ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY'],
    encryptionContext: { org: 'acme' },
  });
  return () => client.decrypt(keyring, result);
}
