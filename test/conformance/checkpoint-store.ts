import { beforeEach, describe, expect, it } from 'vitest';
import type { CheckpointStore } from '../../shared/audit/checkpoint-store.ts';
import { acme, acmeTwo } from './samples.ts';

/** CheckpointStore. @param make an empty store */
export function checkpointStoreSuite(make: () => Promise<CheckpointStore>): void {
  let store: CheckpointStore;

  beforeEach(async () => {
    store = await make();
  });

  describe('CheckpointStore', () => {
    it('begins empty', async () => {
      expect(await store.latest(acme)).toBeNull();
      expect(await store.list(acme, 0, 10)).toEqual([]);
      expect(await store.readTile(acme, 'tile/0/000')).toBeNull();
    });

    it('gives the largest, and all by size from after one on', async () => {
      for (const size of [10, 9, 100, 1]) await store.add(acme, size, `note ${size}\n☃`);
      await store.add(acmeTwo, 7, 'theirs');
      expect(await store.latest(acme)).toBe('note 100\n☃');
      expect(await store.list(acme, 0, 10)).toEqual([1, 9, 10, 100].map((size) => `note ${size}\n☃`));
      expect(await store.list(acme, 9, 1)).toEqual(['note 10\n☃']);
      expect(await store.list(acme, 100, 10)).toEqual([]);
      expect(await store.latest(acmeTwo)).toBe('theirs');
    });

    it('keeps the first of a size and of a path', async () => {
      await store.add(acme, 5, 'first');
      await store.add(acme, 5, 'second');
      expect(await store.list(acme, 0, 10)).toEqual(['first']);
      expect(await store.latest(acme)).toBe('first');
      await store.addTile(acme, 'tile/0/000', Buffer.from('first'));
      await store.addTile(acme, 'tile/0/000', Buffer.from('second'));
      expect((await store.readTile(acme, 'tile/0/000'))?.toString()).toBe('first');
    });

    it('keeps tiles by their paths, byte for byte', async () => {
      const bytes = Buffer.from(Array.from({ length: 8192 }, (_, index) => index % 256));
      await store.addTile(acme, 'tile/1/x001/234.p/7', bytes);
      expect((await store.readTile(acme, 'tile/1/x001/234.p/7'))?.equals(bytes)).toBe(true);
      expect(await store.readTile(acmeTwo, 'tile/1/x001/234.p/7')).toBeNull();
      expect(await store.readTile(acme, 'tile/1/x001/234')).toBeNull();
    });
  });
}
