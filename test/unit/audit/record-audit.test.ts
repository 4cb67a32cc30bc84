import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyChain, eventText, readRecordBytes, recordHash } from '../../../shared/audit/chain.ts';
import type { AuditEvent } from '../../../shared/audit/event.ts';
import type { AuditLog } from '../../../shared/audit/log.ts';
import { type AccessNote, type RecordAuditNeeds, recordAudit } from '../../../shared/audit/record-audit.ts';
import { type OrganizationId, organizationId } from '../../../shared/contract/ids.ts';
import { EmbeddedAuditStore } from '../../../shared/embedded/audit-store.ts';
import { Database } from '../../../shared/embedded/database.ts';
import { codeOfRejection } from '../../testkit/failure.ts';

const acme = organizationId.parse('acme');
const rival = organizationId.parse('rival');

let folder = '';
let database: Database;
let log: EmbeddedAuditStore;
let notes: { org: OrganizationId; notes: readonly AccessNote[] }[] = [];
let needs: RecordAuditNeeds;

function open(): void {
  folder = mkdtempSync(join(tmpdir(), 'fm-audit-'));
  database = new Database(join(folder, 'store.db'));
  log = new EmbeddedAuditStore(database);
  notes = [];
  const noteAccesses = async (org: OrganizationId, noted: readonly AccessNote[]) => {
    notes.push({ org, notes: noted });
  };
  needs = { auditLog: log, secrets: { noteAccesses } };
}
function close(): void {
  database.close();
  rmSync(folder, { recursive: true });
}
beforeEach(open);
afterEach(close);

function event(number: number, more: Partial<AuditEvent> = {}): AuditEvent {
  const timestamp = new Date(Date.UTC(2026, 0, 31, 12, number)).toISOString();
  return {
    id: `e${number}`,
    org: acme,
    timestamp,
    action: 'rotate',
    outcome: 'success',
    secrets: [],
    ...more,
  };
}
const textsOf = (events: readonly AuditEvent[]) => events.map(eventText);

/** The ids in the chain, once every link of it was checked here by hand. */
async function chainOf(org: OrganizationId): Promise<string[]> {
  let last = emptyChain(org);
  const ids: string[] = [];
  for (const { sequence, hash, bytes, event_id } of await log.read(org, 1, 10_000)) {
    const record = readRecordBytes(bytes);
    expect(record).toMatchObject({ sequence: last.sequence + 1, previous: last.hash });
    expect([sequence, hash, event_id]).toEqual([record.sequence, recordHash(bytes), record.event.id]);
    last = { sequence, hash };
    ids.push(event_id);
  }
  expect(await log.head(org)).toEqual(last);
  return ids;
}

describe('recordAudit', () => {
  it('appends in the order given, to the chain of each organization', async () => {
    const events = [event(1), event(2, { org: rival }), event(3), event(4, { org: rival })];
    await recordAudit(needs, textsOf(events));
    expect([await chainOf(acme), await chainOf(rival)]).toEqual([
      ['e1', 'e3'],
      ['e2', 'e4'],
    ]);
  });

  it('takes nothing, and what is recorded already, as done', async () => {
    await recordAudit(needs, []);
    await recordAudit(needs, textsOf([event(1)]));
    await recordAudit(needs, textsOf([event(1)]));
    await recordAudit(needs, textsOf([event(1), event(1), event(2), event(1)]));
    expect(await chainOf(acme)).toEqual(['e1', 'e2']);
  });

  it('records each event once, whatever is repeated, reordered, cut into batches and done by several at once', async () => {
    const batches = fc.array(
      fc.record({
        events: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 8 }),
        atOnce: fc.boolean(),
      }),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(batches, async (sent) => {
        close();
        open();
        let running: Promise<void>[] = [];
        for (const { events, atOnce } of sent) {
          running.push(recordAudit(needs, textsOf(events.map((number) => event(number)))));
          if (!atOnce) {
            await Promise.all(running);
            running = [];
          }
        }
        await Promise.all(running);
        const expected = new Set(sent.flatMap(({ events }) => events.map((number) => `e${number}`)));
        const recorded = await chainOf(acme);
        expect(recorded).toHaveLength(expected.size);
        expect(new Set(recorded)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it('is what two processes with the same store do too', async () => {
    const other = new Database(join(folder, 'store.db'));
    const others = { ...needs, auditLog: new EmbeddedAuditStore(other) };
    const events = textsOf(Array.from({ length: 40 }, (_, i) => event(i + 1)));
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const batch = events.slice(i, i + 21);
        return recordAudit(i % 2 ? needs : others, i % 3 ? batch : batch.toReversed());
      }),
    );
    other.close();
    expect((await chainOf(acme)).sort()).toEqual(Array.from({ length: 40 }, (_, i) => `e${i + 1}`).sort());
  });

  it("is one chain of sixty-four recorders at once, in two processes' connections", async () => {
    const other = new Database(join(folder, 'store.db'));
    const others = { ...needs, auditLog: new EmbeddedAuditStore(other) };
    const events = textsOf(Array.from({ length: 300 }, (_, i) => event(i + 1)));
    await Promise.all(
      Array.from({ length: 64 }, async (_, i) => {
        const batch = events.slice(i * 4, i * 4 + 48);
        // The stream brings a batch again whose recorder gave up.
        for (let isDone = false; !isDone; )
          isDone = await recordAudit(i % 2 ? needs : others, batch).then(
            () => true,
            () => false,
          );
      }),
    );
    other.close();
    expect((await chainOf(acme)).sort()).toEqual(Array.from({ length: 300 }, (_, i) => `e${i + 1}`).sort());
  });

  it('done again after a crash behind the append, it still notes the accesses', async () => {
    const access = event(1, { action: 'access', secrets: [{ name: 'db', scope: 'org', environment: null }] });
    const crashing = {
      ...needs,
      secrets: { noteAccesses: () => Promise.reject(new TypeError('crashed')) },
    };
    await expect(recordAudit(crashing, textsOf([access]))).rejects.toThrow('crashed');
    await recordAudit(needs, textsOf([access]));
    expect(await chainOf(acme)).toEqual(['e1']);
    expect(notes.map(({ notes }) => notes.map(({ secret }) => secret.name))).toEqual([['db']]);
  });

  it('notes the latest access of each secret, of those that were served', async () => {
    const secrets = [{ name: 'db', scope: 'org', environment: null }] as const;
    const elsewhere = [{ name: 'db', scope: 'pipeline', owner: 'p1', environment: null }] as const;
    const events = [
      event(3, { action: 'access', secrets }),
      event(2, { action: 'access', secrets }),
      event(4, { action: 'access', outcome: 'failed', secrets }),
      event(5, { action: 'rotate', secrets }),
      event(1, { action: 'access', secrets: elsewhere }),
    ];
    await recordAudit(needs, textsOf(events));
    expect(notes).toEqual([
      {
        org: acme,
        notes: [
          { secret: secrets[0], at: event(3).timestamp },
          { secret: elsewhere[0], at: event(1).timestamp },
        ],
      },
    ]);
  });

  it('gives up when others are always faster, and what it could not append comes again', async () => {
    const auditLog: AuditLog = {
      appendsAtOnce: log.appendsAtOnce,
      head: (org) => log.head(org),
      recorded: (org, ids) => log.recorded(org, ids),
      appendAfter: async () => false,
      beginAfter: async () => false,
      blocks: (...given) => log.blocks(...given),
      readMany: (...given) => log.readMany(...given),
      removeUpTo: (...given) => log.removeUpTo(...given),
      read: (...given) => log.read(...given),
    };
    const texts = textsOf([event(1)]);
    expect(await codeOfRejection(recordAudit({ ...needs, auditLog }, texts))).toBe('unavailable');
    await recordAudit(needs, texts);
    expect(await chainOf(acme)).toEqual(['e1']);
  });
});
