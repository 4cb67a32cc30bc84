import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  call,
  eventsOf,
  jsonOf,
  newKey,
  newOrganization,
  newRun,
  type Reply,
  services,
} from '../testkit/api.ts';
import { tally } from '../testkit/tally.ts';

/** How often a value is asked for that cannot be recorded; FM_TEST_READS for a longer campaign. */
const READS = Number(process.env['FM_TEST_READS'] ?? 20);
const db = services.database;
let admin = '';
let viewer = '';
let runtime = '';

beforeAll(async () => {
  admin = await newOrganization('acme');
  viewer = await newKey(admin, { role: 'viewer' });
  runtime = await newKey(admin, { role: 'runtime' });
  await call('create-secret', { as: admin, body: { name: 'known', value: 'canary-known' } });
  await call('create-secret', { as: admin, body: { name: 'gone', value: 'canary-gone' } });
  await call('delete-secret', { as: admin, params: { name: 'gone' } });
  // So that what fails below is the request, and not the note that a key was used.
  for (const as of [admin, viewer, runtime]) await call('list-secrets', { as });
});

/** Makes every write to a table fail, as a full disk or a broken row would. */
function breakTable(table: string): void {
  db.run(
    `CREATE TEMP TRIGGER broken_${table} BEFORE INSERT ON main.${table} BEGIN SELECT RAISE(ABORT, 'broken'); END`,
  );
}
function mend(table: string): void {
  db.run(`DROP TRIGGER IF EXISTS temp.broken_${table}`);
}

afterEach(() => {
  for (const table of ['outbox', 'secrets', 'versions', 'replays', 'data_keys']) mend(table);
  vi.restoreAllMocks();
});

/** The whole store but for what notes who was here, as one text: nothing in it may have changed. */
function everything(): string {
  const tables = ['secrets', 'versions', 'outbox', 'replays', 'runs', 'audit_records'];
  const rows = tables.flatMap((table) => db.all(`SELECT * FROM ${table} ORDER BY 1, 2`));
  const keys = db.all('SELECT id, org, record, revoked_at FROM api_keys ORDER BY id');
  return JSON.stringify([...rows, ...keys]);
}

function expectUnavailable(reply: Reply): void {
  tally('refusals without a value');
  expect(reply.status).toBe(503);
  expect(reply.headers['retry-after']).toBe('1');
  expect(jsonOf(reply)).toMatchObject({ code: 'unavailable', request_id: reply.requestId });
  expect(reply.text.includes('canary')).toBe(false);
}

const resolveKnown = () =>
  call('resolve-config', { as: runtime, body: { config: '{{secrets.known}}', environment: 'staging' } });

describe('when the audit outbox cannot be written', () => {
  it('a resolve answers no value, and serves again as soon as it can', { timeout: 600_000 }, async () => {
    breakTable('outbox');
    for (let i = 0; i < READS; i++) expectUnavailable(await resolveKnown());
    mend('outbox');
    const mended = performance.now();
    const reply = await resolveKnown();
    tally('ms from mending to the first value', Math.ceil(performance.now() - mended));
    expect(jsonOf(reply)['config']).toBe('canary-known');
    expect(eventsOf(reply)).toHaveLength(1);
  });

  it('a resolve of many at once answers no value to any', async () => {
    breakTable('outbox');
    const replies = await Promise.all(Array.from({ length: 20 }, resolveKnown));
    for (const reply of replies) expectUnavailable(reply);
  });

  it('a resolve that fails for a missing secret does not even say which', async () => {
    breakTable('outbox');
    const body = { config: '{{secrets.missing}}', environment: 'staging' };
    expectUnavailable(await call('resolve-config', { as: runtime, body }));
  });

  it("a resolve with a run's token answers no value", async () => {
    const { run_token } = await newRun(runtime, { pipeline_id: 'p1', environment: 'staging' });
    breakTable('outbox');
    expectUnavailable(await call('resolve-config', { as: run_token, body: { config: '{{secrets.known}}' } }));
  });

  const on = (name: string, more: object = {}) => ({ as: admin, params: { name }, ...more });
  const writes = [
    { route: 'create-secret', request: () => ({ as: admin, body: { name: 'fresh', value: 'v' } }) },
    { route: 'put-secret', request: () => on('fresh', { body: { value: 'v' } }) },
    { route: 'put-secret', request: () => on('known', { body: { value: 'v' } }) },
    { route: 'rotate-secret', request: () => on('known', { body: { new_value: 'v' } }) },
    { route: 'update-secret', request: () => on('known', { body: { description: 'd' } }) },
    { route: 'delete-secret', request: () => on('known') },
    { route: 'delete-secret', request: () => on('known', { query: { recovery_days: '0' } }) },
    { route: 'restore-secret', request: () => on('gone') },
    { route: 'create-api-key', request: () => ({ as: admin, body: { name: 'k', role: 'admin' } }) },
    {
      route: 'start-run',
      request: () => ({ as: runtime, body: { pipeline_id: 'p1', environment: 'staging' } }),
    },
  ];

  it.each(writes)('$route changes nothing', async ({ route, request }) => {
    const before = everything();
    breakTable('outbox');
    const sent = request();
    expectUnavailable(await call(route, { ...sent, headers: { 'idempotency-key': 'outbox-broken' } }));
    expect(everything()).toBe(before);
  });

  it.each([
    { table: 'versions', route: 'rotate-secret', request: () => on('known', { body: { new_value: 'v' } }) },
    {
      table: 'versions',
      route: 'create-secret',
      request: () => ({ as: admin, body: { name: 'fresh', value: 'v' } }),
    },
    {
      table: 'secrets',
      route: 'create-secret',
      request: () => ({ as: admin, body: { name: 'fresh', value: 'v' } }),
    },
    { table: 'replays', route: 'update-secret', request: () => on('known', { body: { description: 'd' } }) },
  ])('$route changes nothing when it is $table that cannot be written', async ({ table, route, request }) => {
    const before = everything();
    breakTable(table);
    expectUnavailable(await call(route, { ...request(), headers: { 'idempotency-key': `${table}-broken` } }));
    expect(everything()).toBe(before);
  });

  it('a revoke and the end of a run change nothing', async () => {
    const { run_id, run_token } = await newRun(runtime, { pipeline_id: 'p1', environment: 'staging' });
    const id = viewer.slice(4, 20);
    const before = everything();
    breakTable('outbox');
    expectUnavailable(await call('revoke-api-key', { as: admin, params: { id } }));
    expectUnavailable(await call('end-run', { as: run_token, params: { run_id } }));
    expect(everything()).toBe(before);
    mend('outbox');
    expect((await call('end-run', { as: run_token, params: { run_id } })).status).toBe(204);
  });

  it.each([
    { route: 'create-secret', request: { body: { name: 'fresh', value: 'v' } } },
    { route: 'resolve-config', request: { body: { config: '{{secrets.known}}', environment: 'staging' } } },
    { route: 'list-api-keys', request: {} },
  ])('a refusal that could not be recorded is not told either: $route', async ({ route, request }) => {
    breakTable('outbox');
    expectUnavailable(await call(route, { ...request, as: viewer }));
  });

  it('metadata is not read either: reads are recorded too', async () => {
    breakTable('outbox');
    for (const route of ['list-secrets', 'query-audit', 'verify-audit'])
      expectUnavailable(await call(route, { as: viewer }));
    expectUnavailable(await call('describe-secret', { as: viewer, params: { name: 'known' } }));
  });

  it('a write in the same group that could be made is made: each is all or nothing by itself', async () => {
    const name = 'in-a-group';
    db.run(
      `CREATE TEMP TRIGGER broken_secrets BEFORE INSERT ON main.secrets WHEN NEW.key LIKE 'bad-%'
       BEGIN SELECT RAISE(ABORT, 'broken'); END`,
    );
    const replies = await Promise.all(
      ['bad-1', name, 'bad-2'].map((one) =>
        call('create-secret', { as: admin, body: { name: one, value: 'v' } }),
      ),
    );
    expect(replies.map(({ status }) => status)).toEqual([503, 201, 503]);
    expect(replies.flatMap(eventsOf)).toHaveLength(1);
  });
});

describe('when the root key cannot be used', () => {
  it.each([
    {
      route: 'resolve-config',
      method: 'unwrapDataKey',
      request: () => ({ as: runtime, body: { config: '{{secrets.known}}', environment: 'staging' } }),
    },
    {
      route: 'rotate-secret',
      method: 'generateDataKey',
      request: () => ({ as: admin, params: { name: 'known' }, body: { new_value: 'v' } }),
    },
    {
      route: 'create-api-key',
      method: 'sign',
      request: () => ({ as: admin, body: { name: 'k', role: 'admin' } }),
    },
    {
      route: 'start-run',
      method: 'sign',
      request: () => ({ as: runtime, body: { pipeline_id: 'p1', environment: 'staging' } }),
    },
  ] as const)('$route answers nothing and changes nothing', async ({ route, method, request }) => {
    const { SecretsError } = await import('../../shared/contract/errors.ts');
    services.dataKeys.clear();
    const before = everything();
    vi.spyOn(services.keyService, method).mockRejectedValue(
      new SecretsError('unavailable', 'The root key cannot be used now.'),
    );
    expectUnavailable(await call(route, request()));
    expect(everything()).toBe(before);
  });

  it('what nobody threw on purpose is told by its class in the log, never by its message', async () => {
    services.dataKeys.clear();
    vi.spyOn(services.keyService, 'unwrapDataKey').mockRejectedValue(new TypeError('canary-in-a-message'));
    const log = vi.spyOn(process.stderr, 'write');
    const reply = await resolveKnown();
    expect(reply.status).toBe(500);
    expect(jsonOf(reply)).toMatchObject({ code: 'internal', detail: expect.stringContaining('request_id') });
    const lines = log.mock.calls.map(([line]) => String(line)).join('');
    expect(lines).toContain('"error":"TypeError"');
    expect(lines).toContain(reply.requestId);
    expect(`${lines}${reply.text}`.includes('canary')).toBe(false);
  });
});
