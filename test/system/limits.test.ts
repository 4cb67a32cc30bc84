import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RawClient, requestHead } from '../testkit/raw-client.ts';
import { startServer, type TestServer } from '../testkit/server.ts';

let server: TestServer;
let runtimeKey: string;

beforeAll(async () => {
  server = await startServer();
  runtimeKey = (await server.call('POST', '/api/v1/api-keys', { name: 'runtime', role: 'runtime' })).body
    .api_key;
  const large = 'x'.repeat(64 * 1024);
  await server.call('POST', '/api/v1/secrets', { name: 'large', value: large });
  await server.call('POST', '/api/v1/secrets', { name: 'small', value: 'v' });
  await server.call('POST', '/api/v1/secrets', { name: 'lines', value: 'a\r\nX-Injected: 1' });
  await server.call('POST', '/api/v1/secrets', { name: 'template', value: '{{secrets.small}}$&' });
  await server.call('POST', '/api/v1/secrets', { name: 'escapes', value: '\u0001'.repeat(60_000) });
});
afterAll(() => server[Symbol.asyncDispose]());

/** Resolves a config given as JSON text, so that nothing of ours stands in its way. */
const resolve = (config: string) =>
  server.call('POST', '/api/v1/resolve', `{"environment":"production","config":${config}}`, runtimeKey);

const codeOf = async (config: string) => {
  const { status, body } = await resolve(config);
  return status === 200 ? 'ok' : body.code;
};

const nested = (levels: number) => `${'['.repeat(levels)}"{{secrets.small}}"${']'.repeat(levels)}`;
const distinct = (count: number) =>
  JSON.stringify(Array.from({ length: count }, (_, i) => `{{secrets.large.f${i}}}`));
const bytes = (count: number) => `"${'a'.repeat(count - 2)}"`;
const times = (count: number, text: string) => JSON.stringify(Array.from({ length: count }, () => text));

describe('each limit is refused by its own name', () => {
  test.each([
    ['64 levels', nested(64), 'ok'],
    ['65 levels', nested(65), 'config_too_deep'],
    ['10,000 levels', nested(10_000), 'config_too_deep'],
    ['3,000,000 levels', nested(3_000_000), 'config_too_deep'],
    ['200 references', distinct(200), 'unresolved_references'],
    ['201 references', distinct(201), 'too_many_references'],
    ['1 MiB', bytes(1_048_576), 'ok'],
    ['1 MiB and a byte', bytes(1_048_577), 'config_too_large'],
    ['an answer of 5 MB', times(75, '{{secrets.large}}'), 'ok'],
    ['an answer of more', times(81, '{{secrets.large}}'), 'answer_too_large'],
    ['an answer of 4 GB', times(45_000, '{{secrets.large}}'), 'answer_too_large'],
    ['an answer of more by its escapes', times(20, '{{secrets.escapes}}'), 'answer_too_large'],
    ['a million openings', JSON.stringify('{{'.repeat(500_000)), 'ok'],
    ['a body of 6 MB and more', bytes(6_400_000), 'body_too_large'],
    // Far more than the sockets between hold: the client is still sending when it is refused.
    ['a body of 20 MB', bytes(20_000_000), 'body_too_large'],
  ])('%s', async (_what, config, code) => {
    expect(await codeOf(config)).toBe(code);
  });

  test('a body that is too large is a 413, and one without end is cut off', async () => {
    expect((await resolve(bytes(6_400_000))).status).toBe(413);
    using client = new RawClient(server.url);
    client.send(requestHead('POST', '/api/v1/resolve', runtimeKey, 100_000_000));
    const chunk = Buffer.alloc(1_000_000, 'a');
    for (let sent = 0; sent < 100; sent += 1) client.send(chunk);
    await client.closed;
    expect(client.received().toString()).not.toContain('HTTP/1.1 200');
    expect(await codeOf('"{{secrets.small}}"')).toBe('ok');
  });

  test('a reference that is not ended names its place', async () => {
    const { body } = await resolve('{"a":[{"b":"{{secrets.x"}]}');
    expect(body.errors).toEqual([{ path: '$.a[0].b', message: expect.stringContaining('does not end') }]);
  });
});

describe('hostile content', () => {
  test('own keys that JavaScript knows come back as data, and the server stays itself', async () => {
    const config =
      '{"__proto__":{"polluted":"{{secrets.small}}"},"constructor":{"prototype":{"polluted":1}}}';
    const { text } = await resolve(config);
    expect(text).toContain('{"__proto__":{"polluted":"v"},"constructor":{"prototype":{"polluted":1}}}');
    const after = await resolve('{}');
    expect(after.text).not.toContain('polluted');
    const bodies = await Promise.all(
      ['/api/v1/secrets', '/api/v1/api-keys', '/api/v1/runs'].map((path) =>
        server.call('POST', path, '{"__proto__":{"name":"x","value":"y","role":"admin"}}'),
      ),
    );
    expect(bodies.map(({ status }) => status)).toEqual([422, 422, 422]);
  });

  test('values that look like references or patterns are inserted as they are', async () => {
    const { body } = await resolve(
      '{"a":"{{secrets.template}}","b":"<{{secrets.template}}{{secrets.template}}>"}',
    );
    expect(body.config).toEqual({
      a: '{{secrets.small}}$&',
      b: '<{{secrets.small}}$&{{secrets.small}}$&>',
    });
  });

  test('what is not UTF-8 is refused, not stored as something else', async () => {
    const body = Buffer.concat([
      Buffer.from('{"name":"bytes","value":"a'),
      Buffer.of(0xff),
      Buffer.from('"}'),
    ]);
    using client = new RawClient(server.url);
    client.send(requestHead('POST', '/api/v1/secrets', server.adminKey, body.length, ['connection: close']));
    client.send(body);
    await client.closed;
    expect(client.received().toString()).toMatch(/^HTTP\/1.1 400.*not valid UTF-8/s);
    expect((await server.call('GET', '/api/v1/secrets/bytes')).status).toBe(404);
  });

  test('a line break does not get into a header', async () => {
    expect(await codeOf('{"headers":{"A":"{{secrets.lines}}"}}')).toBe('unresolved_references');
    expect(await codeOf('{"body":"{{secrets.lines}}"}')).toBe('ok');
  });

  test('names that would be other names elsewhere are refused', async () => {
    for (const name of ['a\n', 'a\0', 'a b', 'аdmin', 'audit', 'a#b', '../a', 'a%2fb', '']) {
      const { status } = await server.call('POST', '/api/v1/secrets', { name, value: 'v' });
      expect(status, JSON.stringify(name)).toBe(422);
    }
  });
});

test('who asks too often waits, and nobody else', async () => {
  await using limited = await startServer(undefined, { FM_RATE_LIMIT: '20' });
  const key = { name: 'busy', role: 'viewer' };
  const busy: string = (await limited.call('POST', '/api/v1/api-keys', key)).body.api_key;
  const asked = await Promise.all(
    Array.from({ length: 200 }, () => limited.call('GET', '/api/v1/secrets', undefined, busy)),
  );
  const refused = asked.find(({ status }) => status === 429);
  expect(refused?.body).toMatchObject({ code: 'rate_limited' });
  expect(refused?.headers.get('retry-after')).toBe('1');
  const answered = asked.filter(({ status }) => status === 200);
  expect(answered.length + asked.filter(({ status }) => status === 429).length).toBe(200);
  expect(answered.length).toBeGreaterThanOrEqual(20);
  expect(answered[0]?.headers.get('ratelimit-policy')).toBe('"default";q=20;w=1');
  expect((await limited.call('GET', '/api/v1/secrets')).status).toBe(200);
  expect((await limited.call('GET', '/health', undefined, null)).status).toBe(200);
});

describe('hostile clients', () => {
  test('those that leave, or never end, take nobody with them', async () => {
    const clients = Array.from({ length: 50 }, () => new RawClient(server.url));
    for (const client of clients) {
      client.send(`${requestHead('POST', '/api/v1/resolve', runtimeKey, 100, ['expect: 100-continue'])}{`);
    }
    await Promise.all(clients.map((client) => client.until('100 Continue')));
    for (const client of clients.slice(25)) client[Symbol.dispose]();
    expect(await codeOf('"{{secrets.small}}"')).toBe('ok');
    for (const client of clients) client[Symbol.dispose]();
  });

  test('many hostile requests at once are all answered, and an honest one among them', async () => {
    const hostile = [
      nested(10_000),
      times(45_000, '{{secrets.large}}'),
      JSON.stringify('{{secrets.'.repeat(50_000)),
      distinct(201),
    ];
    const asked = Array.from({ length: 64 }, (_, i) => codeOf(hostile[i % hostile.length] ?? '""'));
    const honest = codeOf('"{{secrets.small}}"');
    const expected = ['config_too_deep', 'answer_too_large', 'unresolved_references', 'too_many_references'];
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 64 }, (_, i) => expected[i % 4]));
    expect(await honest).toBe('ok');
  });
});
