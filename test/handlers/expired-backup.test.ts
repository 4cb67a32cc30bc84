import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkpointAudit } from '../../shared/audit/checkpoint-audit.ts';
import { verifyWhole } from '../../shared/audit/verify-audit.ts';
import type { ArchiveRow } from '../../shared/backup/archive.ts';
import { restoreBackup } from '../../shared/backup/restore-backup.ts';
import { verifyBackup } from '../../shared/backup/verify-backup.ts';
import { writeBackup } from '../../shared/backup/write-backup.ts';
import { expireAudit } from '../../shared/callers/expire-audit.ts';
import { organizationId } from '../../shared/contract/ids.ts';
import { call, newOrganization, record, services } from '../testkit/api.ts';

// A log whose first records expired is backed up and restored: what is left of it is proven as before.

const { openServices } = await import('../../shared/embedded/services.ts');
const org = organizationId.parse('acme');
const DAY_MS = 24 * 60 * 60 * 1000;
// More than one tile of the tree.
const WRITES = 300;
vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

const folder = mkdtempSync(join(tmpdir(), 'fm-expired-'));
afterAll(() => rmSync(folder, { recursive: true }));

const inDays = (days: number) => ({ ...services, now: () => new Date(Date.now() + days * DAY_MS) });
const whole = { from: 0, root: null, isEnough: () => false };
const trusting = { openRecovery: null, trusted: null, open: true, keyService: services.keyService };
let rows: ArchiveRow[] = [];
let expired = 0;

/** A backup of some rows, signed as ever: whoever made it has the key, and still may not claim what is not so. */
async function backupOf(some: readonly ArchiveRow[]): Promise<string[]> {
  const archive = {
    async *rows() {
      yield* some;
    },
  };
  const lines = await Array.fromAsync(writeBackup({ ...services, archive }));
  return lines.map((line) => line.trimEnd());
}

async function* asLines(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

const problemsOf = async (some: readonly ArchiveRow[]) =>
  (await verifyBackup(asLines(await backupOf(some)), trusting)).problems;

beforeAll(async () => {
  services.database.run('PRAGMA synchronous = OFF');
  const admin = await newOrganization('acme');
  for (let i = 0; i < WRITES; i++)
    await call('put-secret', { as: admin, params: { name: `s${i % 7}` }, body: { value: `v${i}` } });
  await record();
  await checkpointAudit(services, org);
  await call('update-organization', { as: admin, body: { audit_retention_days: 60 } });
  await record();
  await checkpointAudit(services, org);
  // The hour that asks, the minute that signs, the hour that removes.
  for (let hour = 0; hour < 2; hour++) {
    expired = await expireAudit(inDays(61));
    await record();
    await checkpointAudit(inDays(61), org);
  }
  expect(expired).toBeGreaterThan(256);
  rows = await Array.fromAsync(services.archive.rows());
});

it('is backed up whole: each checkpoint is compared, those too that cover what expired', async () => {
  const report = await verifyBackup(asLines(await backupOf(rows)), trusting);
  expect(report.problems).toEqual([]);
  expect(report.counts).toMatchObject({ expired: 2, checkpoint: expect.any(Number) });
  expect(report.counts.checkpoint).toBeGreaterThanOrEqual(3);
});

it('is restored: it verifies, says what expired, and goes on', async () => {
  const other = openServices({ FM_DATA_DIR: join(folder, 'restored') });
  const lines = await backupOf(rows);
  await restoreBackup(other, () => asLines(lines), { ...trusting, keyService: services.keyService });
  const restored = await verifyWhole(other, org, whole);
  expect(restored).toMatchObject({ verified: true, expired });
  const { sequence } = await services.auditLog.head(org);
  expect(await other.auditLog.head(org)).toEqual(await services.auditLog.head(org));
  expect(restored.events).toBe(sequence - expired);
  // Back again by a backup of the restored one, as often as one likes.
  const again = await Array.fromAsync(writeBackup(other));
  const report = await verifyBackup(asLines(again.map((line) => line.trimEnd())), {
    ...trusting,
    keyService: other.keyService,
  });
  expect(report.problems).toEqual([]);
  expect(report.counts.expired).toBe(2);
  other.database.close();
});

it('an interrupted restore is done again', async () => {
  const other = openServices({ FM_DATA_DIR: join(folder, 'again') });
  const lines = await backupOf(rows);
  const options = { ...trusting, keyService: services.keyService };
  let calls = 0;
  const dying = {
    isUsed: () => other.archive.isUsed(),
    load: async (some: readonly ArchiveRow[]) => {
      calls += 1;
      if (some[0]?.kind === 'organization') throw new TypeError('the power is cut');
      return other.archive.load(some);
    },
  };
  await expect(restoreBackup({ ...other, archive: dying }, () => asLines(lines), options)).rejects.toThrow(
    'power',
  );
  expect(calls).toBeGreaterThan(3);
  await restoreBackup(other, () => asLines(lines), options);
  expect(await verifyWhole(other, org, whole)).toMatchObject({ verified: true, expired });
  other.database.close();
});

describe('a backup does not verify', () => {
  const changed = (change: (row: ArchiveRow) => ArchiveRow[]) => problemsOf(rows.flatMap(change));

  it('when a leaf of what expired is another', async () => {
    const problems = await changed((row) => {
      if (row.kind !== 'expired' || row.from === 0) return [row];
      const bytes = Buffer.from(row.hashes, 'base64');
      bytes[5] = (bytes[5] ?? 0) ^ 1;
      return [{ ...row, hashes: bytes.toString('base64') }];
    });
    expect(problems.join()).toMatch(/what expired is not what the checkpoint of|covers/);
  });

  it('when some of what is left of it is missing', async () => {
    const problems = await changed((row) => (row.kind === 'expired' && row.from === 0 ? [] : [row]));
    expect(problems.join()).toMatch(/has a gap/);
  });

  it('when all of it is missing', async () => {
    expect((await changed((row) => (row.kind === 'expired' ? [] : [row]))).length).toBeGreaterThan(0);
  });

  it('when more is gone than a checkpoint lets expire', async () => {
    const [first] = await services.auditLog.read(org, expired + 1, 1);
    const leaf = Buffer.from(first?.hash ?? '', 'hex');
    const problems = await changed((row) => {
      if (row.kind === 'audit_record' && row.sequence === expired + 1) return [];
      if (row.kind !== 'expired' || row.from === 0) return [row];
      const hashes = Buffer.concat([Buffer.from(row.hashes, 'base64'), leaf]).toString('base64');
      return [{ ...row, hashes }];
    });
    expect(problems.join()).toMatch(/no checkpoint lets expire/);
  });
});
