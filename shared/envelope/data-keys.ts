import type { EnvironmentName, OrganizationId } from '../contract/ids.ts';
import { CachedKey, type DataKey, DataKeyLoans, lendOnce } from './data-key-loan.ts';
import { decryptionFailed } from './envelope.ts';
import type { EncryptionContext, KeyService } from './key-service.ts';

/** A data key as the store keeps it: wrapped. */
export interface WrappedDataKey {
  readonly id: string;
  readonly org: OrganizationId;
  readonly environment: EnvironmentName | null;
  readonly wrapped: Uint8Array;
  /** Wrapped for the recovery key; null when there was none. */
  readonly recovery: Uint8Array | null;
  readonly created_at: string;
}

export interface DataKeyStore {
  /** Keeps a new data key, durably, before anything is sealed under it. @throws SecretsError `unavailable` */
  add(key: WrappedDataKey): Promise<void>;
  /** Those of the ids that exist, in any order, in one request. */
  find(org: OrganizationId, ids: readonly string[]): Promise<readonly WrappedDataKey[]>;
}

/** Which data key a row was sealed under. `dedicated` ones are unwrapped for each use, never cached. */
export interface DataKeyName {
  readonly id: string;
  readonly environment: EnvironmentName | null;
  readonly dedicated: boolean;
}

export interface CacheBounds {
  readonly maxAgeMs: number;
  readonly maxUses: number;
  readonly maxKeys: number;
}

/** Five minutes is how long a revoked KMS key goes on opening secrets in a warm process. */
export const defaultBounds: CacheBounds = { maxAgeMs: 5 * 60_000, maxUses: 100_000, maxKeys: 1000 };

interface Needs {
  readonly keyService: KeyService;
  readonly dataKeyStore: DataKeyStore;
  readonly newId: () => string;
  readonly now: () => Date;
}

/**
 * Lends plaintext data keys and forgets them: after an age, after a number of uses, when there are too many.
 * Entries are named by organization, environment and id together, so that a row moved to another
 * environment misses here and is then refused by the root key's encryption context.
 */
export class DataKeys {
  readonly #needs: Needs;
  readonly #bounds: CacheBounds;
  readonly #cached = new Map<string, CachedKey>();
  readonly #unwrapping = new Map<string, Promise<CachedKey>>();

  constructor(needs: Needs, bounds: CacheBounds = defaultBounds) {
    this.#needs = needs;
    this.#bounds = bounds;
  }

  /**
   * A data key to seal under: this process's own, made by it, so that a writer needs no right to unwrap.
   * @throws SecretsError `unavailable`
   */
  async forSealing(
    org: OrganizationId,
    environment: EnvironmentName | null,
    dedicated: boolean,
  ): Promise<DataKey> {
    if (dedicated) return lendOnce(await this.#generate(org, environment, 1));
    const key = await this.#cachedOr(`seal/${org}/${environment ?? ''}`, () =>
      this.#generate(org, environment, this.#bounds.maxUses),
    );
    return key.lend();
  }

  /**
   * The data keys that rows were sealed under, by id; cold ones are read in one request and unwrapped side
   * by side. Dispose of each.
   * @throws SecretsError `decryption_failed` when one does not exist for that organization and environment;
   *   `unavailable`
   */
  async forOpening(org: OrganizationId, names: readonly DataKeyName[]): Promise<DataKeyLoans> {
    const loans = new DataKeyLoans();
    // Warm keys are lent before anything is awaited: a key on loan cannot expire under its borrower.
    const cold = names.filter((name) => !this.#lendWarm(org, name, loans));
    if (cold.length === 0) return loans;
    try {
      const found = await this.#needs.dataKeyStore.find(org, [...new Set(cold.map(({ id }) => id))]);
      const byId = new Map(found.map((key) => [key.id, key.wrapped]));
      // All of them, even when one fails: a loan that arrived later would never be returned.
      const lent = await Promise.allSettled(
        cold.map(async (name) => loans.add(await this.#lendCold(org, name, byId.get(name.id)))),
      );
      for (const one of lent) if (one.status === 'rejected') throw one.reason;
      return loans;
    } catch (error) {
      loans[Symbol.dispose]();
      throw error;
    }
  }

  /** Forgets and zeroes everything that is not on loan. */
  clear(): void {
    for (const key of this.#cached.values()) key.evict();
    this.#cached.clear();
  }

  #lendWarm(org: OrganizationId, name: DataKeyName, loans: DataKeyLoans): boolean {
    const cached = name.dedicated ? undefined : this.#usable(cacheName(org, name));
    if (cached === undefined) return false;
    loans.add(cached.lend());
    return true;
  }

  async #lendCold(org: OrganizationId, name: DataKeyName, wrapped: Uint8Array | undefined): Promise<DataKey> {
    if (wrapped === undefined) throw decryptionFailed();
    const context: EncryptionContext = { org, environment: name.environment, data_key: name.id };
    const unwrap = async (uses: number) =>
      this.#entry(name.id, await this.#needs.keyService.unwrapDataKey(wrapped, context), uses);
    if (name.dedicated) return lendOnce(await unwrap(1));
    return (await this.#cachedOr(cacheName(org, name), () => unwrap(this.#bounds.maxUses))).lend();
  }

  async #generate(
    org: OrganizationId,
    environment: EnvironmentName | null,
    uses: number,
  ): Promise<CachedKey> {
    const id = this.#needs.newId();
    const { plaintext, wrapped, recovery } = await this.#needs.keyService.generateDataKey({
      org,
      environment,
      data_key: id,
    });
    const created_at = this.#needs.now().toISOString();
    try {
      await this.#needs.dataKeyStore.add({ id, org, environment, wrapped, recovery, created_at });
    } catch (error) {
      plaintext.fill(0);
      throw error;
    }
    return this.#entry(id, plaintext, uses);
  }

  #entry(id: string, secret: Buffer, uses: number): CachedKey {
    return new CachedKey(id, secret, this.#needs.now().getTime() + this.#bounds.maxAgeMs, uses);
  }

  #usable(name: string): CachedKey | undefined {
    const key = this.#cached.get(name);
    if (key === undefined || key.isUsable(this.#needs.now().getTime())) return key;
    this.#forget(name, key);
    return undefined;
  }

  /** The cached key of that name, or a new one; callers who miss at the same time share one flight. */
  async #cachedOr(name: string, make: () => Promise<CachedKey>): Promise<CachedKey> {
    const cached = this.#usable(name);
    if (cached !== undefined) return cached;
    let flight = this.#unwrapping.get(name);
    if (flight === undefined) {
      flight = make().then((key) => {
        this.#remember(name, key);
        return key;
      });
      this.#unwrapping.set(name, flight);
      flight.finally(() => this.#unwrapping.delete(name)).catch(() => undefined);
    }
    return flight;
  }

  #remember(name: string, key: CachedKey): void {
    const oldest = this.#cached.entries().next();
    if (this.#cached.size >= this.#bounds.maxKeys && !oldest.done) this.#forget(...oldest.value);
    this.#cached.set(name, key);
    // An idle process must forget too, not only one that is asked again.
    setTimeout(() => this.#forget(name, key), this.#bounds.maxAgeMs).unref();
  }

  #forget(name: string, key: CachedKey): void {
    key.evict();
    if (this.#cached.get(name) === key) this.#cached.delete(name);
  }
}

function cacheName(org: OrganizationId, name: DataKeyName): string {
  return `open/${org}/${name.environment ?? ''}/${name.id}`;
}
