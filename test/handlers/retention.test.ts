import { createPublicKey } from 'node:crypto';
import { beforeAll, expect, it, vi } from 'vitest';
import { checkpointAudit } from '../../shared/audit/checkpoint-audit.ts';
import { verifyWhole } from '../../shared/audit/verify-audit.ts';
import { ExportVerifier } from '../../shared/audit/verify-export.ts';
import { expireAudit } from '../../shared/callers/expire-audit.ts';
import { organizationId } from '../../shared/contract/ids.ts';
import { call, itemsOf, jsonOf, newKey, newOrganization, record, services } from '../testkit/api.ts';

// The schedules of both hosts, on clocks of their own: records expire, and everything that can be verified still is.

const org = organizationId.parse('acme');
const DAY_MS = 24 * 60 * 60 * 1000;
// On a busy machine it takes its time.
vi.setConfig({ testTimeout: 120_000 });

let admin = '';

const inDays = (days: number) => ({ ...services, now: () => new Date(Date.now() + days * DAY_MS) });
const whole = { from: 0, root: null, isEnough: () => false };
const verified = () => verifyWhole(services, org, whole);
const stored = async () => (await services.auditLog.read(org, 1, 1000)).map(({ sequence }) => sequence);

/** What the hour and then the minute do, so many days from now. */
async function pass(days: number): Promise<number> {
  const removed = await expireAudit(inDays(days));
  await record();
  await checkpointAudit(inDays(days), org);
  return removed;
}

const write = async (name: string) => {
  expect((await call('create-secret', { as: admin, body: { name, value: 'v' } })).status).toBe(201);
  await record();
};

beforeAll(async () => {
  services.database.run('PRAGMA synchronous = OFF');
  admin = await newOrganization('acme');
  for (let i = 0; i < 20; i++) await write(`s${i}`);
  await checkpointAudit(services, org);
});

it('nothing expires as long as the organization says nothing, whatever the store says', async () => {
  expect(await pass(5000)).toBe(0);
  services.database.run("UPDATE organizations SET audit_retention_days = 30 WHERE id = 'acme'");
  expect(await pass(5000)).toBe(0);
  expect(await pass(5000)).toBe(0);
  expect(await stored()).toHaveLength((await services.auditLog.head(org)).sequence);
  services.database.run("UPDATE organizations SET audit_retention_days = NULL WHERE id = 'acme'");
});

it('nor are reads unrecorded because the store says so', async () => {
  services.database.run("UPDATE organizations SET record_reads = 0 WHERE id = 'acme'");
  await call('list-secrets', { as: admin });
  await record();
  const [newest] = itemsOf(await call('query-audit', { as: admin, query: { limit: '1' } }));
  expect(newest).toMatchObject({ action: 'list' });
  services.database.run("UPDATE organizations SET record_reads = 1 WHERE id = 'acme'");
});

it('what expired goes when a signed checkpoint says so, and verifying says how much that was', async () => {
  const reply = await call('update-organization', { as: admin, body: { audit_retention_days: 60 } });
  expect(jsonOf(reply)).toMatchObject({ audit_retention_days: 60, record_reads: true });
  await record();
  await checkpointAudit(services, org);
  expect(await pass(59)).toBe(0);
  // The first hour asks, the minute after it signs, the next hour removes.
  expect(await pass(61)).toBe(0);
  expect(await verified()).toMatchObject({ verified: true, expired: expect.any(Number) });
  const before = await stored();
  const removed = await pass(61);
  expect(removed).toBeGreaterThan(20);
  expect(await stored()).toEqual(
    before.slice(removed).concat((await stored()).slice(before.length - removed)),
  );
  const answer = await verified();
  expect(answer).toMatchObject({ verified: true, expired: removed });
  const { sequence } = await services.auditLog.head(org);
  expect(answer.events).toBe(sequence - removed);
});

it('the index goes with the records, and queries go on', async () => {
  const { expired = 0 } = await verified();
  const blocks = services.database.all<{ sequences: string }>(
    "SELECT sequences FROM audit_blocks WHERE org = 'acme'",
  );
  for (const { sequences } of blocks)
    expect(Math.max(...(JSON.parse(sequences) as number[]))).toBeGreaterThan(expired);
  await write('afterwards');
  const found = itemsOf(await call('query-audit', { as: admin, query: { limit: '1000' } }));
  expect(Math.min(...found.map((entry) => Number(entry['sequence'])))).toBeGreaterThan(expired);
  expect(found.map((entry) => entry['action'])).toContain('expire_audit');
});

it('an export begins behind it and verifies with the key alone; a cut beyond it is found', async () => {
  const viewer = await newKey(admin, { role: 'viewer' });
  await record();
  await checkpointAudit(services, org);
  const { expired = 0 } = await verified();
  const key = createPublicKey(String(jsonOf(await call('audit-public-key', { as: viewer }))['public_key']));
  const reply = await call('export-audit', { as: viewer, query: { limit: '1000' } });
  const verifier = new ExportVerifier(key, null);
  for (const line of reply.text.trimEnd().split('\n')) verifier.add(Buffer.from(line));
  expect(verifier.end()).toMatchObject({ verified: true, before: expired });
  services.database.run("DELETE FROM audit_records WHERE org = 'acme' AND sequence = ?", expired + 1);
  expect(await verified()).toMatchObject({ verified: false, first_bad: { sequence: expired + 1 } });
});
