import { decryptionFailed, deriveRecordKey } from './envelope.ts';

/** A plaintext data key on loan: use it, then dispose of it (`using`). It is zeroed when the last loan ends. */
export interface DataKey extends Disposable {
  readonly id: string;
  /** 32 bytes. */
  readonly secret: Buffer;
  /** 32 bytes, see {@link deriveRecordKey}. */
  readonly recordKey: Buffer;
}

/** A cached key: zeroed when it was evicted and nobody holds a loan of it. */
export class CachedKey {
  readonly id: string;
  readonly secret: Buffer;
  readonly recordKey: Buffer;
  readonly #expiresAt: number;
  #usesLeft: number;
  #loans = 0;
  #evicted = false;

  constructor(id: string, secret: Buffer, expiresAt: number, uses: number) {
    this.id = id;
    this.secret = secret;
    this.recordKey = deriveRecordKey(secret);
    this.#expiresAt = expiresAt;
    this.#usesLeft = uses;
  }

  isUsable(now: number): boolean {
    return !this.#evicted && now < this.#expiresAt && this.#usesLeft > 0;
  }

  lend(): DataKey {
    this.#loans += 1;
    this.#usesLeft -= 1;
    let returned = false;
    const giveBack = () => {
      if (returned) return;
      returned = true;
      this.#loans -= 1;
      this.#zeroWhenUnused();
    };
    return { id: this.id, secret: this.secret, recordKey: this.recordKey, [Symbol.dispose]: giveBack };
  }

  evict(): void {
    this.#evicted = true;
    // Not at once: whoever awaited this key's flight may be about to borrow it.
    setImmediate(() => this.#zeroWhenUnused());
  }

  #zeroWhenUnused(): void {
    if (!this.#evicted || this.#loans > 0) return;
    this.secret.fill(0);
    this.recordKey.fill(0);
  }
}

/** A key for one use, gone with its loan. */
export function lendOnce(key: CachedKey): DataKey {
  const loan = key.lend();
  key.evict();
  return loan;
}

/** Several data keys on loan together. */
export class DataKeyLoans implements Disposable {
  readonly #keys = new Map<string, DataKey>();

  add(key: DataKey): void {
    this.#keys.get(key.id)?.[Symbol.dispose]();
    this.#keys.set(key.id, key);
  }

  /** @throws SecretsError `decryption_failed` when it was not asked for */
  get(id: string): DataKey {
    const key = this.#keys.get(id);
    if (key === undefined) throw decryptionFailed();
    return key;
  }

  [Symbol.dispose](): void {
    for (const key of this.#keys.values()) key[Symbol.dispose]();
    this.#keys.clear();
  }
}
