import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Announcement,
  announcementId,
  type Digest,
  MAX_ANNOUNCEMENTS,
  type Recipient,
} from '../../shared/reminders/reminder-store.ts';
import { codeOfRejection } from '../testkit/failure.ts';
import type { MakeStores, StoreHost } from './host.ts';
import { acme, acmeTwo, at, eventOf, idsOf, NOW, place, replayOf, trailOf } from './samples.ts';

const announcementOf = (key: string, more: Partial<Announcement> = {}): Announcement => ({
  at: place(key),
  version: 1,
  due_at: NOW,
  stage: { kind: 'due', days: 0 },
  ...more,
});

function digestOf(id: string, keys: readonly string[], more: Partial<Digest> = {}): Digest {
  return {
    id,
    org: acme,
    owner: 'ada@example.com',
    announcements: keys.map((key) => announcementOf(key)),
    created_at: NOW,
    revision: 1,
    attempts: 0,
    delivered: [],
    refused: [],
    retry_at: at(60),
    ...more,
  };
}

function recipientOf(id: string, more: Partial<Recipient> = {}): Recipient {
  return {
    id,
    org: acme,
    kind: 'email',
    address: 'ada@example.com',
    host: null,
    owner: null,
    states: ['due', 'overdue'],
    created_at: NOW,
    created_by: 'ada',
    sealed: null,
    token_hash: null,
    ...more,
  };
}

export function reminderStoreSuite(make: MakeStores): void {
  let host: StoreHost;

  beforeEach(async () => {
    host = await make(() => new Date(NOW));
  });
  afterEach(() => host.close());

  describe('ReminderStore: digests', () => {
    const announced = async (keys: readonly string[], org = acme) => {
      const ids = keys.map((key) => announcementId(announcementOf(key)));
      const found = await host.reminders.announced(org, ids);
      return keys.filter((_, index) => found.has(ids[index] ?? ''));
    };

    it('claims announcements once, all of a digest or none', async () => {
      expect(await host.reminders.claim(digestOf('1', ['a', 'b']))).toBe(true);
      expect(await host.reminders.claim(digestOf('2', ['c', 'b']))).toBe(false);
      expect(await announced(['a', 'b', 'c'])).toEqual(['a', 'b']);
      expect(await announced(['a', 'b'], acmeTwo)).toEqual([]);
      expect(await host.reminders.claim(digestOf('3', ['a'], { org: acmeTwo }))).toBe(true);
      expect((await host.reminders.waiting(at(60), 10)).map(({ id }) => id)).toEqual(['1', '3']);
    });

    it('tells stages, versions, dates and places apart', async () => {
      const others = [
        announcementOf('a#org#production#'),
        announcementOf('a', { version: 2 }),
        announcementOf('a', { due_at: at(1) }),
        announcementOf('a', { stage: { kind: 'overdue', days: 1 } }),
        announcementOf('a', { stage: { kind: 'overdue', days: 2 } }),
      ];
      expect(await host.reminders.claim(digestOf('1', ['a']))).toBe(true);
      expect(await host.reminders.claim(digestOf('2', [], { announcements: others }))).toBe(true);
      expect(new Set(others.map(announcementId)).size).toBe(others.length);
    });

    it('claims as many as a digest may have', async () => {
      const keys = Array.from({ length: MAX_ANNOUNCEMENTS }, (_, index) => `${'n'.repeat(120)}${index}`);
      expect(await host.reminders.claim(digestOf('1', keys))).toBe(true);
      expect(await announced([...keys, 'other'])).toEqual(keys);
      expect(await host.reminders.announced(acme, [])).toEqual(new Set());
    });

    it('of sixteen that claim at once each announcement is one’s', async () => {
      const claims = Array.from({ length: 16 }, (_, index) =>
        host.reminders.claim(digestOf(String(index), ['a', `own${index}`])),
      );
      expect((await Promise.all(claims)).filter((won) => won)).toHaveLength(1);
    });

    it('keeps what became of a digest, from the revision before, with its event', async () => {
      await host.reminders.claim(digestOf('1', ['a', 'b#pipeline#production#p1']));
      const next = digestOf('1', ['a', 'b#pipeline#production#p1'], {
        revision: 2,
        attempts: 1,
        delivered: ['x', 'ö@example.com'],
        refused: ['y'],
        retry_at: at(120),
      });
      expect(await host.reminders.saveDigest(next, null, [])).toBe(true);
      expect(await host.reminders.saveDigest(next, eventOf(), [])).toBe(false);
      expect(await host.reminders.waiting(at(119), 10)).toEqual([]);
      expect(await host.reminders.waiting(at(120), 10)).toEqual([next]);
      const event = eventOf({ action: 'remind' });
      const done = { ...next, revision: 3, retry_at: null };
      expect(await host.reminders.saveDigest(done, event, [])).toBe(true);
      expect(idsOf(await host.waiting())).toEqual([event.id]);
      expect(await host.reminders.waiting(at(9999), 10)).toEqual([]);
      expect(await host.reminders.saveDigest(digestOf('none', [], { revision: 2 }), null, [])).toBe(false);
    });

    it('releases announcements that nobody was told, so that they are claimed again', async () => {
      await host.reminders.claim(digestOf('1', ['a', 'b']));
      const done = digestOf('1', ['a', 'b'], { revision: 2, retry_at: null });
      const stale = { ...done, revision: 4 };
      expect(await host.reminders.saveDigest(stale, null, [announcementOf('b')])).toBe(false);
      expect(await announced(['a', 'b'])).toEqual(['a', 'b']);
      expect(await host.reminders.saveDigest(done, eventOf(), [announcementOf('b')])).toBe(true);
      expect(await announced(['a', 'b'])).toEqual(['a']);
      expect(await host.reminders.claim(digestOf('2', ['b']))).toBe(true);
    });

    it('of sixteen that take a digest up one gets it', async () => {
      await host.reminders.claim(digestOf('1', ['a']));
      const taken = await Promise.all(
        Array.from({ length: 16 }, (_, attempts) =>
          host.reminders.saveDigest(digestOf('1', ['a'], { revision: 2, attempts }), null, []),
        ),
      );
      expect(taken.filter((won) => won)).toHaveLength(1);
    });

    it('names those that wait the longest first, so many at most', async () => {
      for (const [id, seconds] of [
        ['late', 30],
        ['first', 10],
        ['second', 20],
      ] as const)
        await host.reminders.claim(digestOf(id, [id], { retry_at: at(seconds) }));
      expect((await host.reminders.waiting(at(30), 2)).map(({ id }) => id)).toEqual(['first', 'second']);
      expect((await host.reminders.waiting(at(29), 9)).map(({ id }) => id)).toEqual(['first', 'second']);
    });

    it('forgets nothing that is younger, or waits', async () => {
      await host.reminders.claim(digestOf('waits', ['a']));
      await host.reminders.forget(NOW);
      expect(await announced(['a'])).toEqual(['a']);
      await host.reminders.forget(at(1));
      expect((await host.reminders.waiting(at(60), 10)).map(({ id }) => id)).toEqual(['waits']);
    });
  });

  describe('ReminderStore: recipients and progress', () => {
    it('keeps recipients with their trail, oldest first, apart for each organization', async () => {
      const sealed = { data_key: 'k', bytes: Buffer.from([0, 255]).toString('base64') };
      const hook = recipientOf('b', { kind: 'webhook', address: null, host: 'example.com', sealed });
      const rows = [recipientOf('a', { created_at: at(2) }), { ...hook, created_at: at(1) }];
      for (const row of rows) await host.reminders.addRecipient(row, trailOf());
      await host.reminders.addRecipient(recipientOf('a', { org: acmeTwo }), trailOf());
      expect(await host.reminders.recipients(acme)).toEqual(rows.toReversed());
      expect(await host.reminders.recipients(acmeTwo)).toEqual([recipientOf('a', { org: acmeTwo })]);
      expect(await host.waiting()).toHaveLength(3);
    });

    it('never puts one in place of another, nor one of a repeated request', async () => {
      await host.reminders.addRecipient(recipientOf('a'), trailOf({}, replayOf('k')));
      const twin = host.reminders.addRecipient(recipientOf('a', { owner: 'bob' }), trailOf());
      expect(await codeOfRejection(twin)).toBe('unavailable');
      const again = host.reminders.addRecipient(recipientOf('b'), trailOf({}, replayOf('k')));
      expect(await codeOfRejection(again)).toBe('idempotency_conflict');
      expect(await host.reminders.recipients(acme)).toEqual([recipientOf('a')]);
    });

    it('removes a recipient of its organization, with its trail, once', async () => {
      await host.reminders.addRecipient(recipientOf('a'), trailOf());
      expect(await host.reminders.removeRecipient(acmeTwo, 'a', trailOf())).toBe(false);
      expect(await host.reminders.removeRecipient(acme, 'a', trailOf())).toBe(true);
      expect(await host.reminders.removeRecipient(acme, 'a', trailOf())).toBe(false);
      expect(await host.reminders.recipients(acme)).toEqual([]);
      expect(await host.waiting()).toHaveLength(2);
    });

    it('finds a calendar by the hash of its token, until it is removed', async () => {
      const calendar = recipientOf('c', { kind: 'calendar', address: null, token_hash: 'hash' });
      await host.reminders.addRecipient(calendar, trailOf());
      const twin = recipientOf('d', { kind: 'calendar', token_hash: 'hash', org: acmeTwo });
      expect(await codeOfRejection(host.reminders.addRecipient(twin, trailOf()))).toBe('unavailable');
      expect(await host.reminders.findCalendar('hash')).toEqual(calendar);
      expect(await host.reminders.findCalendar('other')).toBeNull();
      await host.reminders.removeRecipient(acme, 'c', trailOf());
      expect(await host.reminders.findCalendar('hash')).toBeNull();
    });

    it('remembers how far the check has come', async () => {
      expect(await host.reminders.progress(acme)).toEqual({ policies: null, audit: null });
      await host.reminders.saveProgress(acme, { policies: 'p 1', audit: null });
      await host.reminders.saveProgress(acme, { policies: 'p 2', audit: NOW });
      expect(await host.reminders.progress(acme)).toEqual({ policies: 'p 2', audit: NOW });
      expect(await host.reminders.progress(acmeTwo)).toEqual({ policies: null, audit: null });
    });
  });
}
