import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  AccessDeniedError,
  type ClientOptions,
  createSecretsClient,
  fromEnvironment,
  type Invoke,
  SecretNotFoundError,
  type SecretsClient,
  UnauthenticatedError,
  UnresolvedReferencesError,
} from '../../client/main.ts';
import { auditSettled, startServer, type TestServer } from '../testkit/server.ts';

/** The TypeScript client against the server that users start. */

const pipelineId = 'letters';
const run = { pipeline_id: pipelineId, environment: 'production', user: 'ada' };
const values = { openai_api_key: 'sk-first-value-of-it', database: '{"host":"db-7.example","port":5432}' };

let server: TestServer;
let runtimeKey = '';

/** A request that must succeed. @returns its body */
async function done(method: string, path: string, body?: unknown, key?: string) {
  const reply = await server.call(method, `/api/v1${path}`, body, key);
  if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.text}`);
  return reply.body;
}

const rotate = (name: string, new_value: string, more = {}) =>
  done('POST', `/secrets/${name}/rotate`, { new_value, ...more });

/** A client with the token of a run of its own. */
async function clientOfRun(runId: string, options: ClientOptions = {}): Promise<SecretsClient> {
  const { run_token } = await done('POST', '/runs', { ...run, run_id: runId }, runtimeKey);
  return createSecretsClient({ apiUrl: server.url, runToken: run_token, ...options });
}

/** A client with the runtime key, as an orchestrator has it. */
const clientOfKey = (environment = 'production', options: ClientOptions = {}) =>
  createSecretsClient({ apiUrl: server.url, apiKey: runtimeKey, environment, pipelineId, ...options });

beforeAll(async () => {
  server = await startServer();
  const key = {
    name: 'orchestrator',
    role: 'runtime',
    pipelines: [pipelineId],
    environments: ['production'],
  };
  runtimeKey = (await done('POST', '/api-keys', key)).api_key;
  for (const [name, value] of Object.entries(values)) await done('POST', '/secrets', { name, value });
  await done('POST', '/secrets', { name: 'token', value: 'token-of-ada', scope: 'user', user: 'ada' });
});
afterAll(() => server[Symbol.asyncDispose]());

describe('what a run sees', () => {
  test('values, whole and by field, where the config names them', async () => {
    const client = await clientOfRun('run-values');
    const config = {
      stages: [
        {
          id: 'write',
          config: {
            api_key: '{{secrets.openai_api_key}}',
            port: '{{ secrets.database.port }}',
            url: 'pg://{{secrets.database.host}}:{{secrets.database.port}}/{{input.name}}',
            literal: '\\{{secrets.openai_api_key}}',
          },
        },
      ],
    };
    const resolved = await client.resolve(config);
    expect(resolved.stages[0]?.config).toEqual({
      api_key: values.openai_api_key,
      port: 5432,
      url: 'pg://db-7.example:5432/{{input.name}}',
      literal: '{{secrets.openai_api_key}}',
    });
    expect(client.redactor.redact(JSON.stringify(resolved))).not.toContain(values.openai_api_key);
  });

  test('get, exists and list', async () => {
    const client = await clientOfRun('run-get');
    expect(await client.get('openai_api_key')).toBe(values.openai_api_key);
    expect(await client.get('token')).toBe('token-of-ada');
    expect(await client.get('database')).toBe(values.database);
    expect([await client.exists('token'), await client.exists('nothing')]).toEqual([true, false]);
    const list = await client.list();
    expect(list.map(({ name }) => name)).toEqual(['database', 'openai_api_key', 'token']);
    expect(list[2]).toMatchObject({ scope: 'user', user: 'ada', version: 1 });
    expect(JSON.stringify(list)).not.toContain('token-of-ada');
  });

  test('by the variables that its host gives it', async () => {
    const variables = { FM_API_URL: server.url, FM_API_KEY: runtimeKey, FM_ENVIRONMENT: 'production' };
    const client = fromEnvironment({}, { ...variables, FM_PIPELINE_ID: pipelineId, FM_USER: 'ada' });
    expect(await client.get('token')).toBe('token-of-ada');
    const nobody = fromEnvironment({}, { ...variables, FM_PIPELINE_ID: pipelineId });
    await expect(nobody.get('token')).rejects.toBeInstanceOf(SecretNotFoundError);
  });
});

describe('rotation', () => {
  test('between two stages: a config sees it at once, pins stay', async () => {
    const client = await clientOfRun('run-rotation');
    await done('POST', '/secrets', { name: 'rotated', value: 'value-one' });
    expect(await client.resolve('{{secrets.rotated}}')).toBe('value-one');
    await rotate('rotated', 'value-two', { keep_previous_for: '1h' });
    expect(await client.resolve(['{{secrets.rotated}}', '{{secrets.rotated@1}}'])).toEqual([
      'value-two',
      'value-one',
    ]);
    expect(await client.get('rotated', { version: 1 })).toBe('value-one');
    expect(await client.get('rotated', { version: 'previous' })).toBe('value-one');
    await expect(client.get('rotated', { version: 9 })).rejects.toBeInstanceOf(SecretNotFoundError);
  });

  test('a value that is kept for a while, and `use`, which knows when it is old', async () => {
    const client = clientOfKey();
    await done('POST', '/secrets', { name: 'used', value: 'value-one' });
    expect(await client.get('used')).toBe('value-one');
    await rotate('used', 'value-two');
    expect(await client.get('used')).toBe('value-one');
    const accepting = (good: string) => (value: string) => {
      if (value !== good) throw Object.assign(new Error('refused'), { status: 401 });
      return `done with ${value.length}`;
    };
    expect(await client.use('used', accepting('value-two'))).toBe('done with 9');
    expect(await client.get('used')).toBe('value-two');
    await rotate('used', 'value-three', { keep_previous_for: '1h' });
    // Where it is used, the new one is not known yet.
    expect(await clientOfKey().use('used', accepting('value-two'))).toBe('done with 9');
  });
});

describe('what it may not have', () => {
  test('is missing: every place is told, with the nearest name, and no value', async () => {
    const client = await clientOfRun('run-missing');
    const config = {
      stages: [{ key: '{{secrets.openai_api_kye}}', url: 'x {{secrets.openai_api_key}} {{secrets.nil}}' }],
      headers: { 'x-key': 'Bearer {{secrets.openai_api_kye}}' },
    };
    const error = await client.resolve(config).catch((thrown: unknown) => thrown);
    if (!(error instanceof SecretNotFoundError)) throw new Error('no SecretNotFoundError');
    expect(error).toMatchObject({ status: 422, code: 'unresolved_references' });
    expect(error.requestId).toMatch(/^\S+$/);
    expect(error.paths.toSorted()).toEqual(['$.headers["x-key"]', '$.stages[0].key', '$.stages[0].url']);
    expect(error.names).toEqual(['openai_api_kye', 'nil']);
    expect(error.nearest.get('openai_api_kye')).toBe('openai_api_key');
    expect(String(error) + JSON.stringify(error)).not.toContain(values.openai_api_key);
    await expect(client.resolve('{{secrets.database.nothing}}')).rejects.toBeInstanceOf(
      UnresolvedReferencesError,
    );
  });

  test('is denied: another environment, another role', async () => {
    await expect(clientOfKey('staging').get('openai_api_key')).rejects.toBeInstanceOf(AccessDeniedError);
    const settings = { apiUrl: server.url, apiKey: server.adminKey, environment: 'production' };
    await expect(createSecretsClient(settings).get('openai_api_key')).rejects.toMatchObject({
      status: 403,
      code: 'forbidden',
    });
  });

  test('is over with the run: what was kept is gone too', async () => {
    const client = await clientOfRun('run-over');
    await client.get('openai_api_key');
    await done('DELETE', '/runs/run-over', undefined, runtimeKey);
    await expect(client.exists('openai_api_key')).rejects.toBeInstanceOf(UnauthenticatedError);
    await expect(client.get('openai_api_key')).rejects.toBeInstanceOf(UnauthenticatedError);
  });
});

test('fifty references are one request, and one record each', async () => {
  const names = Array.from({ length: 50 }, (_, index) => `many_${index}`);
  for (const name of names) await done('POST', '/secrets', { name, value: `value-of-${name}` });
  const client = await clientOfRun('run-many');
  const config = names.map((name) => ({ plain: `{{secrets.${name}}}`, within: `a {{secrets.${name}}} b` }));
  const resolved = await client.resolve(config);
  expect(resolved).toEqual(
    names.map((name) => ({ plain: `value-of-${name}`, within: `a value-of-${name} b` })),
  );
  expect(await Promise.all(names.map((name) => client.get(name)))).toEqual(
    names.map((name) => `value-of-${name}`),
  );
  await auditSettled(server);
  const records = await done('GET', '/secrets/audit?run_id=run-many&action=access&limit=1000');
  expect(records.map((record: { secret_name: string }) => record.secret_name).toSorted()).toEqual(
    names.toSorted(),
  );
  expect(new Set(records.map((record: { request_id: string }) => record.request_id)).size).toBe(1);
});

describe('by the resolve function', () => {
  const arn = 'arn:aws:lambda:eu-central-1:111122223333:function:resolve';

  /** Invokes the function in this process on the server's store; what passes is JSON, as between processes. */
  async function invoking(): Promise<Invoke> {
    process.env['FM_DATA_DIR'] = server.dataDir; // read as the function is loaded
    const { handler } = await import('../../functions/resolve.ts');
    return async (functionName, payload) => {
      const context = { awsRequestId: 'invoke-1', invokedFunctionArn: `${arn}${functionName}` };
      const answer = await handler(JSON.parse(JSON.stringify(payload)), context as Context);
      return JSON.parse(JSON.stringify(answer));
    };
  }

  test('with a run token', async () => {
    const { run_token } = await done('POST', '/runs', { ...run, run_id: 'run-invoke' }, runtimeKey);
    const client = createSecretsClient({ functionName: '', runToken: run_token, invoke: await invoking() });
    expect(await client.get('token')).toBe('token-of-ada');
    expect(await client.resolve({ a: ['{{secrets.database.port}}'] })).toEqual({ a: [5432] });
    const missing = await client.resolve({ a: '{{secrets.tokn}}' }).catch((error: unknown) => error);
    expect(missing).toMatchObject({ name: 'SecretNotFoundError', status: 422, requestId: 'invoke-1' });
  });

  test('as the orchestrator, which its alias alone may be', async () => {
    const settings = { org: 'default', environment: 'production', pipelineId, user: 'ada' };
    const invoke = await invoking();
    const client = createSecretsClient({ ...settings, functionName: ':orchestrator', invoke });
    expect(await client.get('token')).toBe('token-of-ada');
    const other = createSecretsClient({ ...settings, functionName: ':live', invoke });
    await expect(other.get('token')).rejects.toBeInstanceOf(AccessDeniedError);
  });
});
