import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeOfRejection } from '../testkit/failure.ts';
import type { MakeStores, StoreHost } from './host.ts';
import { acme, acmeTwo, at, changeOf, headOf, idsOf, NOW, place, replayOf, trailOf } from './samples.ts';

/** SecretStore: save and remove. */
export function secretWritesSuite(make: MakeStores): void {
  let host: StoreHost;
  const head = async (key: string, org = acme) => (await host.secrets.findMany(org, [place(key)]))[0];
  const numbers = async (key: string) =>
    (await host.secrets.versions(acme, place(key), { limit: 1000, below: undefined })).items.map(
      ({ version }) => version,
    );

  beforeEach(async () => {
    host = await make(() => new Date(NOW));
  });
  afterEach(() => host.close());

  describe('SecretStore.save', () => {
    it('creates a secret where there is none, with its version and its trail', async () => {
      const change = changeOf('db', 1, { trail: trailOf({}, replayOf('k')) });
      expect(await host.secrets.save(change)).toBe(true);
      expect(await head('db')).toStrictEqual({ ...change.secret, last_accessed_at: null });
      expect(await numbers('db')).toEqual([1]);
      expect(idsOf(await host.waiting())).toEqual([change.trail.event.id]);
      expect(await host.replays.find('acme/key/k1', 'k')).toEqual(change.trail.replay);
    });

    it('creates nothing where there is one', async () => {
      const first = changeOf('db', 1);
      await host.secrets.save(first);
      const second = changeOf('db', 1, { secret: headOf('db', 1, { mac: Buffer.from('other') }) });
      expect(await host.secrets.save({ ...second, trail: trailOf({}, replayOf('k')) })).toBe(false);
      expect((await head('db'))?.mac.toString()).toBe('mac 1');
      expect(idsOf(await host.waiting())).toEqual([first.trail.event.id]);
      expect(await host.replays.find('acme/key/k1', 'k')).toBeNull();
    });

    it('updates from the expected revision, with or without a new version', async () => {
      await host.secrets.save(changeOf('db', 1));
      const dates = { next_rotation_at: at(1), deleted_at: at(2), purge_at: at(3) };
      const second = changeOf('db', 2, { secret: headOf('db', 2, dates), added: null });
      expect(await host.secrets.save(second)).toBe(true);
      expect(await head('db')).toStrictEqual({ ...second.secret, last_accessed_at: null });
      expect(await numbers('db')).toEqual([1]);
      expect(await host.secrets.save(changeOf('db', 3))).toBe(true);
      expect(await head('db')).toStrictEqual({ ...headOf('db', 3), last_accessed_at: null });
      expect(await numbers('db')).toEqual([3, 1]);
    });

    it('puts a version that was sealed anew in its place, with the change and not without it', async () => {
      for (const revision of [1, 2]) await host.secrets.save(changeOf('db', revision));
      await host.secrets.save(changeOf('other', 1));
      const resealed = { version: 1, record: Buffer.from('anew'), sealed: Buffer.from('sealed anew') };
      const textsOf = async (key: string) => {
        const { items } = await host.secrets.versions(acme, place(key), { limit: 10, below: undefined });
        return items.map(({ version, record, sealed }) => `${version} ${record} ${sealed}`);
      };
      const [second, first] = await textsOf('db');
      expect(await host.secrets.save(changeOf('db', 2, { added: null, resealed }))).toBe(false);
      expect(await textsOf('db')).toEqual([second, first]);
      expect(await host.secrets.save(changeOf('db', 3, { added: null, resealed }))).toBe(true);
      expect(await textsOf('db')).toEqual([second, '1 anew sealed anew']);
      expect((await head('db'))?.revision).toBe(3);
      expect(await textsOf('other')).toEqual([expect.stringContaining('1 ')]);
    });

    it('removes versions with the change, and none without it', async () => {
      for (const revision of [1, 2, 3, 4]) await host.secrets.save(changeOf('db', revision));
      await host.secrets.save(changeOf('other', 1));
      expect(await host.secrets.save(changeOf('db', 4, { added: null, removed: [1] }))).toBe(false);
      expect(await numbers('db')).toEqual([4, 3, 2, 1]);
      expect(await host.secrets.save(changeOf('db', 5, { removed: [1, 3, 99] }))).toBe(true);
      expect(await numbers('db')).toEqual([5, 4, 2]);
      expect(await numbers('other')).toEqual([1]);
    });

    it('writes nothing from another revision, and nothing where there is no secret', async () => {
      await host.secrets.save(changeOf('db', 1));
      const before = await host.waiting();
      for (const stale of [changeOf('db', 5), changeOf('db', 3), changeOf('none', 2)])
        expect(await host.secrets.save(stale)).toBe(false);
      expect((await head('db'))?.revision).toBe(1);
      expect(await head('none')).toBeUndefined();
      expect(await numbers('db')).toEqual([1]);
      expect(await host.waiting()).toEqual(before);
    });

    it('lets one of many writers through', async () => {
      await host.secrets.save(changeOf('db', 1));
      const saved = await Promise.all(Array.from({ length: 20 }, () => host.secrets.save(changeOf('db', 2))));
      expect(saved.filter((one) => one)).toHaveLength(1);
      expect(await host.waiting()).toHaveLength(2);
    });

    it('writes nothing when the request was carried out meanwhile', async () => {
      await host.secrets.save(changeOf('db', 1, { trail: trailOf({}, replayOf('k')) }));
      const again = changeOf('db', 2, { trail: trailOf({}, replayOf('k', { status: 200 })) });
      expect(await codeOfRejection(host.secrets.save(again))).toBe('idempotency_conflict');
      expect((await head('db'))?.revision).toBe(1);
      expect(await numbers('db')).toEqual([1]);
      expect(await host.waiting()).toHaveLength(1);
      expect((await host.replays.find('acme/key/k1', 'k'))?.status).toBe(201);
    });

    it('says that the revision is another before it says that the request is known', async () => {
      await host.secrets.save(changeOf('db', 1, { trail: trailOf({}, replayOf('k')) }));
      expect(await host.secrets.save(changeOf('db', 1, { trail: trailOf({}, replayOf('k')) }))).toBe(false);
    });

    it('keeps values of 64 KiB, and twice that for a roll back', async () => {
      const sealed = Buffer.alloc(128 * 1024 + 1000, 7);
      const added = { version: 1, record: Buffer.from('r'), sealed };
      await host.secrets.save(changeOf('db', 1, { secret: headOf('db', 1, { sealed }), added }));
      expect((await head('db'))?.sealed.equals(sealed)).toBe(true);
      const [read] = await host.secrets.findVersions(acme, [{ at: place('db'), version: 1 }]);
      expect(read?.sealed.equals(sealed)).toBe(true);
    });

    it('keeps organizations, environments and scopes apart', async () => {
      const keys = ['db#org##', 'db#org#production#', 'db#pipeline##p1', 'db#pipeline##p2', 'db#user##p1'];
      for (const key of keys) expect(await host.secrets.save(changeOf(key, 1))).toBe(true);
      expect(await host.secrets.save(changeOf('db', 1, { org: acmeTwo }))).toBe(true);
      for (const key of keys) expect((await head(key))?.record.toString()).toBe(`record ${key} 1`);
      expect(await head('db#org#production#', acmeTwo)).toBeUndefined();
    });
  });

  describe('SecretStore.remove', () => {
    it('removes a secret and its versions, and leaves its trail', async () => {
      for (const revision of [1, 2, 3]) await host.secrets.save(changeOf('db', revision));
      await host.secrets.save(changeOf('db2', 1));
      const trail = trailOf({ action: 'purge' }, replayOf('k'));
      expect(await host.secrets.remove(acme, place('db'), 3, trail)).toBe(true);
      expect(await head('db')).toBeUndefined();
      expect(await numbers('db')).toEqual([]);
      expect(await numbers('db2')).toEqual([1]);
      expect(idsOf(await host.waiting())).toContain(trail.event.id);
      expect(await host.replays.find('acme/key/k1', 'k')).not.toBeNull();
    });

    it('removes nothing at another revision, or where there is nothing', async () => {
      for (const revision of [1, 2]) await host.secrets.save(changeOf('db', revision));
      expect(await host.secrets.remove(acme, place('db'), 1, trailOf())).toBe(false);
      expect(await host.secrets.remove(acme, place('none'), 1, trailOf())).toBe(false);
      expect(await host.secrets.remove(acmeTwo, place('db'), 2, trailOf())).toBe(false);
      expect((await head('db'))?.revision).toBe(2);
      expect(await numbers('db')).toEqual([2, 1]);
      expect(await host.waiting()).toHaveLength(2);
    });

    it('removes nothing when the request was carried out meanwhile', async () => {
      await host.secrets.save(changeOf('db', 1, { trail: trailOf({}, replayOf('k')) }));
      const removed = host.secrets.remove(acme, place('db'), 1, trailOf({}, replayOf('k')));
      expect(await codeOfRejection(removed)).toBe('idempotency_conflict');
      expect(await numbers('db')).toEqual([1]);
      expect((await head('db'))?.revision).toBe(1);
    });

    it('removes secrets of many versions', async () => {
      for (let revision = 1; revision <= 130; revision++) await host.secrets.save(changeOf('db', revision));
      const before = (await host.waiting()).length;
      expect(await host.secrets.remove(acme, place('db'), 129, trailOf())).toBe(false);
      expect(await numbers('db')).toHaveLength(130);
      expect(await host.secrets.remove(acme, place('db'), 130, trailOf())).toBe(true);
      expect(await head('db')).toBeUndefined();
      expect(await numbers('db')).toEqual([]);
      expect(await host.waiting()).toHaveLength(before + 1);
      expect(await host.secrets.purgeable('9', 10)).toEqual([]);
    });

    it('makes room for a new secret that has nothing of the old one', async () => {
      for (const revision of [1, 2, 3]) await host.secrets.save(changeOf('db', revision));
      await host.secrets.noteAccesses(acme, [{ secret: { name: 'db', scope: 'org' }, at: NOW }]);
      await host.secrets.remove(acme, place('db'), 3, trailOf());
      expect(await host.secrets.save(changeOf('db', 1))).toBe(true);
      expect(await head('db')).toStrictEqual({ ...headOf('db', 1), last_accessed_at: null });
      expect(await numbers('db')).toEqual([1]);
    });
  });
}
