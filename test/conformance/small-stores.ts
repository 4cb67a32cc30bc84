import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventText } from '../../shared/audit/chain.ts';
import { recordAudit } from '../../shared/audit/record-audit.ts';
import { sweepOutbox } from '../../shared/audit/sweep-outbox.ts';
import { environmentName } from '../../shared/contract/ids.ts';
import { codeOfRejection } from '../testkit/failure.ts';
import type { MakeStores, StoreHost } from './host.ts';
import { acme, acmeTwo, apiKeyOf, at, eventOf, NOW, replayOf, trailOf } from './samples.ts';

/** DataKeyStore, ReplayStore and AuditOutbox. */
export function smallStoresSuite(make: MakeStores): void {
  let host: StoreHost;
  let now = NOW;

  beforeEach(async () => {
    now = NOW;
    host = await make(() => new Date(now));
  });
  afterEach(() => host.close());

  describe('DataKeyStore', () => {
    const keyOf = (id: string, environment: string | null = null, org = acme) => ({
      id,
      org,
      environment: environment === null ? null : environmentName.parse(environment),
      wrapped: Buffer.from(`wrapped ${org} ${id}`),
      recovery: null,
      created_at: NOW,
    });

    it('keeps keys and finds those that exist, of one organization', async () => {
      const recovery = Buffer.from('wrapped for recovery');
      const keys = [keyOf('a'), { ...keyOf('b', 'production'), recovery }, keyOf('a', null, acmeTwo)];
      for (const key of keys) await host.dataKeyStore.add(key);
      const found = await host.dataKeyStore.find(acme, ['a', 'b', 'none']);
      const readable = found.map((key) => ({
        ...key,
        wrapped: Buffer.from(key.wrapped),
        recovery: key.recovery === null ? null : Buffer.from(key.recovery),
      }));
      expect(readable.sort((one, two) => (one.id < two.id ? -1 : 1))).toStrictEqual(keys.slice(0, 2));
      expect(await host.dataKeyStore.find(acme, [])).toEqual([]);
    });

    it('finds more than a hundred', async () => {
      const ids = Array.from({ length: 130 }, (_, index) => `k${index}`);
      await Promise.all(ids.map((id) => host.dataKeyStore.add(keyOf(id))));
      expect(new Set((await host.dataKeyStore.find(acme, ids)).map(({ id }) => id))).toEqual(new Set(ids));
    });

    it('never puts one key in place of another', async () => {
      await host.dataKeyStore.add(keyOf('a'));
      const twin = { ...keyOf('a'), wrapped: Buffer.from('other') };
      expect(await codeOfRejection(host.dataKeyStore.add(twin))).toBe('unavailable');
      const [kept] = await host.dataKeyStore.find(acme, ['a']);
      expect(Buffer.from(kept?.wrapped ?? []).toString()).toBe('wrapped acme a');
    });
  });

  describe('ReplayStore', () => {
    const leave = (number: number, replay: Parameters<typeof replayOf>, timestamp = now) =>
      host.callers.addApiKey(apiKeyOf(number), trailOf({ timestamp }, replayOf(...replay)));

    it('finds an answer by its caller and key, until it is too old', async () => {
      await leave(1, ['k', { answer: null, expires_at: at(60) }]);
      await leave(2, ['other', { answer: '' }]);
      const found = () => host.replays.find('acme/key/k1', 'k');
      expect(await found()).toEqual(replayOf('k', { answer: null, expires_at: at(60) }));
      expect((await host.replays.find('acme/key/k1', 'other'))?.answer).toBe('');
      expect(await host.replays.find('acme/key/k2', 'k')).toBeNull();
      expect(await host.replays.find('acme/key/k1', 'K')).toBeNull();
      now = at(59);
      expect(await found()).not.toBeNull();
      now = at(60);
      expect(await found()).toBeNull();
    });

    it('puts a new answer in place of one that is too old', async () => {
      await leave(1, ['k', { expires_at: at(60) }]);
      now = at(59);
      expect(await codeOfRejection(leave(2, ['k', { status: 200, expires_at: at(200) }]))).toBe(
        'idempotency_conflict',
      );
      now = at(60);
      await leave(3, ['k', { status: 200, fingerprint: 'new', expires_at: at(200) }]);
      const replay = replayOf('k', { status: 200, fingerprint: 'new', expires_at: at(200) });
      expect(await host.replays.find('acme/key/k1', 'k')).toEqual(replay);
    });

    it('takes any caller and any visible key', async () => {
      const key = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join('');
      await leave(1, [key, { caller: 'acme/run/a|b/c=#', answer: '{"é":"☃"}' }]);
      expect((await host.replays.find('acme/run/a|b/c=#', key))?.answer).toBe('{"é":"☃"}');
    });
  });

  describe('AuditOutbox', () => {
    it('gives back what it holds of a time, in pages, and a sweep records what the stream never brought', async () => {
      const timeOf = (hour: number) => new Date(Date.parse(NOW) - hour * 3_600_000).toISOString();
      const events = Array.from({ length: 60 }, (_, hour) => eventOf({ timestamp: timeOf(hour) }));
      for (const event of events) await host.outbox.append(event);
      const texts: string[] = [];
      let after: string | undefined;
      do {
        const page = await host.outbox.held({ from: timeOf(36), to: timeOf(24) }, 5, after);
        expect(page.items.length).toBeLessThanOrEqual(5);
        texts.push(...page.items);
        after = page.next;
      } while (after !== undefined);
      expect(texts.sort()).toEqual(events.slice(24, 37).map(eventText).sort());
      const needs = { ...host, now: () => new Date(NOW) };
      await recordAudit(needs, texts.slice(0, 10));
      expect(await sweepOutbox(needs)).toBe(3);
      expect(await sweepOutbox(needs)).toBe(0);
      expect((await host.auditLog.head(acme)).sequence).toBe(13);
    });

    it('keeps events, each as its canonical text', async () => {
      const events = Array.from({ length: 30 }, (_, index) =>
        eventOf({ org: index % 2 === 0 ? acme : acmeTwo, timestamp: at(index), reason: `"☃\n${index}` }),
      );
      await Promise.all(events.map((event) => host.outbox.append(event)));
      expect([...(await host.waiting())].sort()).toEqual(events.map(eventText).sort());
    });

    it('keeps an event of two hundred secrets', async () => {
      const secrets = Array.from({ length: 200 }, (_, index) => ({
        name: `s${index}`.padEnd(128, 'x'),
        scope: 'pipeline' as const,
        owner: 'p'.repeat(128),
        version: index,
        problem: 'no secret of this name serves production here',
      }));
      const event = eventOf({ secrets });
      await host.outbox.append(event);
      expect(await host.waiting()).toEqual([eventText(event)]);
    });

    it('tells how many events are not in the log', async () => {
      expect(await host.auditLag()).toBe(0);
      await host.outbox.append(eventOf());
      expect(await host.auditLag()).toBeGreaterThan(0);
    });
  });
}
