import { beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../../functions/routes.ts';
import { call, jsonOf, logged, newKey, newOrganization, type Reply, type Request } from '../testkit/api.ts';

// What was sent may be a secret put in the wrong place: no refusal, header or log line repeats any of it.

const CANARY = 'canary-8c1f';
let admin = '';
let runtime = '';

beforeAll(async () => {
  admin = await newOrganization('acme');
  runtime = await newKey(admin, { role: 'runtime' });
  await call('create-secret', { as: admin, body: { name: 'known', value: 'v' } });
});

const asked = (name: string, request: Request) =>
  call(name, {
    as: ['resolve-config', 'check-config', 'start-run'].includes(name) ? runtime : admin,
    ...request,
  });

function expectSilent(reply: Reply): void {
  expect(reply.status).toBeGreaterThanOrEqual(400);
  expect(reply.status).toBeLessThan(500);
  const told = `${reply.text}${JSON.stringify(reply.headers)}${logged.join('')}`;
  expect(told.toLowerCase().includes(CANARY)).toBe(false);
}

const on = { params: { name: 'known' } };
const bodies: readonly { route: string; request: Request; good: Readonly<Record<string, unknown>> }[] = [
  {
    route: 'create-secret',
    request: {},
    good: {
      name: 'fresh',
      value: 'v',
      encoding: 'utf8',
      description: 'd',
      scope: 'org',
      pipeline_id: 'p1',
      user: 'u',
      environment: 'staging',
      metadata: {},
      rotation_days: 1,
      isolation: 'shared',
    },
  },
  {
    route: 'put-secret',
    request: on,
    good: {
      name: 'known',
      value: 'v',
      encoding: 'utf8',
      metadata: {},
      rotation_days: 1,
      expected_version: 1,
      reason: 'r',
    },
  },
  {
    route: 'compare-secrets',
    request: {},
    good: { entries: [{ name: 'known', value: 'v', encoding: 'utf8', scope: 'org', environment: 'none' }] },
  },
  { route: 'update-secret', request: on, good: { description: 'd', metadata: {}, rotation_days: 1 } },
  {
    route: 'rotate-secret',
    request: on,
    good: {
      new_value: 'v',
      encoding: 'utf8',
      reason: 'r',
      expected_version: 1,
      stage: 'pending',
      keep_previous_for: '1h',
    },
  },
  { route: 'activate-secret', request: on, good: { version: 1, reason: 'r', keep_previous_for: '1h' } },
  { route: 'abandon-secret', request: on, good: { version: 1, reason: 'r' } },
  { route: 'prune-secret', request: on, good: { dry_run: true } },
  { route: 'rollback-secret', request: on, good: { version: 1, reason: 'r', expected_version: 1 } },
  {
    route: 'resolve-config',
    request: {},
    good: { config: {}, environment: 'staging', pipeline_id: 'p1', user: 'u', run_id: 'r' },
  },
  {
    route: 'check-config',
    request: {},
    good: { config: {}, environment: 'staging', pipeline_id: 'p1', user: 'u', run_id: 'r' },
  },
  {
    route: 'start-run',
    request: {},
    good: { pipeline_id: 'p1', environment: 'staging', user: 'u', run_id: 'r', ttl_seconds: 1 },
  },
  {
    route: 'create-api-key',
    request: {},
    good: {
      name: 'k',
      role: 'viewer',
      subject: 's',
      pipelines: ['p1'],
      environments: ['staging'],
      expires_at: '2999-01-01T00:00:00Z',
    },
  },
];

/** Wrong for every field: where a text is right, its wrong form holds a line break or is too long. */
const wrong = [
  { [CANARY]: CANARY },
  [CANARY],
  [[CANARY]],
  `${CANARY}\n${CANARY}`,
  `${CANARY} `.repeat(20_000),
  `\ud800${CANARY}`,
];

/** What a request must have; the other fields are tried beside these, one at a time. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  'create-secret': ['name', 'value'],
  'put-secret': ['value'],
  'compare-secrets': ['entries'],
  'rotate-secret': ['new_value'],
  'rollback-secret': ['version'],
  'resolve-config': ['config', 'environment'],
  'check-config': ['config', 'environment'],
  'start-run': ['pipeline_id', 'environment'],
  'create-api-key': ['name', 'role'],
};

/** Of the wrong values above, those that are right for a field. */
function isRight(field: string, value: unknown): boolean {
  if (field === 'metadata') return typeof value === 'object' && !Array.isArray(value);
  if (field === 'pipelines') return Array.isArray(value) && typeof value[0] === 'string';
  // A value may hold line breaks; what it may not is to be too long or no Unicode.
  const isValue = field === 'value' || field === 'new_value';
  return isValue && typeof value === 'string' && value.length < 100 && value.isWellFormed();
}

describe.each(bodies)('$route', ({ route, request, good }) => {
  const fields = Object.keys(good).filter((field) => field !== 'config');
  const needed = Object.entries(good).filter(([field]) => NEEDED[route]?.includes(field));

  it.each(fields)('a wrong %s is refused by its name, and never quoted', async (field) => {
    for (const value of wrong) {
      const body = { ...Object.fromEntries(needed), [field]: value };
      if (isRight(field, value)) continue;
      const reply = await asked(route, { ...request, body });
      expectSilent(reply);
      expect(reply.status).toBe(422);
      const errors = jsonOf(reply)['errors'];
      expect(JSON.stringify(errors)).toContain(`"path":"${field}`);
    }
  });

  it('a field that it does not take is refused, and its name is not quoted either', async () => {
    const reply = await asked(route, { ...request, body: { ...Object.fromEntries(needed), [CANARY]: 1 } });
    expectSilent(reply);
    expect(reply.status).toBe(422);
  });

  it.each([
    { what: 'no JSON', rawBody: `{"value": "${CANARY}`, status: 400 },
    { what: 'JSON and more', rawBody: `{"value": "${CANARY}"} ${CANARY}`, status: 400 },
    { what: 'a text', rawBody: `"${CANARY}"`, status: 422 },
    { what: 'a list', rawBody: `["${CANARY}"]`, status: 422 },
    { what: 'null', rawBody: 'null', status: 422 },
    {
      what: 'another type',
      rawBody: `value=${CANARY}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      status: 415,
    },
    {
      what: 'a type that only begins like JSON',
      rawBody: '{}',
      headers: { 'content-type': `application/json${CANARY}` },
      status: 415,
    },
  ])('$what: $status', async ({ status, ...sent }) => {
    // Where every field can be left out, null is no body at all.
    const optional = ['update-secret', 'activate-secret', 'abandon-secret', 'prune-secret'];
    if (optional.includes(route) && sent.rawBody === 'null') return;
    const reply = await asked(route, { ...request, ...sent });
    expectSilent(reply);
    expect(reply.status).toBe(status);
  });
});

describe('paths and queries', () => {
  const queried = routes.filter(({ query }) => query !== null);

  it.each(queried.map(({ name }) => name))(
    '%s refuses what it does not know, without quoting it',
    async (name) => {
      const path = { params: { name: 'known', run_id: 'r', id: 'Nobodysapikey000' } };
      const sent: Record<string, string>[] = [
        { [CANARY]: '1' },
        { environment: `${CANARY} ` },
        { limit: CANARY },
        { cursor: `${CANARY}!` },
        { secret_name: `${CANARY}!` },
      ];
      for (const query of sent) {
        const reply = await asked(name, { ...path, query });
        expectSilent(reply);
        expect(reply.status).toBe(422);
      }
    },
  );

  const names = [
    '',
    ' ',
    'audit',
    '1a',
    'a b',
    'a\n',
    'a\0',
    '../a',
    'a.b',
    'á',
    'a#b',
    '__proto__',
    '-a',
    'a'.repeat(129),
    'Ａ',
  ];
  it.each(names)('%j is no name of a secret, wherever it is given', async (name) => {
    for (const route of ['describe-secret', 'secret-history', 'delete-secret', 'restore-secret'])
      expect((await asked(route, { params: { name } })).status).toBe(422);
    expect((await asked('create-secret', { body: { name, value: 'v' } })).status).toBe(422);
    expect((await asked('put-secret', { params: { name }, body: { value: 'v' } })).status).toBe(422);
    expect((await asked('list-runs', { query: { secret_name: name } })).status).toBe(422);
  });

  it.each(['constructor', 'toString', 'hasOwnProperty', 'a'.repeat(128), 'A-_9'])(
    '%s is one',
    async (name) => {
      expect((await asked('create-secret', { body: { name, value: CANARY } })).status).toBe(201);
      const body = { config: `{{secrets.${name}}}`, environment: 'staging' };
      expect(jsonOf(await asked('resolve-config', { body }))['config']).toBe(CANARY);
    },
  );

  it('a name in the body must be the one of the path', async () => {
    const reply = await asked('put-secret', { ...on, body: { name: 'other', value: 'v' } });
    expect([reply.status, jsonOf(reply)['code']]).toEqual([422, 'validation']);
  });
});

describe('values', () => {
  it.each([
    { what: 'one byte', value: 'x', status: 201 },
    { what: '64 KiB', value: 'x'.repeat(65_536), status: 201 },
    { what: '64 KiB of UTF-8', value: 'é'.repeat(32_768), status: 201 },
    { what: 'one byte more', value: 'x'.repeat(65_537), status: 422 },
    { what: 'one character of UTF-8 more', value: 'é'.repeat(32_769), status: 422 },
    { what: 'nothing', value: '', status: 422 },
    { what: 'half a surrogate pair', value: '\ud83d', status: 422 },
    { what: 'bytes', value: '/w==', encoding: 'base64', status: 201 },
    {
      what: '64 KiB of bytes',
      value: Buffer.alloc(65_536).toString('base64'),
      encoding: 'base64',
      status: 201,
    },
    {
      what: 'one byte more of them',
      value: Buffer.alloc(65_537).toString('base64'),
      encoding: 'base64',
      status: 422,
    },
    { what: 'base64 without padding', value: '/w', encoding: 'base64', status: 422 },
    { what: 'base64url', value: '_w==', encoding: 'base64', status: 422 },
    { what: 'base64 with a line break', value: '/w==\n', encoding: 'base64', status: 422 },
  ])('$what: $status', async ({ what, status, ...body }) => {
    const name = what.replaceAll(/[^A-Za-z0-9]/g, '_').replace(/^(?=\d)/, 'n');
    const reply = await asked('create-secret', { body: { name, ...body } });
    expect(reply.status).toBe(status);
    if (status !== 201) return;
    const resolved = await asked('resolve-config', {
      body: { config: `{{secrets.${name}}}`, environment: 'staging' },
    });
    expect(jsonOf(resolved)['config'] === body.value).toBe(true);
  });
});

describe('audit times', () => {
  it.each([
    { from: 0, to: 0, precision: 'Z', count: 1 },
    { from: -1, to: 1, precision: '.000Z', count: 1 },
    { from: 1, to: 2, precision: 'Z', count: 0 },
    { from: -2, to: -1, precision: 'Z', count: 0 },
  ])('from $from to $to seconds with $precision: $count', async ({ from, to, precision, count }) => {
    const { record, services } = await import('../testkit/api.ts');
    const request_id = `at-${from}-${to}`;
    // Half a second after a whole one: in text, ".500Z" sorts before "Z".
    const second = Date.parse('2026-03-01T10:00:00Z');
    const { organizationId } = await import('../../shared/contract/ids.ts');
    await services.outbox.append({
      id: services.newId(),
      org: organizationId.parse('acme'),
      timestamp: new Date(second + 500).toISOString(),
      action: 'start_run',
      outcome: 'success',
      secrets: [],
      run_id: request_id,
    });
    await record();
    const text = (offset: number, round: number) =>
      new Date(second + (offset + round) * 1000).toISOString().replace('.000Z', precision);
    const query = { run_id: request_id, from: text(from, 0), to: text(to, 1) };
    const reply = await asked('query-audit', { query });
    expect(JSON.parse(reply.text)).toHaveLength(count);
  });
});
