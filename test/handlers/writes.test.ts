import { beforeAll, describe, expect, it } from 'vitest';
import {
  allPages,
  call,
  eventsOf,
  itemsOf,
  jsonOf,
  logged,
  newKey,
  newOrganization,
  type Reply,
  services,
} from '../testkit/api.ts';
import { tally } from '../testkit/tally.ts';

let admin = '';
let runtime = '';
beforeAll(async () => {
  admin = await newOrganization('acme');
  runtime = await newKey(admin, { role: 'runtime' });
});

let names = 0;
const newName = () => `secret-${++names}`;

async function create(fields: object = {}): Promise<string> {
  const name = newName();
  const reply = await call('create-secret', { as: admin, body: { name, value: `${name} v1`, ...fields } });
  expect(reply.status).toBe(201);
  return name;
}

const on = (name: string, more: object = {}) => ({ as: admin, params: { name }, ...more });
const codeOf = (reply: Reply) => jsonOf(reply)['code'];

async function resolved(name: string, place: object = {}): Promise<unknown> {
  const body = { config: `{{secrets.${name}}}`, environment: 'production', ...place };
  const reply = await call('resolve-config', { as: runtime, body });
  return reply.status === 200 ? jsonOf(reply)['config'] : codeOf(reply);
}

describe('Idempotency-Key', () => {
  const writes = [
    { route: 'create-secret', request: async () => ({ body: { name: newName(), value: 'v' } }), status: 201 },
    {
      route: 'put-secret',
      request: async () => ({ params: { name: newName() }, body: { value: 'v' } }),
      status: 201,
    },
    {
      route: 'put-secret',
      request: async () => ({ params: { name: await create() }, body: { value: 'v' } }),
      status: 200,
    },
    {
      route: 'rotate-secret',
      request: async () => ({ params: { name: await create() }, body: { new_value: 'v' } }),
      status: 200,
    },
    {
      route: 'rollback-secret',
      request: async () => ({ params: { name: await twice() }, body: { version: 1 } }),
      status: 200,
    },
    {
      route: 'update-secret',
      request: async () => ({ params: { name: await create() }, body: { description: 'd' } }),
      status: 200,
    },
    { route: 'delete-secret', request: async () => ({ params: { name: await create() } }), status: 204 },
    {
      route: 'delete-secret',
      request: async () => ({ params: { name: await create() }, query: { recovery_days: '0' } }),
      status: 204,
    },
    { route: 'restore-secret', request: async () => ({ params: { name: await deleted() } }), status: 200 },
    { route: 'revoke-api-key', request: async () => ({ params: { id: await keyId() } }), status: 204 },
    { route: 'end-run', request: async () => ({ params: { run_id: await startedRun() } }), status: 204 },
  ];

  async function twice(): Promise<string> {
    const name = await create();
    await call('rotate-secret', on(name, { body: { new_value: 'v2' } }));
    return name;
  }
  async function deleted(): Promise<string> {
    const name = await create();
    await call('delete-secret', on(name));
    return name;
  }
  async function keyId(): Promise<string> {
    const reply = await call('create-api-key', { as: admin, body: { name: 'k', role: 'viewer' } });
    return String(jsonOf(reply)['id']);
  }
  async function startedRun(): Promise<string> {
    const body = { pipeline_id: 'p1', environment: 'staging' };
    return String(jsonOf(await call('start-run', { as: runtime, body }))['run_id']);
  }

  it.each(writes)(
    '$route ($status): sent again, it is answered again and done once',
    async ({ route, request, status }) => {
      const sent = { as: admin, ...(await request()), headers: { 'idempotency-key': newName() } };
      const [first, second, third] = [
        await call(route, sent),
        await call(route, sent),
        await call(route, sent),
      ];
      expect([first.status, second.status, third.status]).toEqual([status, status, status]);
      expect(second.text).toBe(first.text);
      expect(third.text).toBe(first.text);
      expect([first, second, third].map(({ headers }) => headers['idempotency-replayed'])).toEqual([
        undefined,
        'true',
        'true',
      ]);
      expect([first, second, third].map((reply) => eventsOf(reply).length)).toEqual([1, 0, 0]);
    },
  );

  it.each(writes)(
    '$route ($status): sent five times at once, it is done once and answered alike',
    async ({ route, request, status }) => {
      const sent = { as: admin, ...(await request()), headers: { 'idempotency-key': newName() } };
      const replies = await Promise.all(Array.from({ length: 5 }, () => call(route, sent)));
      expect(replies.map((reply) => reply.status)).toEqual(Array.from({ length: 5 }, () => status));
      expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
      expect(replies.flatMap(eventsOf)).toHaveLength(1);
      expect(replies.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1);
    },
  );

  it.each([
    { route: 'create-api-key', as: () => admin, body: { name: 'once', role: 'viewer' } },
    { route: 'start-run', as: () => runtime, body: { pipeline_id: 'p1', environment: 'staging' } },
  ])(
    '$route: its credential is shown once, so that a repeat is refused and makes nothing',
    async ({ route, as, body }) => {
      const sent = { as: as(), body, headers: { 'idempotency-key': newName() } };
      const atOnce = await Promise.all([call(route, sent), call(route, sent)]);
      const replies = [...atOnce, await call(route, sent)];
      expect(replies.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
      expect(replies.filter(({ text }) => /fm[kr]_/.test(text))).toHaveLength(1);
      expect(replies.filter(({ status }) => status === 409).map(codeOf)).toEqual([
        'idempotency_conflict',
        'idempotency_conflict',
      ]);
      expect(replies.flatMap(eventsOf)).toHaveLength(1);
    },
  );

  it.each([
    { change: 'another body', sent: { body: { new_value: 'other' } } },
    { change: 'another query', sent: { query: { environment: 'none' } } },
  ])('with $change it is a conflict, and nothing is done', async ({ sent: change }) => {
    const name = await create();
    const sent = { ...on(name, { body: { new_value: 'v2' } }), headers: { 'idempotency-key': newName() } };
    expect((await call('rotate-secret', sent)).status).toBe(200);
    const other = await call('rotate-secret', { ...sent, ...change });
    expect([other.status, codeOf(other)]).toEqual([409, 'idempotency_conflict']);
    expect(await resolved(name)).toBe('v2');
  });

  it('of another route or name is a conflict', async () => {
    const [a, b] = [await create(), await create()];
    const sent = { body: { new_value: 'v2' }, headers: { 'idempotency-key': newName() } };
    expect((await call('rotate-secret', { ...on(a), ...sent })).status).toBe(200);
    expect((await call('rotate-secret', { ...on(b), ...sent })).status).toBe(409);
    expect((await call('delete-secret', { ...on(a), headers: sent.headers })).status).toBe(409);
    expect(await resolved(b)).toBe(`${b} v1`);
  });

  it("of another credential is another key: neither meets the other's answer", async () => {
    const editor = await newKey(admin, { role: 'editor' });
    const name = newName();
    const sent = { body: { name, value: 'v' }, headers: { 'idempotency-key': newName() } };
    expect((await call('create-secret', { ...sent, as: admin })).status).toBe(201);
    const other = await call('create-secret', { ...sent, as: editor });
    expect([other.status, codeOf(other)]).toEqual([409, 'secret_exists']);
  });

  it('two different requests at once: one is done, the other is a conflict', async () => {
    const name = await create();
    const headers = { 'idempotency-key': newName() };
    const replies = await Promise.all(
      ['a', 'b'].map((new_value) => call('rotate-secret', on(name, { body: { new_value }, headers }))),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(jsonOf(await call('describe-secret', on(name)))['version']).toBe(2);
  });

  it('of a request that failed is free again', async () => {
    const name = newName();
    const headers = { 'idempotency-key': newName() };
    const rotate = () => call('rotate-secret', on(name, { body: { new_value: 'v2' }, headers }));
    expect((await rotate()).status).toBe(404);
    await call('create-secret', { as: admin, body: { name, value: 'v1' } });
    expect((await rotate()).status).toBe(200);
  });

  it.each(['', ' ', 'a b', 'é', 'x'.repeat(256), 'a\nb'])('%j is none', async (key) => {
    const reply = await call('create-secret', {
      as: admin,
      body: { name: newName(), value: 'v' },
      headers: { 'idempotency-key': key },
    });
    expect([reply.status, codeOf(reply)]).toEqual([422, 'validation']);
  });

  it('keeps no value: the stored answers hold metadata', async () => {
    const value = 'canary-of-idempotency';
    const sent = { as: admin, body: { name: newName(), value }, headers: { 'idempotency-key': newName() } };
    await call('create-secret', sent);
    const rows = services.database.all<{ row: string }>(
      "SELECT caller || key || fingerprint || coalesce(answer, '') AS row FROM replays",
    );
    expect(rows.some(({ row }) => row.includes(value))).toBe(false);
  });
});

describe('versions', () => {
  it('expected_version: the one who saw the current version wins, the others are refused', async () => {
    const name = await create();
    const attempt = (expected_version: number) =>
      call('rotate-secret', on(name, { body: { new_value: 'v', expected_version } }));
    const replies = await Promise.all(Array.from({ length: 8 }, () => attempt(1)));
    expect(replies.map(({ status }) => status).sort()).toEqual([
      200,
      ...Array.from({ length: 7 }, () => 409),
    ]);
    const refused = replies.filter(({ status }) => status === 409);
    expect(new Set(refused.map(codeOf))).toEqual(new Set(['version_conflict']));
    expect((await attempt(3)).status).toBe(409);
    expect((await attempt(2)).status).toBe(200);
  });

  it.each([
    { route: 'rollback-secret', body: { version: 1 } },
    { route: 'put-secret', body: { value: 'v' } },
  ])('expected_version of $route', async ({ route, body }) => {
    const name = await create();
    await call('rotate-secret', on(name, { body: { new_value: 'v2' } }));
    const attempt = async (expected_version: number) =>
      (await call(route, on(name, { body: { ...body, expected_version } }))).status;
    expect([await attempt(1), await attempt(3), await attempt(2), await attempt(2)]).toEqual([
      409, 409, 200, 409,
    ]);
  });

  it('expected_version of a secret that does not exist', async () => {
    const reply = await call('put-secret', on(newName(), { body: { value: 'v', expected_version: 1 } }));
    expect(reply.status).toBe(422);
  });

  const many =
    '64 rotations at once: versions 1 to 65 without gap or twin, as many history entries and events';
  it(many, { timeout: 60_000 }, async () => {
    const name = await create();
    const writers = Array.from({ length: 64 }, (_, i) => `value ${i}`);
    const replies = await Promise.all(
      writers.map((new_value) => call('rotate-secret', on(name, { body: { new_value, reason: new_value } }))),
    );
    const numbers = Array.from({ length: 65 }, (_, i) => i + 1);
    expect(replies.map(({ status }) => status)).toEqual(writers.map(() => 200));
    const versions = replies.map((reply) => Number(jsonOf(reply)['version']));
    expect([1, ...versions].sort((a, b) => a - b)).toEqual(numbers);
    const history = itemsOf(await call('secret-history', on(name)));
    expect(history.map(({ version }) => version)).toEqual(numbers.toReversed());
    expect(history.at(-1)).toMatchObject({ reason: 'Initial creation', version: 1, current: false });
    expect(history.filter(({ current }) => current)).toHaveLength(1);
    expect(replies.flatMap(eventsOf)).toHaveLength(64);
    tally('writers at once on one secret', replies.length);
    // The value that resolves is the one of the writer who got version 65.
    const last = writers[versions.indexOf(65)];
    expect(await resolved(name)).toBe(last);
    expect(history[0]?.['reason']).toBe(last);
  });

  it('concurrent creates: one is made, the others are refused', async () => {
    const name = newName();
    const replies = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        call('create-secret', { as: admin, body: { name, value: `v${i}` } }),
      ),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([
      201,
      ...Array.from({ length: 15 }, () => 409),
    ]);
    const winner = replies.findIndex(({ status }) => status === 201);
    expect(await resolved(name)).toBe(`v${winner}`);
  });

  it('concurrent puts: all are stored, one after the other', async () => {
    const name = newName();
    const replies = await Promise.all(
      Array.from({ length: 16 }, (_, i) => call('put-secret', on(name, { body: { value: `v${i}` } }))),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([
      ...Array.from({ length: 15 }, () => 200),
      201,
    ]);
    expect(jsonOf(await call('describe-secret', on(name)))['version']).toBe(16);
  });

  it('every kind of write at once leaves a history without gap or twin', async () => {
    const name = await create();
    await call('rotate-secret', on(name, { body: { new_value: 'v2' } }));
    const kinds = [
      { route: 'rotate-secret', body: (i: number) => ({ new_value: `v ${i}` }) },
      { route: 'put-secret', body: (i: number) => ({ value: `v ${i}` }) },
      { route: 'rollback-secret', body: () => ({ version: 1 }) },
      { route: 'update-secret', body: () => ({ description: 'd' }) },
    ];
    const replies = await Promise.all(
      Array.from({ length: 24 }, (_, i) => kinds[i % kinds.length]).map((kind, i) =>
        kind === undefined ? undefined : call(kind.route, on(name, { body: kind.body(i) })),
      ),
    );
    expect(new Set(replies.map((reply) => reply?.status))).toEqual(new Set([200]));
    const history = itemsOf(await call('secret-history', on(name)));
    expect(history.map(({ version }) => version)).toEqual(
      Array.from({ length: history.length }, (_, i) => history.length - i),
    );
    expect(history).toHaveLength(2 + 18);
    expect(await resolved(name)).not.toBe('decryption_failed');
  });

  it('roll back: the old value in a new version, also of what was itself rolled back', async () => {
    const name = await create();
    await call('rotate-secret', on(name, { body: { new_value: 'v2' } }));
    const values: unknown[] = [];
    const back = [1, 2, 3, 4, 5, 6, 1];
    for (const version of back) {
      const reply = await call('rollback-secret', on(name, { body: { version } }));
      expect(reply.status).toBe(200);
      values.push(await resolved(name));
    }
    const v1 = `${name} v1`;
    // 3 brings back 1, 4 brings back 2, 5 what 3 brought back, and so on.
    expect(values).toEqual([v1, 'v2', v1, 'v2', v1, 'v2', v1]);
    const history = itemsOf(await call('secret-history', on(name)));
    const restored = history.map(({ restored_version }) => restored_version);
    expect(restored).toEqual([1, 2, 1, 2, 1, 2, 1, null, null]);
  });

  it.each([
    { version: 2, status: 422, what: 'the current version' },
    { version: 9, status: 404, what: 'a version that does not exist' },
    { version: 0, status: 422, what: 'no version' },
  ])('roll back to $what: $status', async ({ version, status }) => {
    const name = await create();
    await call('rotate-secret', on(name, { body: { new_value: 'v2' } }));
    expect((await call('rollback-secret', on(name, { body: { version } }))).status).toBe(status);
  });

  it('roll back keeps bytes bytes', async () => {
    const name = await create({ value: '//79/A==', encoding: 'base64' });
    await call('rotate-secret', on(name, { body: { new_value: 'text' } }));
    await call('rollback-secret', on(name, { body: { version: 1 } }));
    expect(await resolved(name)).toBe('//79/A==');
  });

  it('dedicated: resolves at every version, also after it became shared', async () => {
    const name = await create({ isolation: 'dedicated' });
    expect(await resolved(name)).toBe(`${name} v1`);
    await call('put-secret', on(name, { body: { value: 'v2', isolation: 'shared' } }));
    await call('rollback-secret', on(name, { body: { version: 1 } }));
    expect(await resolved(name)).toBe(`${name} v1`);
  });
});

describe('delete, restore and purge', () => {
  it('stops resolving at once and comes back as it was', async () => {
    const name = await create({ description: 'd', metadata: { team: 'a' }, rotation_days: 3 });
    const before = jsonOf(await call('describe-secret', on(name)));
    expect((await call('delete-secret', on(name))).status).toBe(204);
    expect(await resolved(name)).toBe('unresolved_references');
    for (const route of ['describe-secret', 'secret-history', 'delete-secret'])
      expect((await call(route, on(name))).status).toBe(404);
    for (const [route, body] of [
      ['create-secret', { name, value: 'v' }],
      ['put-secret', { value: 'v' }],
    ] as const) {
      const reply = await call(route, on(name, { body }));
      expect([reply.status, codeOf(reply)]).toEqual([409, 'secret_deleted']);
    }
    const restored = await call('restore-secret', on(name));
    expect(restored.status).toBe(200);
    expect(jsonOf(restored)).toEqual(before);
    expect(await resolved(name)).toBe(`${name} v1`);
    expect((await call('restore-secret', on(name))).status).toBe(404);
  });

  it.each([
    { what: 'a live secret', first: false },
    { what: 'a deleted one', first: true },
  ])('recovery_days=0 removes $what for good, with its versions, and frees its place', async ({ first }) => {
    const name = await create();
    await call('rotate-secret', on(name, { body: { new_value: 'v2' } }));
    if (first) await call('delete-secret', on(name));
    expect((await call('delete-secret', on(name, { query: { recovery_days: '0' } }))).status).toBe(204);
    const left = ['secrets', 'versions'].map((table) =>
      services.database.get<{ n: number }>(
        `SELECT count(*) AS n FROM ${table} WHERE key LIKE ?`,
        `${name}#%`,
      ),
    );
    expect(left).toEqual([{ n: 0 }, { n: 0 }]);
    expect((await call('restore-secret', on(name))).status).toBe(404);
    expect((await call('create-secret', { as: admin, body: { name, value: 'again' } })).status).toBe(201);
    expect(await resolved(name)).toBe('again');
  });

  it('whose time is over cannot be restored, is not listed, and is purged with a record', async () => {
    const name = await create();
    await call('delete-secret', on(name, { query: { recovery_days: '1' } }));
    services.database.run(
      'UPDATE secrets SET purge_at = ? WHERE key LIKE ?',
      new Date(0).toISOString(),
      `${name}#%`,
    );
    expect((await call('restore-secret', on(name))).status).toBe(404);
    const deleted = itemsOf(await call('list-secrets', { as: admin, query: { deleted: 'true' } }));
    expect(deleted.some((item) => item['name'] === name)).toBe(false);
    const { handler: purgeDeleted } = await import('../../functions/purge-deleted.ts');
    await purgeDeleted();
    expect(services.database.get('SELECT 1 FROM secrets WHERE key LIKE ?', `${name}#%`)).toBeUndefined();
    const events = services.database.all<{ event: string }>(
      "SELECT event FROM outbox WHERE event ->> '$.action' = 'purge'",
    );
    expect(events.filter(({ event }) => event.includes(`"${name}"`))).toHaveLength(1);
    expect((await call('create-secret', { as: admin, body: { name, value: 'again' } })).status).toBe(201);
  });

  it('falls back to the wider secret when the narrower one is deleted, and returns to it when it is restored', async () => {
    const name = await create();
    const narrow = { name, value: 'narrow', environment: 'production' };
    expect((await call('create-secret', { as: admin, body: narrow })).status).toBe(201);
    const selected = on(name, { query: { environment: 'production' } });
    expect(await resolved(name)).toBe('narrow');
    await call('delete-secret', selected);
    expect(await resolved(name)).toBe(`${name} v1`);
    await call('restore-secret', selected);
    expect(await resolved(name)).toBe('narrow');
  });

  it('deletes at once: one of many is done, the others find nothing', async () => {
    const name = await create();
    const replies = await Promise.all(Array.from({ length: 8 }, () => call('delete-secret', on(name))));
    expect(replies.map(({ status }) => status).sort()).toEqual([
      204,
      ...Array.from({ length: 7 }, () => 404),
    ]);
    expect(replies.flatMap(eventsOf)).toHaveLength(1);
  });
});

describe('coordinates', () => {
  it('the same name at several coordinates is ambiguous until a selector says which', async () => {
    const name = newName();
    const places = [
      {},
      { environment: 'production' },
      { scope: 'pipeline', pipeline_id: 'p1' },
      { scope: 'pipeline', pipeline_id: 'p2', environment: 'production' },
      { scope: 'user', user: 'ada' },
    ];
    for (const place of places) {
      const body = { name, value: 'v', ...place };
      expect((await call('create-secret', { as: admin, body })).status).toBe(201);
      expect((await call('create-secret', { as: admin, body })).status).toBe(409);
    }
    const reply = await call('describe-secret', on(name));
    expect([reply.status, codeOf(reply)]).toEqual([409, 'ambiguous_secret']);
    expect(jsonOf(reply)['candidates']).toEqual(
      expect.arrayContaining([
        { scope: 'org', pipeline_id: null, user: null, environment: null },
        { scope: 'org', pipeline_id: null, user: null, environment: 'production' },
        { scope: 'pipeline', pipeline_id: 'p1', user: null, environment: null },
        { scope: 'pipeline', pipeline_id: 'p2', user: null, environment: 'production' },
        { scope: 'user', pipeline_id: null, user: 'ada', environment: null },
      ]),
    );
    const selectors: [Record<string, string>, number][] = [
      [{ scope: 'org', environment: 'none' }, 200],
      [{ scope: 'org' }, 409],
      [{ scope: 'user' }, 200],
      [{ user: 'ada' }, 200],
      [{ user: 'bob' }, 404],
      [{ pipeline_id: 'p1' }, 200],
      [{ pipeline_id: 'p3' }, 404],
      [{ environment: 'production' }, 409],
      [{ environment: 'staging' }, 404],
      [{ scope: 'pipeline', environment: 'production' }, 200],
    ];
    for (const [query, status] of selectors) {
      expect([query, (await call('describe-secret', on(name, { query }))).status]).toEqual([query, status]);
    }
  });

  it.each([
    { metadata: { environment: 'staging' }, status: 201, environment: 'staging' },
    { metadata: { environment: null }, status: 201, environment: null },
    { metadata: { environment: 'moon' }, status: 422 },
    { metadata: { environment: 7 }, status: 422 },
    { metadata: { environment: 'none' }, status: 422 },
    { metadata: { environment: 'staging' }, given: 'production', status: 201, environment: 'production' },
    { metadata: { team: 'a' }, status: 201, environment: null },
  ])(
    'metadata $metadata and environment $given: $status, $environment',
    async ({ metadata, given, status, environment }) => {
      for (const [route, name] of [
        ['create-secret', newName()],
        ['put-secret', newName()],
      ] as const) {
        const body = { value: 'v', metadata, ...(given === undefined ? {} : { environment: given }) };
        const reply = await call(
          route,
          on(name, { body: route === 'create-secret' ? { name, ...body } : body }),
        );
        expect(reply.status).toBe(status);
        if (status === 201) expect(jsonOf(reply)).toMatchObject({ environment, metadata });
      }
    },
  );

  it('metadata.environment must not come to say otherwise', async () => {
    const name = await create({ metadata: { environment: 'staging' } });
    const patch = async (metadata: object) =>
      (await call('update-secret', on(name, { body: { metadata } }))).status;
    expect([
      await patch({ environment: 'production' }),
      await patch({ environment: 'staging' }),
      await patch({}),
    ]).toEqual([422, 200, 200]);
  });

  it('another environment, pipeline or user is never served; a narrower scope wins', async () => {
    const name = newName();
    const places = {
      org: {},
      orgProduction: { environment: 'production' },
      user: { scope: 'user', user: 'ada' },
      userProduction: { scope: 'user', user: 'ada', environment: 'production' },
      pipeline: { scope: 'pipeline', pipeline_id: 'p1' },
      pipelineProduction: { scope: 'pipeline', pipeline_id: 'p1', environment: 'production' },
    };
    const here = { environment: 'production', pipeline_id: 'p1', user: 'ada' };
    const elsewhere = { environment: 'staging', pipeline_id: 'p2', user: 'bob' };
    const won: unknown[] = [];
    for (const [value, place] of Object.entries(places)) {
      await call('create-secret', { as: admin, body: { name, value, ...place } });
      won.push(await resolved(name, here));
    }
    expect(won).toEqual(Object.keys(places));
    expect(await resolved(name, elsewhere)).toBe('org');
    expect(await resolved(name, { ...elsewhere, user: 'ada' })).toBe('user');
    expect(await resolved(name, { ...elsewhere, pipeline_id: 'p1' })).toBe('pipeline');
    expect(await resolved(name, { ...elsewhere, environment: 'production' })).toBe('orgProduction');
  });
});

it('nothing that was stored above stands in the log', () => {
  const text = logged.join('');
  expect(/secret-\d+ v\d|canary|fm[kr]_/.test(text)).toBe(false);
});

it('the history of a secret is read to its end by pages', async () => {
  const name = await create();
  for (let i = 0; i < 6; i++) await call('rotate-secret', on(name, { body: { new_value: `v${i}` } }));
  const pages = await allPages('secret-history', on(name, { query: { limit: '3' } }));
  expect(pages.map((page) => page.map(({ version }) => version))).toEqual([[7, 6, 5], [4, 3, 2], [1]]);
});

describe('a value that redaction leaves alone', () => {
  const short = [expect.stringContaining('less than 8 characters')];
  const common = [expect.stringContaining('stands in many texts')];
  it.each([
    ['hunter2', 'utf8', short],
    ['päßwörd', 'utf8', short],
    ['localhost', 'utf8', common],
    ['aaaaaaaaaaaa', 'utf8', common],
    [Buffer.from([1, 2, 3, 4, 5, 6, 7]).toString('base64'), 'base64', short],
    [Buffer.alloc(32).toString('base64'), 'base64', common],
    ['hunter2hunter2', 'utf8', undefined],
    [Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]).toString('base64'), 'base64', undefined],
  ])('%s as %s: whoever stores it is told', async (value, encoding, warnings) => {
    const name = newName();
    const created = await call('create-secret', { as: admin, body: { name, value, encoding } });
    expect(jsonOf(created)['warnings']).toEqual(warnings);
    const strong = await call('put-secret', on(name, { body: { value: 'another-value' } }));
    expect([strong.status, jsonOf(strong)['warnings']]).toEqual([200, undefined]);
    const set = await call('put-secret', on(name, { body: { value, encoding } }));
    expect([set.status, jsonOf(set)['warnings']]).toEqual([200, warnings]);
    await call('rotate-secret', on(name, { body: { new_value: 'another-value' } }));
    const rotated = await call('rotate-secret', on(name, { body: { new_value: value, encoding } }));
    expect(jsonOf(rotated)['warnings']).toEqual(warnings);
    for (const reply of [created, set, rotated]) expect(reply.text).not.toContain(value);
    // Of the value, nothing more is told to whoever comes after.
    expect(jsonOf(await call('describe-secret', on(name)))['warnings']).toBeUndefined();
  });
});
