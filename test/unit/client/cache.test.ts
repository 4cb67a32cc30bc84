import { describe, expect, test } from 'vitest';
import { Cache, Flights } from '../../../client/cache.ts';

/** A cache of a minute and three entries, and its clock. */
function newCache() {
  const clock = { ms: 1_000_000 };
  const cache = new Cache(60, 3, () => clock.ms);
  const put = (key: string, value: string) => cache.put(key, value, cache.ticket());
  return { clock, cache, put };
}

describe('the cache', () => {
  test('gives a value for its time, says when that nears its end, and not a moment longer', () => {
    const { clock, cache, put } = newCache();
    put('a', '1');
    expect(cache.get('a')).toEqual({ value: '1', isAging: false });
    clock.ms += 45_000;
    expect(cache.get('a')).toEqual({ value: '1', isAging: true });
    clock.ms += 15_000;
    expect(cache.get('a')).toBeUndefined();
  });

  test('does not trust a clock that was put back', () => {
    const { clock, cache, put } = newCache();
    put('a', '1');
    clock.ms -= 1;
    expect(cache.get('a')).toBeUndefined();
  });

  test('is bounded: what was used longest ago goes first', () => {
    const { cache, put } = newCache();
    for (const key of ['a', 'b', 'c']) put(key, key);
    cache.get('a');
    put('d', 'd');
    expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key)?.value)).toEqual(['a', undefined, 'c', 'd']);
  });

  test('of no time keeps nothing', () => {
    const cache = new Cache(0, 3);
    cache.put('a', '1', cache.ticket());
    expect(cache.get('a')).toBeUndefined();
  });

  test('keeps nothing that was on its way when it was cleared', () => {
    const { cache, put } = newCache();
    put('b', '1');
    const ticket = cache.ticket();
    cache.clear();
    cache.put('a', '1', ticket);
    expect([cache.get('a'), cache.get('b')]).toEqual([undefined, undefined]);
    put('a', '2');
    expect(cache.get('a')?.value).toBe('2');
  });

  test('forgets a secret with all of its versions, and no other', () => {
    const { cache, put } = newCache();
    for (const key of ['a', 'a@1', 'ab']) put(key, key);
    cache.drop('a');
    expect(['a', 'a@1', 'ab'].map((key) => cache.get(key)?.value)).toEqual([undefined, undefined, 'ab']);
  });

  test('does not take an older answer for a newer one', () => {
    const { cache } = newCache();
    const [older, newer] = [cache.ticket(), cache.ticket()];
    cache.put('a', 'new', newer);
    cache.put('a', 'old', older);
    expect(cache.get('a')?.value).toBe('new');
  });
});

describe('flights', () => {
  /** Flights that land when told to. */
  function newFlights() {
    const flights = new Flights<string>();
    const started: { ticket: number; land: (value: string) => void; fail: (error: Error) => void }[] = [];
    let last = 0;
    const next = () => {
      last += 1;
      return last;
    };
    const fetch = (key: string, since: number) =>
      flights.fetch(
        key,
        since,
        next,
        (ticket) =>
          new Promise((land, fail) => {
            started.push({ ticket, land, fail });
          }),
      );
    return { fetch, started };
  }

  test('one for those who ask for a key at once, another when it has landed or failed', async () => {
    const { fetch, started } = newFlights();
    const both = [fetch('a', 0), fetch('a', 0)];
    const other = fetch('b', 0);
    expect(started).toHaveLength(2);
    started[0]?.land('1');
    started[1]?.fail(new Error('no'));
    expect(await Promise.all(both)).toEqual(['1', '1']);
    await expect(other).rejects.toThrow('no');
    const again = [fetch('a', 0), fetch('b', 0)];
    started[2]?.land('2');
    started[3]?.land('3');
    expect(await Promise.all(again)).toEqual(['2', '3']);
  });

  test('who must not have what is old does not join an older one; those after do join the newer', async () => {
    const { fetch, started } = newFlights();
    const old = fetch('a', 0);
    const fresh = fetch('a', started[0]?.ticket ?? 0);
    expect(started).toHaveLength(2);
    started[0]?.land('old');
    expect(await old).toBe('old');
    const joined = fetch('a', 1); // the older one's end leaves the newer one where it is
    started[1]?.land('new');
    expect([await fresh, await joined]).toEqual(['new', 'new']);
    expect(started).toHaveLength(2);
  });
});
