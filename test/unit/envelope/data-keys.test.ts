import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SecretsError } from '../../../shared/contract/errors.ts';
import { type EnvironmentName, environmentName, organizationId } from '../../../shared/contract/ids.ts';
import {
  type CacheBounds,
  type DataKeyName,
  DataKeys,
  defaultBounds,
} from '../../../shared/envelope/data-keys.ts';
import { decryptionFailed } from '../../../shared/envelope/envelope.ts';
import { codeOf, codeOfRejection } from '../../testkit/failure.ts';
import { MemoryDataKeys, WatchedKeys } from '../../testkit/key-service.ts';

const acme = organizationId.parse('acme');
const rival = organizationId.parse('rival');
const production = environmentName.parse('production');
const staging = environmentName.parse('staging');
const zeros = Buffer.alloc(32);

function setUp(bounds: Partial<CacheBounds> = {}) {
  const keyService = new WatchedKeys();
  const dataKeyStore = new MemoryDataKeys();
  let ids = 0;
  const make = () =>
    new DataKeys(
      { keyService, dataKeyStore, newId: () => `dk-${++ids}`, now: () => new Date() },
      { ...defaultBounds, ...bounds },
    );
  /** A data key that some other process made: its name, unwrapped nowhere. */
  const strange = async (environment: EnvironmentName | null = production, dedicated = false) => {
    using key = await make().forSealing(acme, environment, dedicated);
    return { id: key.id, environment, dedicated } satisfies DataKeyName;
  };
  return { keyService, dataKeyStore, dataKeys: make(), strange };
}

/** Lets what was put off by setImmediate happen. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('forSealing', () => {
  it('makes a data key of its own, keeps it wrapped before it lends it, and lends it again', async () => {
    const { dataKeys, dataKeyStore, keyService } = setUp();
    using first = await dataKeys.forSealing(acme, production, false);
    expect(dataKeyStore.rows).toEqual([
      {
        id: first.id,
        org: acme,
        environment: production,
        wrapped: expect.any(Uint8Array),
        recovery: null,
        created_at: expect.any(String),
      },
    ]);
    using second = await dataKeys.forSealing(acme, production, false);
    expect(second.id).toBe(first.id);
    expect([keyService.generated, keyService.unwrapped]).toEqual([1, 0]);
  });

  it('makes another one for each organization and environment', async () => {
    const { dataKeys } = setUp();
    const places = [
      [acme, production],
      [acme, staging],
      [acme, null],
      [rival, production],
    ] as const;
    const keys = await Promise.all(
      places.map(([org, environment]) => dataKeys.forSealing(org, environment, false)),
    );
    expect(new Set(keys.map(({ id }) => id)).size).toBe(places.length);
    expect(new Set(keys.map(({ secret }) => secret.toString('hex'))).size).toBe(places.length);
  });

  it('never uses a key that another process made', async () => {
    const { dataKeys, strange } = setUp();
    const { id } = await strange();
    using key = await dataKeys.forSealing(acme, production, false);
    expect(key.id).not.toBe(id);
  });

  it('makes a dedicated key for each use, which is zeroed with its loan', async () => {
    const { dataKeys, keyService } = setUp();
    const first = await dataKeys.forSealing(acme, production, true);
    const second = await dataKeys.forSealing(acme, production, true);
    expect(first.id).not.toBe(second.id);
    await settle();
    expect(keyService.given.some((secret) => secret.equals(zeros))).toBe(false);
    first[Symbol.dispose]();
    expect(keyService.given.map((secret) => secret.equals(zeros))).toEqual([true, false]);
    expect(first.recordKey).toEqual(zeros);
    second[Symbol.dispose]();
    expect(second.secret).toEqual(zeros);
  });

  it('zeroes a key that could not be kept, lends nothing, and makes another the next time', async () => {
    const { dataKeys, dataKeyStore, keyService } = setUp();
    const add = vi
      .spyOn(dataKeyStore, 'add')
      .mockRejectedValueOnce(new SecretsError('unavailable', 'The store could not write.'));
    expect(await codeOfRejection(dataKeys.forSealing(acme, production, false))).toBe('unavailable');
    expect(keyService.given).toEqual([zeros]);
    using key = await dataKeys.forSealing(acme, production, false);
    expect(add).toHaveBeenCalledTimes(2);
    expect(key.secret.equals(zeros)).toBe(false);
  });
});

describe('forOpening', () => {
  it('unwraps what is cold, side by side and read in one request, and then lends it from memory', async () => {
    const { dataKeys, dataKeyStore, keyService, strange } = setUp();
    const names = [await strange(production), await strange(null)];
    for (let i = 0; i < 3; i++) {
      using loans = await dataKeys.forOpening(acme, names);
      const secrets = names.map(({ id }) => loans.get(id).secret.toString('hex'));
      expect(secrets).toEqual(keyService.given.slice(0, 2).map((secret) => secret.toString('hex')));
    }
    expect([dataKeyStore.finds, keyService.unwrapped]).toEqual([1, 2]);
  });

  it('asks nobody for no keys, and lends only what was asked for', async () => {
    const { dataKeys, dataKeyStore, strange } = setUp();
    const { id } = await strange();
    using loans = await dataKeys.forOpening(acme, []);
    expect(dataKeyStore.finds).toBe(0);
    expect(codeOf(() => loans.get(id))).toBe('decryption_failed');
  });

  it('unwraps once for all who ask at the same time', async () => {
    const { dataKeys, keyService, strange } = setUp();
    const name = await strange();
    const all = await Promise.all(Array.from({ length: 50 }, () => dataKeys.forOpening(acme, [name])));
    expect(keyService.unwrapped).toBe(1);
    expect(new Set(all.map((loans) => loans.get(name.id).secret)).size).toBe(1);
  });

  it('lends a key that was named twice once, and returns both loans', async () => {
    const { dataKeys, strange } = setUp();
    const name = await strange();
    const loans = await dataKeys.forOpening(acme, [name, name]);
    const { secret } = loans.get(name.id);
    dataKeys.clear();
    await settle();
    expect(secret.equals(zeros)).toBe(false);
    loans[Symbol.dispose]();
    expect(secret).toEqual(zeros);
  });

  it('refuses a key that does not exist', async () => {
    const { dataKeys } = setUp();
    const name = { id: 'dk-none', environment: production, dedicated: false };
    expect(await codeOfRejection(dataKeys.forOpening(acme, [name]))).toBe('decryption_failed');
  });

  it.each([
    { temperature: 'cold', warm: false },
    { temperature: 'warm', warm: true },
  ])('refuses a row moved to another environment or organization, $temperature', async ({ warm }) => {
    const { dataKeys, dataKeyStore, strange } = setUp();
    const name = await strange(production);
    dataKeyStore.moveTo(rival);
    if (warm) (await dataKeys.forOpening(acme, [name]))[Symbol.dispose]();
    const moved = [
      [acme, { ...name, environment: staging }],
      [acme, { ...name, environment: null }],
      [acme, { ...name, environment: staging, dedicated: true }],
      [rival, name],
      [rival, { ...name, dedicated: true }],
    ] as const;
    for (const [org, at] of moved) {
      expect(await codeOfRejection(dataKeys.forOpening(org, [at]))).toBe('decryption_failed');
    }
    using loans = await dataKeys.forOpening(acme, [name]);
    expect(loans.get(name.id).secret.equals(zeros)).toBe(false);
  });

  it('does not remember a failure: the next one unwraps again', async () => {
    const { dataKeys, keyService, strange } = setUp();
    const name = await strange();
    keyService.beforeUnwrap = async () => {
      throw new SecretsError('unavailable', 'The root key cannot be used now.');
    };
    const asked = [dataKeys.forOpening(acme, [name]), dataKeys.forOpening(acme, [name])];
    expect(await Promise.all(asked.map(codeOfRejection))).toEqual(['unavailable', 'unavailable']);
    expect(keyService.unwrapped).toBe(1);
    keyService.beforeUnwrap = async () => undefined;
    using loans = await dataKeys.forOpening(acme, [name]);
    expect(loans.get(name.id).secret.equals(zeros)).toBe(false);
    expect(keyService.unwrapped).toBe(2);
  });

  it('returns the loans of the others when one of them fails, also of those that come later', async () => {
    const { dataKeys, keyService, strange } = setUp();
    const [warm, late, bad] = [await strange(), await strange(), await strange(null)];
    (await dataKeys.forOpening(acme, [warm]))[Symbol.dispose]();
    let arrive: () => void = () => undefined;
    const arrival = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    keyService.beforeUnwrap = async (id) => {
      if (id === bad.id) throw decryptionFailed();
      await arrival;
    };
    const asked = codeOfRejection(dataKeys.forOpening(acme, [warm, bad, late]));
    await settle();
    arrive();
    expect(await asked).toBe('decryption_failed');
    dataKeys.clear();
    await settle();
    // The first three were given to the processes that made them; what this one unwrapped is all gone.
    expect(keyService.given.slice(3).map((secret) => secret.equals(zeros))).toEqual([true, true]);
  });

  it('unwraps a dedicated key for each use and forgets it with its loan', async () => {
    const { dataKeys, keyService, strange } = setUp();
    const name = await strange(production, true);
    for (let i = 1; i <= 2; i++) {
      const loans = await dataKeys.forOpening(acme, [name]);
      const { secret, recordKey } = loans.get(name.id);
      await settle();
      expect(secret.equals(zeros)).toBe(false);
      loans[Symbol.dispose]();
      expect([secret, recordKey]).toEqual([zeros, zeros]);
      expect(keyService.unwrapped).toBe(i);
    }
  });
});

describe('the bounds', () => {
  it('age: a key is unwrapped again after it, and not before', async () => {
    const { dataKeys, keyService, strange } = setUp({ maxAgeMs: 60_000 });
    const name = await strange();
    const use = async () => (await dataKeys.forOpening(acme, [name]))[Symbol.dispose]();
    const unwrapped: number[] = [];
    for (const wait of [0, 59_999, 1, 59_999, 1]) {
      await vi.advanceTimersByTimeAsync(wait);
      await use();
      unwrapped.push(keyService.unwrapped);
    }
    expect(unwrapped).toEqual([1, 1, 2, 2, 3]);
  });

  it('age: holds by the clock too, when timers are late', async () => {
    const { dataKeys, keyService, strange } = setUp({ maxAgeMs: 60_000 });
    const name = await strange();
    (await dataKeys.forOpening(acme, [name]))[Symbol.dispose]();
    vi.setSystemTime(Date.now() + 60_000);
    (await dataKeys.forOpening(acme, [name]))[Symbol.dispose]();
    expect(keyService.unwrapped).toBe(2);
  });

  it('age: an idle process forgets, without being asked', async () => {
    const { dataKeys, keyService, strange } = setUp({ maxAgeMs: 60_000 });
    const name = await strange();
    (await dataKeys.forOpening(acme, [name]))[Symbol.dispose]();
    const unwrapped = keyService.given.at(-1);
    await vi.advanceTimersByTimeAsync(59_999);
    expect(unwrapped?.equals(zeros)).toBe(false);
    await vi.advanceTimersByTimeAsync(2);
    expect(unwrapped).toEqual(zeros);
  });

  it('age: the timer of a key that is gone leaves its successor alone', async () => {
    const { dataKeys, keyService, strange } = setUp({ maxAgeMs: 60_000, maxUses: 1 });
    const name = await strange();
    const use = async () => (await dataKeys.forOpening(acme, [name]))[Symbol.dispose]();
    await use();
    await vi.advanceTimersByTimeAsync(30_000);
    await use();
    const successor = keyService.given.at(-1);
    await vi.advanceTimersByTimeAsync(30_001);
    expect(successor?.equals(zeros)).toBe(false);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(successor).toEqual(zeros);
  });

  it.each([1, 2, 5])('uses: a key is unwrapped again after %i', async (maxUses) => {
    const { dataKeys, keyService, strange } = setUp({ maxUses });
    const name = await strange();
    for (let i = 0; i < maxUses * 3; i++) (await dataKeys.forOpening(acme, [name]))[Symbol.dispose]();
    expect(keyService.unwrapped).toBe(3);
  });

  it('uses: a writer makes another key after them', async () => {
    const { dataKeys, keyService } = setUp({ maxUses: 2 });
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) {
      using key = await dataKeys.forSealing(acme, production, false);
      ids.push(key.id);
    }
    expect(ids).toEqual(['dk-1', 'dk-1', 'dk-2', 'dk-2']);
    expect(keyService.generated).toBe(2);
  });

  it('number: the oldest key gives way and is zeroed', async () => {
    const { dataKeys, keyService, strange } = setUp({ maxKeys: 2 });
    const names = [await strange(), await strange(), await strange()];
    for (const name of names) (await dataKeys.forOpening(acme, [name]))[Symbol.dispose]();
    await settle();
    expect(keyService.given.slice(3).map((secret) => secret.equals(zeros))).toEqual([true, false, false]);
    (await dataKeys.forOpening(acme, names.slice(1)))[Symbol.dispose]();
    expect(keyService.unwrapped).toBe(3);
    (await dataKeys.forOpening(acme, names.slice(0, 1)))[Symbol.dispose]();
    expect(keyService.unwrapped).toBe(4);
  });

  it('number: none at all still serves', async () => {
    const { dataKeys, strange } = setUp({ maxKeys: 0 });
    const name = await strange();
    using loans = await dataKeys.forOpening(acme, [name]);
    expect(loans.get(name.id).secret.equals(zeros)).toBe(false);
  });
});

describe('a loan', () => {
  it('outlives the eviction of its key; the last one to be returned zeroes it', async () => {
    const { dataKeys } = setUp();
    const [first, second] = [
      await dataKeys.forSealing(acme, production, false),
      await dataKeys.forSealing(acme, production, false),
    ];
    dataKeys.clear();
    await settle();
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(second.secret.equals(zeros)).toBe(false);
    second[Symbol.dispose]();
    expect([second.secret, second.recordKey]).toEqual([zeros, zeros]);
  });

  it('that was returned leaves a key that is not evicted as it is', async () => {
    const { dataKeys } = setUp();
    const first = await dataKeys.forSealing(acme, production, false);
    first[Symbol.dispose]();
    await settle();
    using second = await dataKeys.forSealing(acme, production, false);
    expect(second.secret).toBe(first.secret);
    expect(second.secret.equals(zeros)).toBe(false);
  });

  it('of a key that was evicted while it was unwrapped is of a whole key', async () => {
    const { dataKeys, strange } = setUp({ maxKeys: 1 });
    const names = [await strange(), await strange(), await strange()];
    using loans = await dataKeys.forOpening(acme, names);
    await settle();
    for (const { id } of names) expect(loans.get(id).secret.equals(zeros)).toBe(false);
  });
});
