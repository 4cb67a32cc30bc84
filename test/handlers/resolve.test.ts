import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { call, eventsOf, jsonOf, newKey, newOrganization, services } from '../testkit/api.ts';
import { codeOfRejection } from '../testkit/failure.ts';

let admin = '';
let runtime = '';

beforeAll(async () => {
  admin = await newOrganization('acme');
  runtime = await newKey(admin, { role: 'runtime' });
  const secrets = {
    plain: { value: 'p' },
    quoted: { value: 'a"b\\c\n{{secrets.plain}} $& $1 __proto__' },
    json: { value: '{"user":"u","n":12345678901234567890,"list":[{"x":true}],"__proto__":{"y":1}}' },
    bytes: { value: '/w==', encoding: 'base64' },
    lines: { value: 'a\r\nb' },
    due: { value: 'd', rotation_days: 1 },
  };
  for (const [name, fields] of Object.entries(secrets))
    expect((await call('create-secret', { as: admin, body: { name, ...fields } })).status).toBe(201);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const resolve = (config: unknown) =>
  call('resolve-config', { as: runtime, body: { config, environment: 'staging' } });
const check = (config: unknown) =>
  call('check-config', { as: runtime, body: { config, environment: 'staging' } });

describe('resolve-config', () => {
  it.each([
    { config: '{{secrets.plain}}', to: 'p' },
    { config: 'x{{ secrets.plain }}y{{secrets.plain}}', to: 'xpyp' },
    { config: '\\{{secrets.plain}}', to: '{{secrets.plain}}' },
    { config: '{{secrets.quoted}}', to: 'a"b\\c\n{{secrets.plain}} $& $1 __proto__' },
    { config: '{{secrets.json.user}}', to: 'u' },
    { config: { a: ['{{secrets.json.list.0.x}}'] }, to: { a: [true] } },
    { config: 'v={{secrets.json.list.0.x}}', to: 'v=true' },
    { config: '{{secrets.bytes}}', to: '/w==' },
    {
      config: { '{{secrets.plain}}': '{{input.x}} {{env.X}}' },
      to: { '{{secrets.plain}}': '{{input.x}} {{env.X}}' },
    },
    { config: { body: '{{secrets.lines}}' }, to: { body: 'a\r\nb' } },
    { config: null, to: null },
    { config: 7, to: 7 },
  ])('$config', async ({ config, to }) => {
    expect(jsonOf(await resolve(config))['config']).toEqual(to);
  });

  it('keeps every digit of a number', async () => {
    expect((await resolve({ n: '{{secrets.json.n}}' })).text).toContain('{"n":12345678901234567890}');
  });

  it.each([
    { config: '{{secrets.none}}', failing: [['none', ['$'], 'not_found']] },
    {
      config: { a: '{{secrets.none}}', b: ['{{secrets.none}}', '{{secrets.nope}} {{secrets.plain}}'] },
      failing: [
        ['none', ['$.a', '$.b[0]'], 'not_found'],
        ['nope', ['$.b[1]'], 'not_found'],
      ],
    },
    { config: '{{secrets.json.missing}}', failing: [['json.missing', ['$'], 'no_such_field']] },
    { config: '{{secrets.json.__proto__.z}}', failing: [['json.__proto__.z', ['$'], 'no_such_field']] },
    { config: '{{secrets.json.toString}}', failing: [['json.toString', ['$'], 'no_such_field']] },
    { config: '{{secrets.plain.field}}', failing: [['plain.field', ['$'], 'not_json']] },
    { config: '{{secrets.bytes.field}}', failing: [['bytes.field', ['$'], 'not_json']] },
    {
      config: { Headers: { 'X-Key': '{{secrets.lines}}' } },
      failing: [['lines', ['$.Headers["X-Key"]'], 'line_break_in_header']],
    },
    { config: '{{secrets.plain@2}}', failing: [['plain@2', ['$'], 'no_such_version']] },
    { config: '{{secrets.plain@previous}}', failing: [['plain@previous', ['$'], 'no_previous_version']] },
  ])('fails whole: $config', async ({ config, failing }) => {
    const reply = await resolve(config);
    expect([reply.status, jsonOf(reply)['code']]).toEqual([422, 'unresolved_references']);
    expect(jsonOf(reply)['references']).toEqual(
      failing.map(([reference, paths, code]) => expect.objectContaining({ reference, paths, code })),
    );
    expect(eventsOf(reply)).toEqual([expect.objectContaining({ action: 'access', outcome: 'failed' })]);
  });

  it('says which references stand in the config as base64', async () => {
    const reply = await resolve([
      '{{secrets.bytes}}',
      'x{{secrets.json.user}}',
      '{{secrets.bytes@1}}',
      '{{secrets.json}}',
    ]);
    const at = { version: 1, scope: 'org', environment: null };
    expect(jsonOf(reply)['secrets']).toEqual([
      { name: 'bytes', ...at, encoding: 'base64', references: ['bytes', 'bytes@1'] },
      { name: 'json', ...at },
    ]);
  });

  it('leaves one record of all that it opened', async () => {
    const reply = await resolve(['{{secrets.plain}}', '{{secrets.plain}} {{secrets.json.user}}']);
    expect(eventsOf(reply)).toEqual([
      expect.objectContaining({
        action: 'access',
        outcome: 'success',
        environment: 'staging',
        secrets: [
          expect.objectContaining({ name: 'plain', version: 1, places: 2 }),
          expect.objectContaining({ name: 'json', version: 1, places: 1 }),
        ],
      }),
    ]);
  });

  it.each([
    { what: '65 levels', config: () => nested(65), status: 422, code: 'config_too_deep' },
    { what: '64 levels', config: () => nested(64), status: 200, code: undefined },
    {
      what: '201 references',
      config: () => Array.from({ length: 201 }, (_, i) => `{{secrets.s${i}}}`),
      status: 422,
      code: 'too_many_references',
    },
    {
      what: 'a config of more than a mebibyte',
      config: () => 'x'.repeat(1024 * 1024),
      status: 413,
      code: 'config_too_large',
    },
    { what: 'an open end', config: () => '{{secrets.plain', status: 422, code: 'unresolved_references' },
  ])('$what: $status $code', async ({ config, status, code }) => {
    const reply = await resolve(config());
    expect([reply.status, jsonOf(reply)['code']]).toEqual([status, code]);
  });

  it('refuses an answer that would be too large before it uses a key', async () => {
    await call('create-secret', { as: admin, body: { name: 'large', value: 'x'.repeat(65_536) } });
    services.dataKeys.clear();
    const unwrap = vi.spyOn(services.keyService, 'unwrapDataKey');
    const reply = await resolve(Array.from({ length: 40_000 }, () => '{{secrets.large}}'));
    expect([reply.status, jsonOf(reply)['code']]).toEqual([413, 'answer_too_large']);
    expect(unwrap).not.toHaveBeenCalled();
  });

  it.each([
    { keep_previous_for: '1h', kept: true },
    { keep_previous_for: '30m', kept: true },
    { keep_previous_for: '7d', kept: true },
    { keep_previous_for: '60s', kept: true },
    { keep_previous_for: undefined, kept: false },
  ])('the previous version, kept for $keep_previous_for: $kept', async ({ keep_previous_for, kept }) => {
    const name = `kept_${keep_previous_for}`;
    await call('create-secret', { as: admin, body: { name, value: 'old' } });
    const body = { new_value: 'new', ...(keep_previous_for === undefined ? {} : { keep_previous_for }) };
    await call('rotate-secret', { as: admin, params: { name }, body });
    const reply = await resolve([`{{secrets.${name}@previous}}`, `{{secrets.${name}}}`]);
    expect(jsonOf(reply)['config']).toEqual(kept ? ['old', 'new'] : undefined);
  });
});

function nested(levels: number): unknown {
  let config: unknown = 'x';
  for (let i = 0; i < levels; i++) config = [config];
  return config;
}

describe('check-config', () => {
  it('says what a resolve would find, and uses no key', async () => {
    services.dataKeys.clear();
    const unwrap = vi.spyOn(services.keyService, 'unwrapDataKey');
    const reply = await check({ a: '{{secrets.plain}}', b: ['{{secrets.plian}}', '{{secrets.json.user}}'] });
    const found = { found: true, scope: 'org', environment: null, version: 1, due: false };
    expect(jsonOf(reply)['references']).toEqual([
      { name: 'plain', paths: ['$.a'], ...found },
      expect.objectContaining({
        ...{ name: 'plian', paths: ['$.b[0]'], found: false, nearest: 'plain' },
        code: 'not_found',
      }),
      { name: 'json', reference: 'json.user', paths: ['$.b[1]'], ...found },
    ]);
    expect(unwrap).not.toHaveBeenCalled();
    expect(reply.text.includes('"p"')).toBe(false);
  });

  it('says what is due', async () => {
    const later = Date.now() + 2 * 24 * 60 * 60 * 1000;
    vi.spyOn(services, 'now').mockReturnValue(new Date(later));
    const reply = await check('{{secrets.due}} {{secrets.plain}}');
    expect(jsonOf(reply)['references']).toEqual([
      expect.objectContaining({ name: 'due', due: true }),
      expect.objectContaining({ name: 'plain', due: false }),
    ]);
  });
});

it('an organization is made once, and a second one of its name leaves nothing', async () => {
  const keys = () => services.database.get<{ n: number }>('SELECT count(*) AS n FROM api_keys');
  const before = keys();
  expect(await codeOfRejection(newOrganization('acme'))).toBe('organization_exists');
  expect(keys()).toEqual(before);
});
