import { describe, expect, test } from 'vitest';
import {
  AccessDeniedError,
  type ClientOptions,
  createSecretsClient,
  fromEnvironment,
  LimitExceededError,
  SettingsError,
  UnavailableError,
  UnsupportedError,
} from '../../../client/main.ts';
import { fakeServer, problem, resolving } from './fake-server.ts';

const runToken = 'fmr_0123456789abcdef';
const retry = { attempts: 4, seconds: 20, attemptSeconds: 10, baseSeconds: 0.001, longestSeconds: 0.002 };
const clientOf = ({ url }: { url: string }, options: ClientOptions = {}) =>
  createSecretsClient({ apiUrl: url, runToken, retry, ...options });
const good = resolving({ key: 'v' });

describe('asking again', () => {
  test.each([
    ['503', problem(503, 'unavailable')],
    ['429', { status: 429 }],
    ['502 of a proxy', { status: 502, body: '<html>bad gateway</html>' }],
    ['a reset', 'reset' as const],
  ])('after %s', async (_what, failure) => {
    await using server = await fakeServer((request, count) => (count < 3 ? failure : good(request)));
    expect(await clientOf(server).get('key')).toBe('v');
    expect(server.received).toHaveLength(3);
  });

  test('not for ever, and then it says why', async () => {
    await using server = await fakeServer(() => ({
      ...Object(problem(503, 'unavailable')),
      headers: { 'retry-after': '3' },
    }));
    const failure = await clientOf(server)
      .get('key')
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UnavailableError);
    expect(failure).toMatchObject({ status: 503, code: 'unavailable', requestId: 'r-1', retryAfter: 3 });
    expect(server.received).toHaveLength(4);
  });

  test('a server that is not there, by the name of the reason and no more', async () => {
    const { url } = await fakeServer(() => 'reset').then(async (server) => {
      await server[Symbol.asyncDispose]();
      return server;
    });
    const failure = await clientOf({ url })
      .get('key')
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: 'UnavailableError',
      message: 'The server could not be reached (ECONNREFUSED).',
    });
    expect(failure).not.toHaveProperty('cause');
  });

  test.each([400, 403, 422, 500])('not after %i', async (status) => {
    await using server = await fakeServer(() => ({ status }));
    await expect(clientOf(server).get('key')).rejects.toMatchObject({ status });
    expect(server.received).toHaveLength(1);
  });

  test('a redirect is not followed', async () => {
    await using server = await fakeServer(() => ({ status: 307, headers: { location: '/elsewhere' } }));
    await expect(clientOf(server).get('key')).rejects.toMatchObject({ status: 307 });
    expect(server.received).toHaveLength(1);
  });

  test('an attempt that gets no answer is given up', async () => {
    await using server = await fakeServer((request, count) => (count === 1 ? 'silence' : good(request)));
    const client = clientOf(server, { retry: { ...retry, attemptSeconds: 0.3 } });
    expect(await client.get('key')).toBe('v');
    await using silent = await fakeServer(() => 'silence');
    const impatient = clientOf(silent, { retry: { ...retry, seconds: 0.05 } });
    await expect(impatient.get('key')).rejects.toBeInstanceOf(UnavailableError);
  });
});

test.each(['no json', '[]', '{"config":{}}', '{"config":{"value":7}}', 'null'])(
  'the answer %s is none',
  async (body) => {
    await using server = await fakeServer(() => ({ body }));
    await expect(clientOf(server).get('key')).rejects.toMatchObject({ code: 'invalid_answer' });
    await expect(clientOf(server).exists('key')).rejects.toMatchObject({ code: 'invalid_answer' });
    await expect(clientOf(server).resolve({ a: 'x {{secrets.key}}' })).rejects.toMatchObject({
      code: 'invalid_answer',
    });
  },
);

describe('signals', () => {
  test('the caller’s ends the call with its reason, and nobody else’s', async () => {
    let answer: () => void = () => undefined;
    await using server = await fakeServer((request, count) => {
      if (count === 1) answer();
      return count === 1 ? 'silence' : good(request);
    });
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const client = clientOf(server, { retry: { ...retry, attemptSeconds: 0.2 } });
    const reason = new Error('no longer wanted');
    const controller = new AbortController();
    const ended = client.get('key', { signal: controller.signal });
    const patient = client.get('key');
    await asked;
    controller.abort(reason);
    await expect(ended).rejects.toBe(reason);
    await expect(client.resolve('{{secrets.key}}', { signal: controller.signal })).rejects.toBe(reason);
    expect(await patient).toBe('v');
  });

  test('the client’s ends everything', async () => {
    await using server = await fakeServer(() => 'silence');
    const controller = new AbortController();
    const client = clientOf(server, { signal: controller.signal });
    const calls = [client.get('key'), client.exists('key'), client.list(), client.resolve('{{secrets.key}}')];
    const reason = new Error('over');
    controller.abort(reason);
    for (const call of await Promise.allSettled(calls)) expect(call).toMatchObject({ reason });
    await expect(client.get('key')).rejects.toBe(reason);
  });
});

test('the variables of the environment say who asks', async () => {
  await using server = await fakeServer(good);
  const variables = {
    FM_API_URL: server.url,
    FM_RUN_TOKEN: '',
    FM_API_KEY: 'fmk_1',
    FM_ENVIRONMENT: 'staging',
  };
  await fromEnvironment({}, { ...variables, FM_PIPELINE_ID: 'p', FM_RUN_ID: 'r', FM_USER: 'u' }).get('key');
  expect(server.received[0]).toMatchObject({
    authorization: 'Bearer fmk_1',
    body: { environment: 'staging', pipeline_id: 'p', run_id: 'r', user: 'u' },
  });
  expect(() => fromEnvironment({}, {})).toThrow(SettingsError);
});

describe('a Lambda invoke', () => {
  test('says who asks, and maps what comes back', async () => {
    const sent: unknown[] = [];
    const invoke = async (functionName: string, payload: unknown) => {
      sent.push([functionName, payload]);
      return { config: { value: 'v' }, secrets: [] };
    };
    await createSecretsClient({ functionName: 'resolve', runToken, invoke }).get('key');
    const orchestrator = {
      functionName: 'resolve:orchestrator',
      org: 'acme',
      environment: 'staging',
      pipelineId: 'p',
    };
    await createSecretsClient({ ...orchestrator, invoke }).get('key');
    const config = { value: '{{secrets.key}}' };
    expect(sent).toEqual([
      ['resolve', { run_token: runToken, config }],
      ['resolve:orchestrator', { org: 'acme', environment: 'staging', pipeline_id: 'p', config }],
    ]);
  });

  test.each([
    [Object.assign(new Error('quotes s3cr3t'), { name: 'AccessDeniedException' }), AccessDeniedError],
    [Object.assign(new Error('quotes s3cr3t'), { name: 'ResourceNotFoundException' }), SettingsError],
    [Object.assign(new Error('quotes s3cr3t'), { name: 'RequestTooLargeException' }), LimitExceededError],
    [Object.assign(new Error('quotes s3cr3t'), { name: 'TooManyRequestsException' }), UnavailableError],
    ['no error at all s3cr3t', UnavailableError],
  ])('that fails is typed, and quotes nothing', async (thrown, type) => {
    const client = createSecretsClient({
      functionName: 'f',
      runToken,
      retry,
      invoke: () => Promise.reject(thrown),
    });
    const failure = await client.get('key').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(type);
    expect(String(failure)).not.toContain('s3cr3t');
  });

  test('asks again when the function could not answer, and only resolves', async () => {
    let count = 0;
    const invoke = async () => {
      count += 1;
      return count === 1 ? { status: 503, code: 'unavailable' } : { config: { value: 'v' } };
    };
    const client = createSecretsClient({ functionName: 'f', runToken, retry, invoke });
    expect(await client.get('key')).toBe('v');
    await expect(client.list()).rejects.toBeInstanceOf(UnsupportedError);
    await expect(client.exists('key')).rejects.toBeInstanceOf(UnsupportedError);
    const without = createSecretsClient({ functionName: 'f', runToken, retry });
    await expect(without.get('key')).rejects.toThrow('@aws-sdk/client-lambda');
  });
});
