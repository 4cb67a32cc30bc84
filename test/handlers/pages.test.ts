import { beforeAll, describe, expect, it } from 'vitest';
import {
  allPages,
  call,
  itemsOf,
  newKey,
  newKeyWithId,
  newOrganization,
  newRun,
  record,
  services,
} from '../testkit/api.ts';

let admin = '';
let runtime = '';
let staging = '';

/** Everything that is listed below, by name: the places are spread so that every filter leaves some of them. */
const stored = Array.from({ length: 23 }, (_, index) => {
  const environments = [null, 'staging', 'production'];
  const environment = environments[index % 3] ?? null;
  const place =
    index % 4 === 1
      ? { scope: 'pipeline', pipeline_id: `p${index % 2}` }
      : index % 4 === 3
        ? { scope: 'user', user: 'ada' }
        : { scope: 'org' };
  const prefix = index % 5 === 0 ? 'Zed' : 'name';
  return {
    name: `${prefix}_${String(index).padStart(2, '0')}`,
    environment,
    rotation_days: index % 2 ? 10 : null,
    ...place,
  };
});
const byName = [...stored].sort((a, b) => (a.name < b.name ? -1 : 1));

beforeAll(async () => {
  admin = await newOrganization('acme');
  await newOrganization('rival');
  for (const fields of stored) {
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
    expect((await call('create-secret', { as: admin, body: { ...given, value: 'v' } })).status).toBe(201);
  }
  runtime = await newKey(admin, { role: 'runtime' });
  staging = await newKey(admin, { role: 'viewer', environments: ['staging'] });
});

const namesOf = (pages: readonly (readonly Record<string, unknown>[])[]) =>
  pages.flat().map(({ name }) => name);

describe('list-secrets', () => {
  it.each([1, 2, 7, 22, 23, 24, 1000])('%i a page: each secret once, by name', async (limit) => {
    const pages = await allPages('list-secrets', { as: admin, query: { limit: String(limit) } });
    expect(namesOf(pages)).toEqual(byName.map(({ name }) => name));
    const sizes = pages.map((page) => page.length);
    expect(sizes.slice(0, -1).every((size) => size === limit)).toBe(true);
    expect(sizes.at(-1)).toBeGreaterThan(0);
  });

  it.each([
    {
      query: { environment: 'staging' },
      keeps: (one: (typeof stored)[number]) => one.environment === 'staging',
    },
    { query: { environment: 'none' }, keeps: (one: (typeof stored)[number]) => one.environment === null },
    { query: { scope: 'org' }, keeps: (one: (typeof stored)[number]) => one.scope === 'org' },
    { query: { scope: 'user' }, keeps: (one: (typeof stored)[number]) => one.scope === 'user' },
    {
      query: { pipeline_id: 'p1' },
      keeps: (one: (typeof stored)[number]) => 'pipeline_id' in one && one.pipeline_id === 'p1',
    },
    { query: { user: 'ada' }, keeps: (one: (typeof stored)[number]) => 'user' in one },
    { query: { user: 'bob' }, keeps: () => false },
    { query: { prefix: 'Zed' }, keeps: (one: (typeof stored)[number]) => one.name.startsWith('Zed') },
    { query: { prefix: 'name_0' }, keeps: (one: (typeof stored)[number]) => one.name.startsWith('name_0') },
    {
      query: { prefix: 'nam', environment: 'production', scope: 'org' },
      keeps: (one: (typeof stored)[number]) =>
        one.name.startsWith('nam') && one.environment === 'production' && one.scope === 'org',
    },
    { query: { due_within_days: '9' }, keeps: () => false },
    { query: { due_within_days: '10' }, keeps: (one: (typeof stored)[number]) => one.rotation_days === 10 },
    { query: { deleted: 'true' }, keeps: () => false },
    { query: { deleted: 'false' }, keeps: () => true },
  ])('$query', async ({ query, keeps }) => {
    const pages = await allPages('list-secrets', { as: admin, query: { ...query, limit: '2' } });
    expect(namesOf(pages)).toEqual(byName.filter(keeps).map(({ name }) => name));
  });

  it('pages of what a bound key may see leave no gap where it may not', async () => {
    const pages = await allPages('list-secrets', { as: staging, query: { limit: '3' } });
    const visible = byName.filter(({ environment }) => environment !== 'production');
    expect(namesOf(pages)).toEqual(visible.map(({ name }) => name));
    expect(pages.slice(0, -1).every((page) => page.length === 3)).toBe(true);
  });

  it('lists what is deleted, and only then', async () => {
    const params = { name: 'name_01' };
    await call('delete-secret', { as: admin, params });
    const deleted = itemsOf(await call('list-secrets', { as: admin, query: { deleted: 'true' } }));
    expect(deleted).toEqual([expect.objectContaining({ name: 'name_01', deleted_at: expect.any(String) })]);
    expect(namesOf(await allPages('list-secrets', { as: admin, query: { limit: '5' } }))).not.toContain(
      'name_01',
    );
    await call('restore-secret', { as: admin, params });
  });

  it('a secret that is made while it is read neither repeats nor hides another', async () => {
    const first = itemsOf(await call('list-secrets', { as: admin, query: { limit: '4' } }));
    const link = String((await call('list-secrets', { as: admin, query: { limit: '4' } })).headers['link']);
    await call('create-secret', { as: admin, body: { name: 'AAA', value: 'v' } });
    const query = Object.fromEntries(new URLSearchParams(/\?([^>]*)>/.exec(link)?.[1]));
    const rest = await allPages('list-secrets', { as: admin, query });
    expect(namesOf([first, ...rest])).toEqual(byName.map(({ name }) => name));
    await call('delete-secret', { as: admin, params: { name: 'AAA' }, query: { recovery_days: '0' } });
  });
});

describe('list-api-keys', () => {
  it.each(['1', '3', '100'])(
    '%s a page: each key once, newest first, without the key itself',
    async (limit) => {
      const made: string[] = [];
      for (let i = 0; i < 5; i++)
        made.push((await newKeyWithId(admin, { role: 'viewer', name: `k${i}` })).id);
      const keys = (await allPages('list-api-keys', { as: admin, query: { limit } })).flat();
      const ids = keys.map(({ id }) => String(id));
      expect(new Set(ids).size).toBe(ids.length);
      expect(made.every((id) => ids.includes(id))).toBe(true);
      const times = keys.map(({ created_at }) => String(created_at));
      expect(times).toEqual([...times].sort().reverse());
      const total = services.database.get<{ n: number }>(
        "SELECT count(*) AS n FROM api_keys WHERE org = 'acme'",
      );
      expect(ids).toHaveLength(total?.n ?? 0);
      expect(keys.some((key) => 'api_key' in key || 'key_hash' in key || 'signature' in key)).toBe(false);
    },
  );
});

describe('query-audit', () => {
  const names = stored.filter(({ scope, environment }) => scope === 'org' && environment !== 'production');
  const config = names.map(({ name }) => `{{secrets.${name}}}`);

  beforeAll(async () => {
    for (const run_id of ['run-a', 'run-b', 'run-c']) {
      await newRun(runtime, { pipeline_id: 'p1', environment: 'staging', user: 'ada', run_id });
      const body = { config, environment: 'staging', pipeline_id: 'p1', user: 'ada', run_id };
      expect((await call('resolve-config', { as: runtime, body })).status).toBe(200);
      await record();
    }
  });

  it.each(['1', '2', '7', '100', '1000'])('%s a page: each entry once, newest first', async (limit) => {
    const pages = await allPages('query-audit', { as: admin, query: { limit } });
    const entries = pages.flat();
    const whole = itemsOf(await call('query-audit', { as: admin, query: { limit: '1000' } }));
    expect(entries).toEqual(whole);
    const sequences = entries.map(({ sequence }) => Number(sequence));
    expect(sequences).toEqual([...sequences].sort((a, b) => b - a));
    const ids = entries.map(({ sequence, secret_name }) => `${sequence} ${secret_name}`);
    expect(new Set(ids).size).toBe(ids.length);
    expect(pages.slice(0, -1).every((page) => page.length === Number(limit))).toBe(true);
  });

  it.each([
    { query: { run_id: 'run-b', action: 'access' }, count: names.length },
    { query: { run_id: 'run-b' }, count: names.length + 1 },
    { query: { run_id: 'run-z' }, count: 0 },
    { query: { action: 'access' }, count: names.length * 3 },
    { query: { action: 'access', secret_name: names[0]?.name ?? '' }, count: 3 },
    { query: { secret_name: names[0]?.name ?? '' }, count: 4 },
    { query: { pipeline_id: 'p1', action: 'access', user: 'ada' }, count: names.length * 3 },
    { query: { user: 'bob' }, count: 0 },
    { query: { action: 'start_run', days: '1' }, count: 3 },
    { query: { action: 'start_run', outcome: 'failed' }, count: 0 },
    { query: { action: 'access', from: '2999-01-01T00:00:00Z' }, count: 0 },
    { query: { action: 'access', to: '2000-01-01T00:00:00Z' }, count: 0 },
  ])('$query: $count', async ({ query, count }) => {
    const entries = (await allPages('query-audit', { as: admin, query: { ...query, limit: '3' } })).flat();
    expect(entries).toHaveLength(count);
    const { days: _days, from: _from, to: _to, ...same } = query as Record<string, string>;
    for (const entry of entries) expect(entry).toMatchObject(same);
  });

  it('another organization sees none of it', async () => {
    const stranger = await newOrganization('stranger');
    await record();
    const entries = itemsOf(await call('query-audit', { as: stranger }));
    expect(entries.map(({ action }) => action)).toEqual(['create_organization']);
  });

  it('the log verifies', async () => {
    await record();
    const total = services.database.get<{ n: number }>(
      "SELECT count(*) AS n FROM audit_records WHERE org = 'acme'",
    );
    const reply = await call('verify-audit', { as: admin });
    expect(JSON.parse(reply.text)).toMatchObject({ verified: true, events: total?.n });
  });
});

describe('list-runs', () => {
  it.each(['1', '2', '100'])('%s a page: each run that used a secret, newest first', async (limit) => {
    const query = { secret_name: 'Zed_00', limit };
    const runs = (await allPages('list-runs', { as: admin, query })).flat();
    expect(runs.map(({ run_id }) => run_id)).toEqual(['run-c', 'run-b', 'run-a']);
  });
});

it.each(['list-secrets', 'list-api-keys', 'query-audit'])(
  '%s refuses a cursor that is not its own',
  async (name) => {
    const cursors = ['x', Buffer.from('no position').toString('base64url'), 'A'.repeat(601), '../..', ''];
    for (const cursor of cursors) {
      const reply = await call(name, { as: admin, query: { cursor } });
      expect([cursor, reply.status]).toEqual([cursor, 422]);
    }
  },
);

it.each(['0', '-1', '1001', '1.5', 'x', '', '1e9'])('a limit of %j is refused', async (limit) => {
  for (const name of ['list-secrets', 'list-api-keys', 'query-audit']) {
    expect((await call(name, { as: admin, query: { limit } })).status).toBe(422);
  }
});
