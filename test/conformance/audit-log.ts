import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyChain, eventText, linkRecords, type OutboxEvent } from '../../shared/audit/chain.ts';
import type { AuditEvent } from '../../shared/audit/event.ts';
import { type Facet, type IndexBlock, indexBlocks, type LogFilter } from '../../shared/audit/facets.ts';
import type { BlockPosition } from '../../shared/audit/log.ts';
import { recordAudit } from '../../shared/audit/record-audit.ts';
import { searchLog } from '../../shared/audit/search-log.ts';
import type { OrganizationId } from '../../shared/contract/ids.ts';
import type { MakeStores, StoreHost } from './host.ts';
import { acme, acmeTwo, at, eventOf, NOW } from './samples.ts';

const NEWEST: BlockPosition = { last_timestamp: '9', first_sequence: Number.MAX_SAFE_INTEGER };
const ALL: Facet = ['all', ''];

function outboxEvent(event: AuditEvent): OutboxEvent {
  return { text: eventText(event), event };
}

/** AuditLog. */
export function auditLogSuite(make: MakeStores): void {
  let host: StoreHost;
  const append = async (events: readonly AuditEvent[], org: OrganizationId = acme) => {
    for (let from = 0; from < events.length; from += host.auditLog.appendsAtOnce) {
      const head = await host.auditLog.head(org);
      const some = events.slice(from, from + host.auditLog.appendsAtOnce).map(outboxEvent);
      const records = linkRecords(head, some);
      if (!(await host.auditLog.appendAfter(org, head, records, indexBlocks(records, some)))) return false;
    }
    return true;
  };
  const events = (count: number, more: Partial<AuditEvent> = {}) =>
    Array.from({ length: count }, () => eventOf(more));
  const sequences = async (org: OrganizationId, from = 1) =>
    (await host.auditLog.read(org, from, 10_000)).map(({ sequence }) => sequence);

  beforeEach(async () => {
    host = await make(() => new Date(NOW));
  });
  afterEach(() => host.close());

  describe('AuditLog: the chain', () => {
    it('begins empty', async () => {
      expect(await host.auditLog.head(acme)).toStrictEqual(emptyChain(acme));
      expect(await host.auditLog.recorded(acme, ['none'])).toEqual(new Set());
      expect(await host.auditLog.recorded(acme, [])).toEqual(new Set());
      expect(await host.auditLog.read(acme, 1, 10)).toEqual([]);
    });

    it('appends records behind its head, for each organization apart', async () => {
      const [first, second] = [events(2), events(3)];
      expect(await append(first)).toBe(true);
      expect(await append(second)).toBe(true);
      expect(await append(events(1, { org: acmeTwo }), acmeTwo)).toBe(true);
      const expected = linkRecords(emptyChain(acme), [...first, ...second].map(outboxEvent));
      const read = await host.auditLog.read(acme, 1, 10);
      expect(read.map((record) => ({ ...record, bytes: Buffer.from(record.bytes) }))).toStrictEqual(expected);
      const { sequence, hash } = expected.at(-1) ?? emptyChain(acme);
      expect(await host.auditLog.head(acme)).toEqual({ sequence, hash });
      expect((await host.auditLog.head(acmeTwo)).sequence).toBe(1);
    });

    it('begins behind records that expired elsewhere, once, and goes on from there', async () => {
      const behind = { sequence: 41, hash: 'ab'.repeat(32) };
      const some = events(3).map(outboxEvent);
      const records = linkRecords(behind, some);
      const begin = () => host.auditLog.beginAfter(acme, behind, records, indexBlocks(records, some));
      expect(await begin()).toBe(true);
      expect(await sequences(acme)).toEqual([42, 43, 44]);
      expect(await host.auditLog.head(acme)).toEqual({ sequence: 44, hash: records[2]?.hash });
      expect(await begin()).toBe(false);
      expect(await append(events(2))).toBe(true);
      expect(await sequences(acme)).toEqual([42, 43, 44, 45, 46]);
      const found = await searchLog(host.auditLog, acme, {}, 10, undefined);
      expect(found.map(({ record }) => record.sequence)).toEqual([46, 45, 44, 43, 42]);
    });

    it('appends nothing when another was first', async () => {
      const stale = await host.auditLog.head(acme);
      await append(events(1));
      const waiting = events(2).map(outboxEvent);
      const records = linkRecords(stale, waiting);
      expect(await host.auditLog.appendAfter(acme, stale, records, indexBlocks(records, waiting))).toBe(
        false,
      );
      expect(await sequences(acme)).toEqual([1]);
      expect(
        await host.auditLog.recorded(
          acme,
          waiting.map(({ event }) => event.id),
        ),
      ).toEqual(new Set());
    });

    it('knows which events are recorded, among many', async () => {
      const recorded = events(150);
      expect(await append(recorded)).toBe(true);
      const ids = recorded.map(({ id }) => id);
      expect(await host.auditLog.recorded(acme, [...ids, 'none', ids[0] ?? ''])).toEqual(new Set(ids));
      expect(await host.auditLog.recorded(acmeTwo, ids)).toEqual(new Set());
      expect(await sequences(acme)).toEqual(ids.map((_, index) => index + 1));
    });

    it('reads from a sequence on, oldest first, and by sequence', async () => {
      await append(events(120));
      const ranges = [await host.auditLog.read(acme, 100, 5), await host.auditLog.read(acme, 119, 5)];
      expect(ranges.map((range) => range.map(({ sequence }) => sequence))).toEqual([
        [100, 101, 102, 103, 104],
        [119, 120],
      ]);
      const many = await host.auditLog.readMany(acme, [...Array.from({ length: 110 }, (_, i) => i + 1), 999]);
      expect(many.map(({ sequence }) => sequence).sort((a, b) => a - b)).toEqual(
        await sequences(acme).then((all) => all.slice(0, 110)),
      );
      expect(await host.auditLog.readMany(acme, [])).toEqual([]);
      expect(await host.auditLog.readMany(acmeTwo, [1])).toEqual([]);
    });

    it('removes the oldest records with their index, in portions, and goes on behind them', async () => {
      for (let batch = 0; batch < 4; batch++)
        expect(await append(events(5, { action: batch < 3 ? 'access' : 'list' }))).toBe(true);
      await append(events(1, { org: acmeTwo }), acmeTwo);
      const newest = { from: undefined, upTo: NEWEST, limit: 1000 };
      const indexed = async (facet: Facet) =>
        (await host.auditLog.blocks(acme, facet, newest))
          .flatMap((block) => block.sequences)
          .sort((a, b) => a - b);
      expect(await host.auditLog.removeUpTo(acme, 12, 5)).toBe(5);
      expect(await host.auditLog.removeUpTo(acme, 12, 100)).toBe(7);
      expect(await host.auditLog.removeUpTo(acme, 12, 100)).toBe(0);
      expect(await sequences(acme)).toEqual([13, 14, 15, 16, 17, 18, 19, 20]);
      // A block that names a later record stays whole until that one goes too.
      expect(await indexed(['action', 'access'])).toEqual([11, 12, 13, 14, 15]);
      expect(await host.auditLog.removeUpTo(acme, 15, 100)).toBe(3);
      expect(await indexed(['action', 'access'])).toEqual([]);
      expect(await indexed(ALL)).toEqual([16, 17, 18, 19, 20]);
      expect(await append(events(1))).toBe(true);
      expect(await sequences(acme)).toEqual([16, 17, 18, 19, 20, 21]);
      expect(await sequences(acmeTwo)).toEqual([1]);
    });

    it('holds each event once, whatever is repeated, reordered and raced', async () => {
      const texts = events(60, { action: 'access' }).map(eventText);
      const needs = { auditLog: host.auditLog, secrets: host.secrets };
      const batches = [0, 20, 40, 10, 30].map((from) => texts.slice(from, from + 25).toReversed());
      await Promise.all([...batches, ...batches].map((batch) => recordAudit(needs, batch)));
      const read = await host.auditLog.read(acme, 1, 1000);
      expect(read.map(({ event_id }) => event_id).sort()).toEqual(
        texts.map((text) => (JSON.parse(text) as AuditEvent).id).sort(),
      );
      const found = await searchLog(host.auditLog, acme, { action: 'access' }, 1000, undefined);
      expect(found.map(({ record }) => record.sequence).sort((a, b) => a - b)).toEqual(await sequences(acme));
    });
  });

  describe('AuditLog.blocks', () => {
    const block = (last_timestamp: string, first_sequence: number, facet: Facet = ALL): IndexBlock => {
      return { facet, last_timestamp, first_sequence, sequences: [first_sequence, first_sequence + 2] };
    };
    const write = async (...blocks: IndexBlock[]) => {
      const head = await host.auditLog.head(acme);
      await host.auditLog.appendAfter(acme, head, linkRecords(head, [outboxEvent(eventOf())]), blocks);
    };
    const read = async (from: string | undefined, upTo: BlockPosition, limit = 10, facet: Facet = ALL) =>
      (await host.auditLog.blocks(acme, facet, { from, upTo, limit })).map(
        ({ last_timestamp, first_sequence }) => [last_timestamp, first_sequence],
      );

    it('gives the blocks of a facet, newest first, by time and then by sequence', async () => {
      const blocks = [block(at(1), 1), block(at(2), 10), block(at(2), 9), block(at(3), 4)];
      await write(...blocks);
      const all = await host.auditLog.blocks(acme, ALL, { from: undefined, upTo: NEWEST, limit: 10 });
      expect(all.map((one) => ({ ...one, facet: [...one.facet], sequences: [...one.sequences] }))).toEqual(
        [3, 1, 2, 0].map((index) => blocks[index]),
      );
      expect(await host.auditLog.blocks(acmeTwo, ALL, { from: undefined, upTo: NEWEST, limit: 10 })).toEqual(
        [],
      );
    });

    it('takes a first moment, a last position and a limit', async () => {
      await write(block(at(1), 1), block(at(2), 10), block(at(2), 9), block(at(3), 4));
      expect(await read(at(2), NEWEST)).toEqual([
        [at(3), 4],
        [at(2), 10],
        [at(2), 9],
      ]);
      expect(await read(undefined, { last_timestamp: at(2), first_sequence: 9 })).toEqual([
        [at(2), 9],
        [at(1), 1],
      ]);
      expect(await read(undefined, { last_timestamp: at(2), first_sequence: 8 })).toEqual([[at(1), 1]]);
      expect(await read(undefined, NEWEST, 2)).toEqual([
        [at(3), 4],
        [at(2), 10],
      ]);
      expect(await read(at(3), { last_timestamp: at(2), first_sequence: 99 })).toEqual([]);
      expect(await read(at(9), NEWEST)).toEqual([]);
    });

    it('keeps facets and values apart', async () => {
      const facets: Facet[] = [
        ['secret', 'a'],
        ['secret', 'a#b'],
        ['user', 'a'],
        ['user', 'Ada Lovelace ☃'],
        ['run', 'all'],
      ];
      await write(...facets.map((facet, index) => block(at(index), index + 1, facet)));
      for (const [index, facet] of facets.entries())
        expect(await read(undefined, NEWEST, 10, facet)).toEqual([[at(index), index + 1]]);
      expect(await read(undefined, NEWEST, 10, ['secret', 'b'])).toEqual([]);
    });
  });

  describe('AuditLog: searched', () => {
    const search = async (filter: LogFilter, limit = 100) =>
      (await searchLog(host.auditLog, acme, filter, limit, undefined)).map(({ record }) => record.sequence);

    it('by every facet, and by time', async () => {
      const said: Partial<AuditEvent>[] = [
        { secrets: [{ name: 'a' }, { name: 'b' }, { name: 'a', version: 2 }] },
        { run_id: 'r1', pipeline_id: 'p1', action: 'access' },
        { user: 'ada', outcome: 'denied', action: 'denied' },
        { secrets: [{ name: 'b' }], timestamp: at(7200), run_id: 'r1' },
      ];
      await append(said.map((more) => eventOf(more)));
      expect(await search({ secret_name: 'a' })).toEqual([1]);
      expect(await search({ secret_name: 'b' })).toEqual([4, 1]);
      expect(await search({ run_id: 'r1' })).toEqual([4, 2]);
      expect(await search({ pipeline_id: 'p1' })).toEqual([2]);
      expect(await search({ user: 'ada' })).toEqual([3]);
      expect(await search({ action: 'access' })).toEqual([2]);
      expect(await search({ outcome: 'denied' })).toEqual([3]);
      expect(await search({})).toEqual([4, 3, 2, 1]);
      expect(await search({ secret_name: 'b', from: at(1) })).toEqual([4]);
      expect(await search({ to: at(1) })).toEqual([3, 2, 1]);
      expect(await search({ run_id: 'r1', secret_name: 'a' })).toEqual([]);
    });

    it('page by page through more blocks than are read at once', async () => {
      for (let hour = 0; hour < 230; hour += 2)
        await append([
          eventOf({ timestamp: at(hour * 3600) }),
          eventOf({ timestamp: at((hour + 1) * 3600) }),
        ]);
      const all = await search({}, 1000);
      expect(all).toEqual(Array.from({ length: 230 }, (_, index) => 230 - index));
    });
  });
}
