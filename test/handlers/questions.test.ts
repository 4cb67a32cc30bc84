import { beforeAll, describe, expect, it, vi } from 'vitest';
import {
  call,
  itemsOf,
  jsonOf,
  newKey,
  newKeyWithId,
  newOrganization,
  record,
  services,
} from '../testkit/api.ts';

// What people ask of the log: who read it, who can, what does nobody read, what happens now.

// On a busy machine it takes its time.
vi.setConfig({ testTimeout: 120_000 });

let admin = '';
let runtime = '';

const resolve = async (as: string, name: string, more: object = {}) => {
  const body = { config: `{{secrets.${name}}}`, environment: 'production', ...more };
  const reply = await call('resolve-config', { as, body });
  await record();
  return reply.status;
};

beforeAll(async () => {
  services.database.run('PRAGMA synchronous = OFF');
  admin = await newOrganization('acme');
  runtime = await newKey(admin, { role: 'runtime', name: 'orchestrator' });
  for (const name of ['used', 'old', 'unused'])
    await call('create-secret', { as: admin, body: { name, value: 'v' } });
  expect(await resolve(runtime, 'used', { pipeline_id: 'p1' })).toBe(200);
  expect(await resolve(runtime, 'old')).toBe(200);
});

describe('what does nobody read?', () => {
  const named = async (query: Readonly<Record<string, string>>) =>
    itemsOf(await call('list-secrets', { as: admin, query })).map(({ name }) => name);

  it('never: until the first resolve', async () => {
    expect(await named({ never_read: 'true' })).toEqual(['unused']);
    expect(await named({ never_read: 'false' })).toEqual(['old', 'unused', 'used']);
  });

  it('not for so many days: neither resolved since nor made since', async () => {
    expect(await named({ unread_days: '90' })).toEqual([]);
    const long = new Date(Date.now() - 91 * 24 * 60 * 60 * 1000).toISOString();
    services.database.run("UPDATE accesses SET at = ? WHERE key LIKE 'old#%'", long);
    expect(await named({ unread_days: '90' })).toEqual(['old']);
    expect(await named({ unread_days: '92' })).toEqual([]);
    expect((await call('list-secrets', { as: admin, query: { unread_days: '0' } })).status).toBe(422);
  });
});

describe('who can resolve it, and who did?', () => {
  it('names the keys in force whose bounds reach it, and each user of it', async () => {
    const bound = await newKeyWithId(admin, { role: 'runtime', name: 'staging', environments: ['staging'] });
    const other = await newKeyWithId(admin, { role: 'runtime', name: 'p2', pipelines: ['p2'] });
    const revoked = await newKeyWithId(admin, { role: 'runtime', name: 'revoked' });
    await call('revoke-api-key', { as: admin, params: { id: revoked.id } });
    const body = {
      name: 'ofp1',
      value: 'v',
      scope: 'pipeline',
      pipeline_id: 'p1',
      environment: 'production',
    };
    await call('create-secret', { as: admin, body });
    expect(await resolve(runtime, 'ofp1', { pipeline_id: 'p1' })).toBe(200);
    expect(await resolve(runtime, 'ofp1', { pipeline_id: 'p1' })).toBe(200);
    const answer = jsonOf(await call('secret-access', { as: admin, params: { name: 'ofp1' } }));
    expect(answer).toMatchObject({
      name: 'ofp1',
      scope: 'pipeline',
      pipeline_id: 'p1',
      complete: true,
      can_resolve: [{ name: 'orchestrator', pipelines: null, environments: null }],
      did_resolve: [{ pipeline_id: 'p1', user: 'orchestrator', resolves: 2, versions: [1] }],
    });
    const shared = jsonOf(await call('secret-access', { as: admin, params: { name: 'used' } }));
    const can = shared['can_resolve'] as { name: string }[];
    expect(can.map(({ name }) => name).sort()).toEqual(['orchestrator', 'p2', 'staging']);
    expect(JSON.stringify(answer)).not.toMatch(/key_hash|signature|fmk_/);
    expect([bound.id, other.id]).not.toContain(revoked.id);
  });

  it('is for whoever may see keys, and is recorded', async () => {
    const viewer = await newKey(admin, { role: 'viewer' });
    expect((await call('secret-access', { as: viewer, params: { name: 'used' } })).status).toBe(403);
    expect((await call('secret-access', { as: admin, params: { name: 'nothing' } })).status).toBe(404);
    await call('secret-access', { as: admin, params: { name: 'used' } });
    await record();
    const [entry] = itemsOf(
      await call('query-audit', { as: admin, query: { action: 'read', secret_name: 'used', limit: '1' } }),
    );
    expect(entry).toMatchObject({ action: 'read', reason: 'access' });
  });
});

describe('what happens now?', () => {
  const poll = async (query: Readonly<Record<string, string>>, as = admin) => {
    const reply = await call('query-audit', { as, query });
    const cursor = /[?&]cursor=([^&>]+)/.exec(String(reply.headers['link']))?.[1] ?? '';
    return { items: itemsOf(reply), query: { ...query, cursor } };
  };

  it('comes once and in order, only what is asked for, and looking leaves nothing to look at', async () => {
    await record();
    let page = await poll({ after: 'end' });
    expect(page.items).toEqual([]);
    await call('create-secret', { as: admin, body: { name: 'now1', value: 'v' } });
    await call('create-secret', { as: admin, body: { name: 'now2', value: 'v' } });
    await record();
    page = await poll(page.query);
    expect(page.items.map((entry) => entry['secret_name'])).toEqual(['now1', 'now2']);
    const { sequence } = await services.auditLog.head('acme' as never);
    for (let i = 0; i < 5; i++) {
      await record();
      page = await poll(page.query);
      expect(page.items).toEqual([]);
    }
    await record();
    // One record of what was shown, none of what was not.
    expect((await services.auditLog.head('acme' as never)).sequence).toBe(sequence + 1);
    const all = await poll({ after: '0', action: 'create', secret_name: 'now2' });
    expect(all.items).toMatchObject([{ secret_name: 'now2' }]);
    // Another one's reading is shown.
    const viewer = await newKey(admin, { role: 'viewer' });
    await record();
    const seen = await poll({ after: 'end' }, viewer);
    await call('query-audit', { as: admin });
    await record();
    expect((await poll(seen.query, viewer)).items).toMatchObject([{ action: 'read_audit' }]);
  });

  it('goes on in pages where much came at once', async () => {
    const seen: unknown[] = [];
    let query: Readonly<Record<string, string>> = { after: '0', limit: '3' };
    for (let i = 0; i < 40; i++) {
      const page = await poll(query);
      seen.push(...page.items.map((entry) => entry['sequence']));
      query = page.query;
    }
    const sequences = [...new Set(seen)];
    expect(sequences).toEqual(sequences.toSorted((a, b) => Number(a) - Number(b)));
    expect(seen.length).toBeGreaterThan(15);
  });
});
