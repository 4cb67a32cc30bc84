import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EmbeddedAuditStore } from '../../../shared/embedded/audit-store.ts';
import { Database } from '../../../shared/embedded/database.ts';
import { busyMoment, countReads, fillLog } from '../../testkit/busy-log.ts';

// Filling takes its time on a busy machine.
vi.setConfig({ hookTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), 'fm-search-'));
const database = new Database(join(folder, 'store.db'));
const log = new EmbeddedAuditStore(database);
const RECORDS = 7_350;
const PAGE = 100;
/** Records that one second of the log holds. */
const SECOND = 10;

beforeAll(() => fillLog(log, RECORDS));
afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

describe('a page costs what it shows, wherever in the log it is', () => {
  // From a moment before the first record to one behind the last, odd ones within seconds and batches.
  it.each([-1, 0, 48, 49, 50, 333, 3_599, 3_600, RECORDS - 1, RECORDS + 500])(
    'up to the moment of record %i',
    async (last) => {
      const { requests, blocks, records, found } = await countReads(log, { to: busyMoment(last) }, PAGE);
      const newest = Math.min(last, RECORDS - 1);
      const expected = Array.from({ length: Math.min(PAGE, newest + 1) }, (_, at) => newest + 1 - at);
      expect(found.map(({ record }) => record.sequence)).toEqual(expected);
      expect(requests).toBeLessThanOrEqual(3);
      expect(blocks).toBeLessThanOrEqual(100);
      expect(records).toBeLessThanOrEqual(2 * PAGE + SECOND);
    },
  );

  it('between two moments: those, and no others', async () => {
    const filter = { from: busyMoment(1_234), to: busyMoment(1_300) };
    const { records, found } = await countReads(log, filter, PAGE);
    expect(found.map(({ record }) => record.sequence)).toEqual(
      Array.from({ length: 67 }, (_, at) => 1_301 - at),
    );
    expect(records).toBeLessThanOrEqual(67 + 2 * 49);
  });
});
