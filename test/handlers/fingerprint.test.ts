import { beforeAll, describe, expect, it } from 'vitest';
import {
  call,
  eventsOf,
  itemsOf,
  jsonOf,
  newKey,
  newOrganization,
  newRun,
  type Reply,
  services,
} from '../testkit/api.ts';

let admin = '';
let editor = '';
let viewer = '';
let runtime = '';
beforeAll(async () => {
  admin = await newOrganization('acme');
  editor = await newKey(admin, { role: 'editor' });
  viewer = await newKey(admin, { role: 'viewer' });
  runtime = await newKey(admin, { role: 'runtime' });
});

let names = 0;
async function create(fields: object = {}): Promise<string> {
  names += 1;
  const name = `secret_${names}`;
  const reply = await call('create-secret', { as: admin, body: { name, value: 'the value', ...fields } });
  expect(reply.status).toBe(201);
  return name;
}

const on = (name: string, body?: object, as = admin) => ({
  as,
  params: { name },
  ...(body === undefined ? {} : { body }),
});
const describeAs = async (name: string, as: string) =>
  jsonOf(await call('describe-secret', on(name, undefined, as)));
const printOf = async (name: string, as = admin) => (await describeAs(name, as))['fingerprint'];

describe('a fingerprint', () => {
  it('is equal for equal values: at any place, and after a roll back', async () => {
    const [a, b] = [await create(), await create({ environment: 'staging', isolation: 'dedicated' })];
    expect(await printOf(a)).toMatch(/^[0-9a-f]{32}$/);
    expect(await printOf(b)).toBe(await printOf(a));
    await call('rotate-secret', on(a, { new_value: 'another value' }));
    expect(await printOf(a)).not.toBe(await printOf(b));
    await call('rollback-secret', on(a, { version: 1 }));
    expect(await printOf(a)).toBe(await printOf(b));
  });

  it('is another one in another organization, and in another encoding', async () => {
    const a = await create({ value: 'QUJD' });
    const base64 = await create({ value: 'QUJD', encoding: 'base64' });
    const bytes = await create({ value: 'ABC' });
    const rival = await newOrganization('rival');
    const reply = await call('create-secret', { as: rival, body: { name: 'x', value: 'QUJD' } });
    const theirs = jsonOf(reply)['fingerprint'];
    expect(new Set([await printOf(a), await printOf(base64), await printOf(bytes), theirs]).size).toBe(4);
  });

  it('is for those who may write the secret, in each answer that has metadata', async () => {
    const name = await create({ environment: 'staging' });
    const bound = await newKey(admin, { role: 'editor', environments: ['production'] });
    const within = await newKey(admin, { role: 'editor', environments: ['staging'] });
    const { run_token } = await newRun(runtime, { pipeline_id: 'p1', environment: 'staging' });
    const global = await create();
    for (const as of [admin, editor, within]) expect(await printOf(name, as)).toMatch(/^[0-9a-f]{32}$/);
    for (const as of [viewer, runtime, run_token]) expect(await printOf(name, as)).toBeNull();
    // It may read what serves everywhere, and not write it.
    for (const as of [bound, within]) expect(await printOf(global, as)).toBeNull();
    for (const as of [viewer, runtime]) {
      const listed = itemsOf(await call('list-secrets', { as }));
      expect(listed.length).toBeGreaterThan(0);
      expect(listed.every(({ fingerprint }) => fingerprint === null)).toBe(true);
    }
  });

  it('is bound into the version: a changed one does not open', async () => {
    const name = await create();
    const other = await create({ value: 'another value' });
    const print = String(await printOf(other));
    services.database.run(
      "UPDATE versions SET record = CAST(json_set(CAST(record AS TEXT), '$.fingerprint', ?) AS BLOB) WHERE key LIKE ?",
      print,
      `${name}#%`,
    );
    await call('rotate-secret', on(name, { new_value: 'second' }));
    const config = { config: `{{secrets.${name}@1}}`, environment: 'production' };
    expect(jsonOf(await call('resolve-config', { as: runtime, body: config }))['code']).toBe(
      'decryption_failed',
    );
  });
});

describe('the value that is current already', () => {
  const same = [
    { route: 'rotate-secret', body: { new_value: 'the value' } },
    { route: 'put-secret', body: { value: 'the value' } },
  ];

  it.each(same)('$route adds no version, and leaves a record', async ({ route, body }) => {
    const name = await create({ rotation_days: 30 });
    const before = await describeAs(name, admin);
    const reply = await call(route, on(name, body));
    expect(reply.status).toBe(200);
    expect(jsonOf(reply)).toEqual({ ...before, unchanged: true });
    expect(await describeAs(name, admin)).toEqual(before);
    expect(itemsOf(await call('secret-history', on(name)))).toHaveLength(1);
    expect(eventsOf(reply)).toMatchObject([
      { action: 'unchanged', outcome: 'success', secrets: [{ name, version: 1 }] },
    ]);
  });

  it.each(same)('$route asks for the expected version all the same', async ({ route, body }) => {
    const name = await create();
    expect((await call(route, on(name, { ...body, expected_version: 2 }))).status).toBe(409);
    expect((await call(route, on(name, { ...body, expected_version: 1 }))).status).toBe(200);
  });

  it.each(same)(
    '$route repeated under its key is answered from then, not from now',
    async ({ route, body }) => {
      const name = await create();
      const request = { ...on(name, body), headers: { 'idempotency-key': `again-${route}` } };
      const first = await call(route, request);
      await call('rotate-secret', on(name, { new_value: 'another value' }));
      expect((await call(route, request)).text).toBe(first.text);
      expect((await describeAs(name, admin))['version']).toBe(2);
    },
  );

  it('in the other encoding, or under another isolation, is a new version', async () => {
    const name = await create({ value: 'QUJD' });
    const reply = await call('rotate-secret', on(name, { new_value: 'QUJD', encoding: 'base64' }));
    expect(jsonOf(reply)).toMatchObject({ version: 2 });
    expect(jsonOf(reply)).not.toHaveProperty('unchanged');
    const dedicated = { value: 'QUJD', encoding: 'base64', isolation: 'dedicated' };
    expect(jsonOf(await call('put-secret', on(name, dedicated)))['version']).toBe(3);
    expect(jsonOf(await call('put-secret', on(name, dedicated)))).toMatchObject({
      version: 3,
      unchanged: true,
    });
  });

  it('put with another description changes that, and says so', async () => {
    const name = await create();
    const reply = await call('put-secret', on(name, { value: 'the value', description: 'now described' }));
    expect(jsonOf(reply)).toMatchObject({ version: 1, unchanged: true, description: 'now described' });
    expect(eventsOf(reply)).toMatchObject([{ action: 'update' }]);
    expect((await describeAs(name, admin))['description']).toBe('now described');
  });

  it('64 times at once with another one: one version, and every write recorded', async () => {
    const name = await create();
    const replies = await Promise.all(
      Array.from({ length: 64 }, () => call('rotate-secret', on(name, { new_value: 'the other value' }))),
    );
    expect(replies.map((reply) => jsonOf(reply)['version'])).toEqual(replies.map(() => 2));
    expect(replies.filter((reply) => jsonOf(reply)['unchanged'] === true)).toHaveLength(63);
    expect(itemsOf(await call('secret-history', on(name)))).toHaveLength(2);
    expect(replies.flatMap(eventsOf)).toHaveLength(64);
  });
});

describe('compare', () => {
  const compare = (entries: readonly object[], as = editor) =>
    call('compare-secrets', { as, body: { entries } });
  const resultsOf = (reply: Reply) =>
    (jsonOf(reply)['entries'] as { result: string }[]).map(({ result }) => result);

  it('says what putting a value would meet, in order, and stores nothing', async () => {
    const [name, gone] = [await create({ environment: 'staging' }), await create()];
    await call('delete-secret', on(gone));
    const before = await describeAs(name, admin);
    const reply = await compare([
      { name, value: 'the value', environment: 'staging' },
      { name, value: 'another value', environment: 'staging' },
      { name, value: 'the value', environment: 'production' },
      { name, value: 'the value' }, // as a put has it: the one of this name
      { name, value: 'the value', environment: 'none' },
      { name: gone, value: 'the value' },
      { name, value: 'the value', scope: 'pipeline', pipeline_id: 'p1' },
    ]);
    expect(resultsOf(reply)).toEqual(['same', 'different', 'absent', 'same', 'absent', 'deleted', 'absent']);
    expect(jsonOf(reply)['entries']).toMatchObject([
      { name, environment: 'staging', version: 1 },
      { name, environment: 'staging', version: 1 },
      { name, environment: 'production', version: null },
      { name, environment: 'staging', version: 1 },
      { name, environment: null, version: null },
      { name: gone, version: null },
      { name, scope: 'pipeline', pipeline_id: 'p1', version: null },
    ]);
    expect(await describeAs(name, admin)).toEqual(before);
    expect(eventsOf(reply)).toMatchObject([{ action: 'compare', outcome: 'success' }]);
    expect(eventsOf(reply)[0]?.['secrets']).toHaveLength(7);
  });

  it('is for those who may write there', async () => {
    const name = await create({ environment: 'staging' });
    const bound = await newKey(admin, { role: 'editor', environments: ['production'] });
    const { run_token } = await newRun(runtime, { pipeline_id: 'p1', environment: 'staging' });
    const entry = { name, value: 'the value', environment: 'staging' };
    for (const as of [viewer, runtime, run_token, bound]) {
      const reply = await compare([{ name: 'x', value: 'v', environment: 'production' }, entry], as);
      expect(reply.status).toBe(403);
      expect(reply.text).not.toContain('same');
      expect(eventsOf(reply)).toMatchObject([{ action: 'denied', attempted: 'compare' }]);
    }
  });

  it('takes 100 entries, and names the wrong one by its place', async () => {
    const entry = { name: 'x', value: 'v' };
    expect((await compare(Array.from({ length: 100 }, () => entry))).status).toBe(200);
    expect((await compare(Array.from({ length: 101 }, () => entry))).status).toBe(422);
    expect((await compare([])).status).toBe(422);
    const wrong = [
      { more: { pipeline_id: 'p1' }, path: 'entries.1.pipeline_id' },
      { more: { environment: 'nowhere' }, path: 'entries.1.environment' },
      { more: { value: 'no base64!', encoding: 'base64' }, path: 'entries.1.value' },
      { more: { value: 'v'.repeat(65_537) }, path: 'entries.1.value' },
      { more: { value: '' }, path: 'entries.1.value' },
    ];
    for (const { more, path } of wrong) {
      const reply = await compare([entry, { ...entry, ...more }]);
      expect(reply.status).toBe(422);
      expect(jsonOf(reply)['errors']).toMatchObject([{ path }]);
    }
  });
});
