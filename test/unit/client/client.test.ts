import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  AuthenticationFailedError,
  type ClientOptions,
  createSecretsClient,
  InvalidReferenceError,
} from '../../../client/main.ts';
import { type FakeServer, fakeServer, problem, resolving } from './fake-server.ts';

const runToken = 'fmr_0123456789abcdef';
const clientOf = ({ url }: FakeServer, options: ClientOptions = {}) =>
  createSecretsClient({ apiUrl: url, runToken, retry: { attempts: 1 }, ...options });

describe('resolve', () => {
  test('sends only what holds a reference, at its own place, and fills a copy', async () => {
    await using server = await fakeServer(resolving({ key: 'sk-live-1', 'db.port': 5432, 'db.tags': ['a'] }));
    const config = {
      prompt: 'a long text',
      n: 1,
      none: null,
      at: new Date(0),
      headers: { Authorization: 'Bearer {{secrets.key}}' },
      list: ['{{input.x}}', '{{secrets.db.port}}', 'pg:{{ secrets.db.port }}/{{secrets.key}}'],
      tags: ['{{secrets.db.tags}}', '{{secrets.db.tags}}'],
      literal: '\\{{secrets.key}}',
      ['__proto__']: '{{secrets.key}}',
    };
    const filled = await clientOf(server).resolve(config);
    expect(filled).toEqual({
      ...config,
      headers: { Authorization: 'Bearer sk-live-1' },
      list: ['{{input.x}}', 5432, 'pg:5432/sk-live-1'],
      tags: [['a'], ['a']],
      literal: '{{secrets.key}}',
      ['__proto__']: 'sk-live-1',
    });
    expect(filled.tags[0]).not.toBe(filled.tags[1]);
    expect(server.received).toHaveLength(1);
    expect(server.received[0]).toMatchObject({
      method: 'POST',
      path: '/api/v1/resolve',
      authorization: `Bearer ${runToken}`,
      body: {
        config: {
          headers: { Authorization: ['={{secrets.key}}'] },
          list: [null, '{{secrets.db.port}}', ['={{secrets.db.port}}', '={{secrets.key}}']],
        },
      },
    });
    expect(Object.keys(server.received[0]?.body.config)).not.toContain('prompt');
  });

  test('loses no digit of a number', async () => {
    await using server = await fakeServer(() => ({
      body: '{"config":{"id":12345678901234567890,"all":[0.10,9007199254740993]},"secrets":[]}',
    }));
    const config = { id: '{{secrets.db.id}}', all: '{{secrets.db.all}}' };
    expect(await clientOf(server).resolve(config)).toEqual({
      id: '12345678901234567890',
      all: [0.1, '9007199254740993'],
    });
  });

  test('asks nothing when there is nothing to ask', async () => {
    await using server = await fakeServer(() => 'reset');
    const config = { a: ['{{input.x}}', '\\{{secrets.a}}'], b: 1 };
    expect(await clientOf(server).resolve(config)).toEqual({ a: ['{{input.x}}', '{{secrets.a}}'], b: 1 });
    const loop: { self?: unknown } = {};
    loop.self = loop;
    await expect(clientOf(server).resolve(loop)).rejects.toMatchObject({ code: 'config_too_deep' });
    expect(server.received).toHaveLength(0);
  });

  test('an API key says where it is, a run token does not', async () => {
    await using server = await fakeServer(resolving({ key: 'v' }));
    const place = { environment: 'staging', pipelineId: 'p1', runId: 'r1', user: 'ada' };
    const settings = { apiUrl: `${server.url}/`, ...place };
    await createSecretsClient({ ...settings, apiKey: 'fmk_1' }).get('key');
    await createSecretsClient({ ...settings, apiKey: 'fmk_1', runToken }).get('key');
    expect(server.received.map(({ body }) => body)).toEqual([
      {
        config: { value: '{{secrets.key}}' },
        environment: 'staging',
        pipeline_id: 'p1',
        user: 'ada',
        run_id: 'r1',
      },
      { config: { value: '{{secrets.key}}' } },
    ]);
  });
});

describe('get', () => {
  test('one request for many who ask at once, and none while it is kept', async () => {
    await using server = await fakeServer(resolving({ key: 'v', 'key@3': 'v3', 'key@previous': 'v2' }));
    const client = clientOf(server);
    expect(await Promise.all(Array.from({ length: 20 }, () => client.get('key')))).toEqual(
      Array(20).fill('v'),
    );
    expect(await client.get('key')).toBe('v');
    expect(server.received).toHaveLength(1);
    expect(await client.get('key', { version: 3 })).toBe('v3');
    expect(await client.get('key', { version: 'previous' })).toBe('v2');
    expect(server.received).toHaveLength(3);
  });

  test('what resolve brought is there for get', async () => {
    await using server = await fakeServer(resolving({ a: '1', b: '2' }));
    const client = clientOf(server);
    await client.resolve(['{{secrets.a}}', 'x {{secrets.b}}']);
    expect([await client.get('a'), await client.get('b')]).toEqual(['1', '2']);
    expect(server.received).toHaveLength(1);
  });

  test('a cache of none keeps none', async () => {
    await using server = await fakeServer(resolving({ key: 'v' }));
    const client = clientOf(server, { cache: false });
    await client.get('key');
    await client.get('key');
    expect(server.received).toHaveLength(2);
  });

  test.each(['', 'audit', '1x', 'a.b', 'a@1', 'x'.repeat(129)])(
    'the name %j is refused here',
    async (name) => {
      await using server = await fakeServer(() => 'reset');
      await expect(clientOf(server).get(name)).rejects.toBeInstanceOf(InvalidReferenceError);
      await expect(clientOf(server).get('key', { version: 0 })).rejects.toBeInstanceOf(InvalidReferenceError);
      expect(server.received).toHaveLength(0);
    },
  );
});

describe('use', () => {
  const refuse = (good: string) => {
    const tried: string[] = [];
    const fn = (value: string) => {
      tried.push(value);
      if (value !== good) throw Object.assign(new Error('no'), { status: 401 });
      return 'done';
    };
    return { tried, fn };
  };

  test('fetches anew when the value was rotated meanwhile', async () => {
    const values = { key: 'old' };
    await using server = await fakeServer((request) => resolving(values)(request));
    const client = clientOf(server);
    await client.get('key');
    values.key = 'new';
    const { tried, fn } = refuse('new');
    expect(await client.use('key', fn)).toBe('done');
    expect(tried).toEqual(['old', 'new']);
    expect(await client.get('key')).toBe('new');
  });

  test('then tries the previous one', async () => {
    await using server = await fakeServer(resolving({ key: 'new', 'key@previous': 'old' }));
    const { tried, fn } = refuse('old');
    expect(await clientOf(server).use('key', fn)).toBe('done');
    expect(tried).toEqual(['new', 'old']);
  });

  test('fails as the function did when none helps, and when it is not about authentication', async () => {
    const references = [
      { name: 'key', paths: ['$.value'], problem: 'no previous version of it is kept now' },
    ];
    await using server = await fakeServer((request) =>
      JSON.stringify(request.body).includes('@previous')
        ? problem(422, 'unresolved_references', { references })
        : resolving({ key: 'v' })(request),
    );
    const client = clientOf(server);
    const failure = new AuthenticationFailedError('no');
    await expect(client.use('key', () => Promise.reject(failure))).rejects.toBe(failure);
    const other = new Error('broken');
    await expect(client.use('key', () => Promise.reject(other))).rejects.toBe(other);
    const tried: string[] = [];
    const isFailure = (error: unknown) => error === other;
    const fn = (value: string) => {
      tried.push(value);
      throw other;
    };
    await expect(client.use('key', fn, { isFailure })).rejects.toBe(other);
    expect(tried).toEqual(['v']);
  });
});

test('a client shows neither values nor its credential', async () => {
  await using server = await fakeServer(resolving({ key: 's3cr3t-value' }));
  const client = clientOf(server);
  await client.get('key');
  const shown = [inspect(client, { depth: 9, showHidden: true }), JSON.stringify({ client }), String(client)];
  shown.push(inspect(client.redactor, { depth: 9, showHidden: true }), JSON.stringify(client.redactor));
  expect(shown.join()).not.toMatch(/s3cr3t|0123456789/);
  expect(client.redactor.redact(`a s3cr3t-value b ${runToken}`)).toBe('a ****...**** b ****...****');
});

test('list follows pages, to this server alone', async () => {
  await using server = await fakeServer(({ path }) =>
    path.includes('cursor')
      ? { body: [{ name: 'b' }] }
      : {
          body: [{ name: 'a' }],
          headers: { link: '<https://elsewhere.example/x?cursor=1&limit=1000>; rel="next"' },
        },
  );
  expect((await clientOf(server).list()).map(({ name }) => name)).toEqual(['a', 'b']);
  expect(server.received.map(({ path }) => path)).toEqual([
    '/api/v1/secrets?limit=1000',
    '/api/v1/secrets?cursor=1&limit=1000',
  ]);
});

describe('a secret of bytes', () => {
  const bytes = Buffer.from([0xff, 0, ...Buffer.from('some bytes'), 0xfe]);
  const stored = { der: bytes.toString('base64'), text: 'päss-word-1' };
  const used = [
    { name: 'der', encoding: 'base64', references: ['der', 'der@previous'] },
    { name: 'text', encoding: 'utf8', references: ['text'] },
  ];
  const answering = () =>
    fakeServer((request) => {
      const { body } = resolving({ ...stored, 'der@previous': stored.der })(request) as {
        body: { config: unknown };
      };
      return { body: { ...body, secrets: used } };
    });

  test('is text as base64, and bytes', async () => {
    await using server = await answering();
    const client = clientOf(server);
    expect(await client.getBytes('der')).toEqual(bytes);
    expect(await client.get('der')).toBe(stored.der);
    expect(await client.getBytes('der', { version: 'previous' })).toEqual(bytes);
    expect(await client.getBytes('text')).toEqual(Buffer.from('päss-word-1'));
    expect(await client.resolve({ a: 'x {{secrets.der}}' })).toEqual({ a: `x ${stored.der}` });
    expect(server.received).toHaveLength(4);
  });

  test.each(['{{secrets.der}}', 'within {{secrets.der}}'])('is redacted as bytes: %s', async (reference) => {
    await using server = await answering();
    const client = clientOf(server);
    await client.resolve({ a: reference });
    expect(client.redactor.redact(`a ${bytes.toString('hex')} b`)).toBe('a ****...**** b');
    expect(client.redactor.scrub({ a: Buffer.concat([Buffer.from('a '), bytes]) })).toEqual({
      a: Buffer.from('a ****...****'),
    });
  });
});
