import { beforeAll, describe, expect, it, vi } from 'vitest';
import { openNote } from '../../shared/audit/checkpoint.ts';
import { checkpointAudit } from '../../shared/audit/checkpoint-audit.ts';
import { verifyOrganizations } from '../../shared/callers/verify-organizations.ts';
import { organizationId } from '../../shared/contract/ids.ts';
import {
  call,
  itemsOf,
  jsonOf,
  newKey,
  newKeyWithId,
  newOrganization,
  newRun,
  record,
  services,
} from '../testkit/api.ts';

// What the chain alone does not show: rows that were put back as they once were, whole and authentic; index rows
// that were taken away; another history than the one of a checkpoint that somebody kept.

const db = services.database;
const org = organizationId.parse('acme');
// On a busy machine it takes its time.
vi.setConfig({ testTimeout: 120_000 });

let admin = '';

interface Row {
  readonly [column: string]: string | number | null | Uint8Array;
}

const verify = async (query: Readonly<Record<string, string>> = {}) => {
  const answer = jsonOf(await call('verify-audit', { as: admin, query }));
  // What waits for the log could be what explains a difference, and so would be waited for.
  await record();
  return answer;
};

const rowOf = (table: string, where: string): Row => {
  const row = db.get<Row>(`SELECT * FROM ${table} WHERE ${where}`);
  if (row === undefined) throw new TypeError('no such row');
  return row;
};

function putBack(table: string, row: Row): void {
  const columns = Object.keys(row);
  const places = columns.map(() => '?').join();
  db.run(`INSERT OR REPLACE INTO ${table} (${columns.join()}) VALUES (${places})`, ...Object.values(row));
}

beforeAll(async () => {
  db.run('PRAGMA synchronous = OFF');
  admin = await newOrganization('acme');
});

const name = 'subject';
const rotate = (new_value: string) =>
  call('rotate-secret', { as: admin, params: { name }, body: { new_value } });

/** The changes of a secret, one after the other. */
const steps: readonly (() => Promise<unknown>)[] = [
  () => call('create-secret', { as: admin, body: { name, value: 'v1' } }),
  () => rotate('v2'),
  () => call('update-secret', { as: admin, params: { name }, body: { description: 'other' } }),
  () => call('rollback-secret', { as: admin, params: { name }, body: { version: 1 } }),
  () => call('delete-secret', { as: admin, params: { name } }),
  () => call('restore-secret', { as: admin, params: { name } }),
  () => call('delete-secret', { as: admin, params: { name }, query: { recovery_days: '0' } }),
];

describe('a head that was put back', () => {
  it('is named, whichever older one it is, by the record that wrote the newest', async () => {
    const heads: Row[] = [];
    const where = `org = 'acme' AND key = '${name}#org##'`;
    for (const [index, step] of steps.entries()) {
      await step();
      await record();
      const isGone = index === steps.length - 1;
      expect(await verify()).toMatchObject({ verified: true });
      const now = isGone ? null : rowOf('secrets', where);
      for (const [revision, old] of heads.entries()) {
        putBack('secrets', old);
        const reason = isGone
          ? /removed .* there again$/
          : new RegExp(`revision ${index + 1} .* holds ${revision + 1}$`);
        expect(await verify()).toMatchObject({
          verified: false,
          stale: [{ sequence: expect.any(Number), reason: expect.stringMatching(reason) }],
        });
      }
      if (now === null) db.run(`DELETE FROM secrets WHERE ${where}`);
      else {
        db.run(`DELETE FROM secrets WHERE ${where}`);
        expect(await verify()).toMatchObject({
          stale: [{ reason: expect.stringMatching(/not there any more$/) }],
        });
        putBack('secrets', now);
        heads.push(now);
      }
    }
  }, 120_000);

  it('is none, when the secret was made again after it was removed', async () => {
    await call('create-secret', { as: admin, body: { name, value: 'anew' } });
    await record();
    expect(await verify()).toMatchObject({ verified: true });
  });
});

describe('a credential that was put back', () => {
  it('is named: a key that was revoked, a run that had ended', async () => {
    const { id, api_key } = await newKeyWithId(admin, { role: 'runtime' });
    const key = rowOf('api_keys', `id = '${id}'`);
    await newRun(api_key, { run_id: 'r1', pipeline_id: 'p', environment: 'staging' });
    const run = rowOf('runs', "run_id = 'r1'");
    await call('end-run', { as: api_key, params: { run_id: 'r1' } });
    await call('revoke-api-key', { as: admin, params: { id } });
    await record();
    expect(await verify()).toMatchObject({ verified: true });
    putBack('api_keys', key);
    putBack('runs', run);
    const findings = [];
    for await (const finding of verifyOrganizations(services)) findings.push(finding.reason);
    expect(findings).toEqual([expect.stringContaining('r1'), expect.stringContaining(id)]);
    expect((await verify())['stale']).toEqual([
      { sequence: expect.any(Number), reason: 'ended the run r1, which has not ended any more' },
      { sequence: expect.any(Number), reason: `revoked the API key ${id}, which is not revoked any more` },
    ]);
    await call('revoke-api-key', { as: admin, params: { id } });
    db.run("UPDATE runs SET ended_at = 'x' WHERE run_id = 'r1'");
  });
});

describe('the index', () => {
  it('must find every record under each of its facets', async () => {
    await newKey(admin, { role: 'viewer' });
    await record();
    const blocks = db.all<Row>("SELECT * FROM audit_blocks WHERE org = 'acme'");
    expect(blocks.length).toBeGreaterThan(20);
    for (const block of blocks) {
      const { facet, value, last_timestamp, first_sequence } = block;
      db.run(
        'DELETE FROM audit_blocks WHERE facet = ? AND value = ? AND last_timestamp = ? AND first_sequence = ?',
        ...([facet, value, last_timestamp, first_sequence] as string[]),
      );
      expect(await verify()).toMatchObject({
        verified: false,
        first_bad: { sequence: first_sequence, reason: expect.stringContaining(`index of ${facet}`) },
      });
      putBack('audit_blocks', block);
    }
    expect(await verify()).toMatchObject({ verified: true });
  }, 60_000);
});

describe('from a checkpoint on', () => {
  it('checks what came after it, and that the log had the root that somebody kept', async () => {
    await record();
    const kept = await checkpointAudit(services, org);
    if (kept === null || 'reason' in kept) throw new TypeError('no checkpoint');
    await call('create-secret', { as: admin, body: { name: 'later', value: 'v' } });
    await record();
    const from = String(kept.size);
    const [note = ''] = await services.checkpoints.list(org, kept.size - 1, 1);
    const key = await services.keyService.publicKey();
    const root = openNote(note, key)?.root.toString('base64') ?? '';
    const { sequence } = await services.auditLog.head(org);
    expect(await verify({ from, root })).toEqual({
      verified: true,
      events: sequence - kept.size,
      checkpoints: 1,
    });
    const other = Buffer.alloc(32).toString('base64');
    expect(await verify({ from, root: other })).toMatchObject({
      verified: false,
      first_bad: { sequence: kept.size, reason: expect.stringContaining('checkpoint that you kept') },
    });
    expect((await call('verify-audit', { as: admin, query: { from: '999999' } })).status).toBe(422);
    const found = itemsOf(await call('query-audit', { as: admin, query: { action: 'verify_audit' } }));
    expect(found.length).toBeGreaterThan(0);
  });
});
