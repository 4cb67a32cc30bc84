import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { coordinatesKey } from '../../shared/contract/coordinates.ts';
import type { StoredSecret } from '../../shared/secrets/secret-store.ts';
import type { MakeStores, StoreHost } from './host.ts';
import { acme, acmeTwo, at, changeOf, headOf, NOW, nameOf, namesOf, place, trailOf } from './samples.ts';

/** SecretStore: everything that reads, and the notes of accesses. */
export function secretReadsSuite(make: MakeStores): void {
  let host: StoreHost;
  const add = (...keys: string[]) =>
    Promise.all(keys.map((key) => host.secrets.save(changeOf(key, 1, { added: null }))));
  const keysOf = (rows: readonly StoredSecret[]) => rows.map((row) => coordinatesKey(row.at));

  beforeEach(async () => {
    host = await make(() => new Date(NOW));
  });
  afterEach(() => host.close());

  describe('SecretStore.findMany and findByName', () => {
    it('finds those that exist, deleted or not, and nothing for nothing', async () => {
      await add('a', 'b');
      const secret = headOf('c', 1, { deleted_at: NOW, purge_at: at(60) });
      await host.secrets.save(changeOf('c', 1, { secret }));
      const found = await host.secrets.findMany(acme, ['a', 'c', 'none'].map(place));
      expect(namesOf(found)).toEqual(['a', 'c']);
      expect(found.find((row) => row.at.name === 'c')).toStrictEqual({ ...secret, last_accessed_at: null });
      expect(await host.secrets.findMany(acme, [])).toEqual([]);
      expect(await host.secrets.findMany(acmeTwo, [place('a')])).toEqual([]);
    });

    it('takes more than a hundred at once, and the same one twice', async () => {
      const keys = Array.from({ length: 250 }, (_, index) => `s${index}`);
      await add(...keys);
      const found = await host.secrets.findMany(acme, [...keys, 's1', 's2', 'none'].map(place));
      expect(namesOf(found)).toEqual(keys.toSorted());
    });

    it('finds the secrets of a name at all their coordinates, and of no longer name', async () => {
      const mine = ['db#org##', 'db#org#production#', 'db#pipeline##p#1', 'db#user#staging#ada@example.com'];
      const keys = mine.map((key) => key.replace('p#1', 'p/1'));
      await add(...keys, 'db-2', 'db2', 'db_', 'd', 'DB');
      expect(keysOf(await host.secrets.findByName(acme, nameOf('db'))).sort()).toEqual(keys.toSorted());
      expect(await host.secrets.findByName(acmeTwo, nameOf('db'))).toEqual([]);
      expect(await host.secrets.findByName(acme, nameOf('none'))).toEqual([]);
    });
  });

  describe('SecretStore.list', () => {
    const list = (prefix: string, after: string | undefined, limit: number, org = acme) =>
      host.secrets.list(org, { prefix, after, limit });

    it('gives all in the order of their keys, page by page', async () => {
      const keys = ['Zeta', 'alpha', 'alpha-1', 'alpha_1', 'alpha1', 'beta'].flatMap((name) => [
        `${name}#org##`,
        `${name}#org#production#`,
        `${name}#pipeline##p1`,
      ]);
      await add(...keys.toReversed());
      const listed: string[] = [];
      let after: string | undefined;
      do {
        const page = await list('', after, 4);
        expect(page.items.length).toBeLessThanOrEqual(4);
        listed.push(...keysOf(page.items));
        after = page.next;
      } while (after !== undefined);
      expect(listed).toEqual(keys.toSorted());
    });

    it('gives those whose name begins with a prefix', async () => {
      await add('a', 'ab', 'abc', 'abd#pipeline#production#p1', 'b', 'Ab');
      expect(namesOf((await list('ab', undefined, 10)).items)).toEqual(['ab', 'abc', 'abd']);
      expect(namesOf((await list('abc', undefined, 10)).items)).toEqual(['abc']);
      expect((await list('x', undefined, 10)).items).toEqual([]);
      expect((await list('', undefined, 10, acmeTwo)).items).toEqual([]);
    });

    it('goes on from any position, within the prefix or not', async () => {
      await add('a', 'ab', 'abc', 'b');
      expect(namesOf((await list('ab', 'ab#org##', 10)).items)).toEqual(['abc']);
      expect(namesOf((await list('ab', 'a#org##', 10)).items)).toEqual(['ab', 'abc']);
      expect(namesOf((await list('ab', 'abb#org##', 10)).items)).toEqual(['abc']);
      expect((await list('ab', 'b#org##', 10)).items).toEqual([]);
      expect((await list('', 'b#org##', 10)).items).toEqual([]);
    });

    it('lists deleted ones too, and large ones', async () => {
      const sealed = Buffer.alloc(64 * 1024, 1);
      for (let index = 0; index < 40; index++) {
        const secret = headOf(`s${index}`, 1, { sealed, deleted_at: NOW, purge_at: at(1) });
        await host.secrets.save(changeOf(`s${index}`, 1, { secret, added: null }));
      }
      const page = await list('', undefined, 100);
      expect(page.items).toHaveLength(40);
      expect(page.next).toBeUndefined();
      expect(page.items.every((row) => row.sealed.equals(sealed))).toBe(true);
    });
  });

  describe('SecretStore.versions and findVersions', () => {
    it('gives versions newest first, page by page', async () => {
      for (let revision = 1; revision <= 12; revision++) await host.secrets.save(changeOf('db', revision));
      await host.secrets.save(changeOf('db#org#production#', 1));
      const page = async (limit: number, below: number | undefined) => {
        const { items, next } = await host.secrets.versions(acme, place('db'), { limit, below });
        return { numbers: items.map(({ version }) => version), next };
      };
      expect(await page(5, undefined)).toEqual({ numbers: [12, 11, 10, 9, 8], next: '8' });
      expect(await page(5, 8)).toEqual({ numbers: [7, 6, 5, 4, 3], next: '3' });
      expect(await page(5, 3)).toEqual({ numbers: [2, 1], next: undefined });
      expect(await page(12, undefined)).toMatchObject({ next: undefined });
      expect(await page(5, 1)).toEqual({ numbers: [], next: undefined });
      const other = await host.secrets.versions(acmeTwo, place('db'), { limit: 5, below: undefined });
      expect(other).toStrictEqual({ items: [] });
    });

    it('finds those of the versions that exist', async () => {
      const added = { version: 1, record: Buffer.from([0, 255]), sealed: Buffer.from([1, 2, 3]) };
      await host.secrets.save(changeOf('a', 1, { added }));
      for (const revision of [1, 2]) await host.secrets.save(changeOf('b', revision));
      const wanted = ['a 1', 'a 2', 'b 2', 'none 1'].map((text) => {
        const [key = '', version] = text.split(' ');
        return { at: place(key), version: Number(version) };
      });
      const found = await host.secrets.findVersions(acme, wanted);
      expect(found.map((row) => `${row.at.name} ${row.version}`).sort()).toEqual(['a 1', 'b 2']);
      expect(found.find((row) => row.at.name === 'a')).toStrictEqual({ ...added, at: place('a') });
      expect(await host.secrets.findVersions(acme, [])).toEqual([]);
      expect(await host.secrets.findVersions(acmeTwo, wanted)).toEqual([]);
    });
  });

  describe('SecretStore.purgeable', () => {
    const purgeable = async (now: string, limit = 10) =>
      (await host.secrets.purgeable(now, limit)).map(
        ({ org, at: where, revision }) => `${org} ${coordinatesKey(where)} ${revision}`,
      );

    it('names what can no longer be restored, of every organization, soonest first', async () => {
      for (const [key, seconds, org] of [
        ['b', 20, acme],
        ['a', 10, acmeTwo],
        ['c', 30, acme],
      ] as const) {
        const secret = headOf(key, 1, { deleted_at: NOW, purge_at: at(seconds) });
        await host.secrets.save(changeOf(key, 1, { org, secret }));
      }
      await host.secrets.save(changeOf('live', 1, { secret: headOf('live', 1, { next_rotation_at: NOW }) }));
      expect(await purgeable(at(9))).toEqual([]);
      expect(await purgeable(at(20))).toEqual(['acme-2 a#org## 1', 'acme b#org## 1']);
      expect(await purgeable(at(99), 1)).toEqual(['acme-2 a#org## 1']);
    });

    it('does not name what was restored or removed', async () => {
      for (const key of ['a', 'b']) {
        const secret = headOf(key, 1, { deleted_at: NOW, purge_at: at(1) });
        await host.secrets.save(changeOf(key, 1, { secret }));
      }
      await host.secrets.save(changeOf('a', 2, { added: null }));
      await host.secrets.remove(acme, place('b'), 1, trailOf());
      expect(await purgeable(at(99))).toEqual([]);
    });
  });

  describe('SecretStore.tendable', () => {
    const save = (key: string, revision: number, tend_at?: string | null, org = acme) => {
      const tend = tend_at === undefined ? {} : { tend_at };
      return host.secrets.save(changeOf(key, revision, { org, added: null, ...tend }));
    };
    const tendable = async (now: string, limit = 10) =>
      (await host.secrets.tendable(now, limit)).map(
        ({ org, at: where }) => `${org} ${coordinatesKey(where)}`,
      );

    it('names what is to be done, of every organization, the earliest first', async () => {
      await save('b', 1, at(20));
      await save('a', 1, at(10), acmeTwo);
      await save('c', 1, at(30));
      await save('never', 1);
      expect(await tendable(at(9))).toEqual([]);
      expect(await tendable(at(20))).toEqual(['acme-2 a#org##', 'acme b#org##']);
      expect(await tendable(at(99), 1)).toEqual(['acme-2 a#org##']);
    });

    it('keeps the time that a change does not name, moves it, and forgets it', async () => {
      await save('a', 1, at(10));
      await save('a', 2);
      expect(await tendable(at(10))).toEqual(['acme a#org##']);
      await save('a', 3, at(20));
      expect(await tendable(at(19))).toEqual([]);
      expect(await tendable(at(20))).toEqual(['acme a#org##']);
      expect(await save('a', 3, null)).toBe(false);
      expect(await tendable(at(20))).toEqual(['acme a#org##']);
      await save('a', 4, null);
      expect(await tendable(at(99))).toEqual([]);
      await save('a', 5, at(10));
      await host.secrets.remove(acme, place('a'), 5, trailOf());
      expect(await tendable(at(99))).toEqual([]);
    });
  });

  describe('SecretStore.due', () => {
    const save = (key: string, revision: number, due: string | null, more = {}) => {
      const secret = headOf(key, revision, { next_rotation_at: due, ...more });
      return host.secrets.save(changeOf(key, revision, { secret }));
    };
    const dueOf = async (until: string, after?: string, limit = 10, org = acme) => {
      const { items, next } = await host.secrets.due(org, { until, after, limit });
      return { keys: items.map((secret) => coordinatesKey(secret.at)), next };
    };

    it('finds what is due, those first that are due the longest, page by page, of one organization', async () => {
      for (const [key, seconds] of [
        ['b', 20],
        ['a#org#production#', 20],
        ['a', 20],
        ['z#pipeline##p1', -5],
        ['c', 30],
      ] as const)
        await save(key, 1, at(seconds));
      await save('never', 1, null);
      const theirs = headOf('theirs', 1, { next_rotation_at: NOW });
      await host.secrets.save(changeOf('theirs', 1, { org: acmeTwo, secret: theirs }));
      const inOrder = ['z#pipeline##p1', 'a#org##', 'a#org#production#', 'b#org##', 'c#org##'];
      expect(await dueOf(at(99))).toEqual({ keys: inOrder, next: undefined });
      expect((await dueOf(at(20))).keys).toEqual(inOrder.slice(0, 4));
      expect((await dueOf(at(19))).keys).toEqual(inOrder.slice(0, 1));
      expect((await dueOf(at(99), undefined, 10, acmeTwo)).keys).toEqual(['theirs#org##']);
      const first = await dueOf(at(99), undefined, 2);
      expect(first.keys).toEqual(inOrder.slice(0, 2));
      const second = await dueOf(at(99), first.next, 2);
      expect(second.keys).toEqual(inOrder.slice(2, 4));
      expect(await dueOf(at(99), second.next, 2)).toEqual({ keys: inOrder.slice(4), next: undefined });
    });

    it('does not find what was rotated, deleted or removed since', async () => {
      for (const key of ['rotated', 'deleted', 'removed', 'kept']) await save(key, 1, NOW);
      await save('rotated', 2, at(99));
      await save('deleted', 2, null, { deleted_at: NOW, purge_at: at(99) });
      await host.secrets.remove(acme, place('removed'), 1, trailOf());
      expect((await dueOf(at(1))).keys).toEqual(['kept#org##']);
      const [kept] = (await host.secrets.due(acme, { until: at(1), after: undefined, limit: 1 })).items;
      expect(kept).toEqual((await host.secrets.findMany(acme, [place('kept')]))[0]);
    });
  });

  describe('SecretStore.noteAccesses', () => {
    const accessed = async (key: string) => (await host.secrets.findMany(acme, [place(key)]))[0];

    it('notes when secrets were used, outside of their revision, and never moves a time back', async () => {
      await add('a', 'b#pipeline#production#p1');
      const a = { name: 'a', scope: 'org', environment: null } as const;
      const b = {
        name: 'b',
        scope: 'pipeline',
        environment: place('b#org#production#').environment,
        owner: 'p1',
      } as const;
      await host.secrets.noteAccesses(acme, [
        { secret: a, at: at(5) },
        { secret: b, at: at(6) },
      ]);
      await host.secrets.noteAccesses(acme, [
        { secret: a, at: at(4) },
        { secret: b, at: at(7) },
      ]);
      expect(await accessed('a')).toMatchObject({ last_accessed_at: at(5), revision: 1 });
      expect(await accessed('b#pipeline#production#p1')).toMatchObject({
        last_accessed_at: at(7),
        revision: 1,
      });
      expect(await host.secrets.save(changeOf('a', 2))).toBe(true);
      expect(await accessed('a')).toMatchObject({ last_accessed_at: at(5), revision: 2 });
      expect(
        (await host.secrets.list(acme, { prefix: 'a', after: undefined, limit: 1 })).items[0],
      ).toMatchObject({ last_accessed_at: at(5) });
    });

    it('makes nothing where there is nothing', async () => {
      await add('a');
      await host.secrets.noteAccesses(acme, [
        { secret: { name: 'none', scope: 'org', environment: null }, at: NOW },
      ]);
      await host.secrets.noteAccesses(acmeTwo, [
        { secret: { name: 'a', scope: 'org', environment: null }, at: NOW },
      ]);
      await host.secrets.noteAccesses(acme, []);
      expect(await accessed('none')).toBeUndefined();
      expect((await accessed('a'))?.last_accessed_at).toBeNull();
    });
  });
}
