import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runFm, runLine } from '../testkit/cli.ts';
import { auditSettled, startServer, type TestServer } from '../testkit/server.ts';

/** Every example of the product's own page, as it is written there. */

// The page's own values are too short to be taken out of logs, and stand in the command: fm says so.
const NOTES = /^((fm: [Tt]he|Nobody) .*\n)*$/;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

let server: TestServer;
let runtimeKey: string;

beforeAll(async () => {
  server = await startServer();
  const key = await server.call('POST', '/api/v1/api-keys', { name: 'orchestrator', role: 'runtime' });
  runtimeKey = key.body.api_key;
});
afterAll(() => server[Symbol.asyncDispose]());

const resolve = (body: Record<string, unknown>) => server.call('POST', '/api/v1/resolve', body, runtimeKey);
const fm = (...args: string[]) => runFm(args, { FM_API_URL: server.url, FM_API_KEY: server.adminKey });

describe('over HTTP', () => {
  test('create a secret', async () => {
    const created = await server.call('POST', '/api/v1/secrets', {
      name: 'openai_api_key',
      value: 'sk-first',
      description: 'OpenAI API key for content generation',
      scope: 'org',
      metadata: { provider: 'openai', environment: 'production' },
    });
    expect(created.status).toBe(201);
    expect(created.body).toEqual({
      name: 'openai_api_key',
      scope: 'org',
      pipeline_id: null,
      user: null,
      environment: 'production',
      description: 'OpenAI API key for content generation',
      metadata: { provider: 'openai', environment: 'production' },
      version: 1,
      created_at: expect.stringMatching(RFC_3339),
      created_by: 'first admin key',
      last_rotated: null,
      last_rotated_by: null,
      rotation_days: null,
      next_rotation_at: null,
      fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
      state: 'settled',
      previous: null,
      pending: null,
      rotator: null,
      rotation: null,
      last_accessed_at: null,
      deleted_at: null,
    });
  });

  test('use it in a pipeline, rotate it, and the same pipeline gets the new value', async () => {
    const config = {
      stages: [
        {
          id: 'generator',
          component_type: 'generator',
          config: { api_key: '{{secrets.openai_api_key}}', model: 'gpt-4' },
        },
      ],
    };
    const run = { config, environment: 'production', pipeline_id: 'content-generator', run_id: 'run_abc123' };
    const first = await resolve(run);
    expect(first.status).toBe(200);
    expect(first.body.config.stages[0].config).toEqual({ api_key: 'sk-first', model: 'gpt-4' });
    expect(first.body.secrets).toEqual([
      { name: 'openai_api_key', version: 1, scope: 'org', environment: 'production' },
    ]);

    const rotated = await server.call('POST', '/api/v1/secrets/openai_api_key/rotate', {
      new_value: 'new-secret-value',
      reason: 'Scheduled rotation',
    });
    expect([rotated.status, rotated.body.version]).toEqual([200, 2]);
    expect((await resolve(run)).body.config.stages[0].config.api_key).toBe('new-secret-value');
  });

  test('the history of its rotations', async () => {
    const history = await server.call('GET', '/api/v1/secrets/openai_api_key/history');
    expect(history.body).toMatchObject([
      {
        rotated_at: expect.stringMatching(RFC_3339),
        rotated_by: 'first admin key',
        reason: 'Scheduled rotation',
      },
      {
        rotated_at: expect.stringMatching(RFC_3339),
        rotated_by: 'first admin key',
        reason: 'Initial creation',
      },
    ]);
  });

  test('the audit log', async () => {
    await auditSettled(server);
    const audit = await server.call('GET', '/api/v1/secrets/audit?secret_name=openai_api_key&days=7');
    expect(audit.status).toBe(200);
    expect(audit.body).toContainEqual(
      expect.objectContaining({
        timestamp: expect.stringMatching(RFC_3339),
        action: 'access',
        secret_name: 'openai_api_key',
        pipeline_id: 'content-generator',
        run_id: 'run_abc123',
        ip_address: '127.0.0.1',
        outcome: 'success',
      }),
    );
    expect(audit.body).toContainEqual(
      expect.objectContaining({ action: 'rotate', secret_name: 'openai_api_key', user: 'first admin key' }),
    );
    const times = audit.body.map(({ timestamp }: { timestamp: string }) => timestamp);
    expect(times).toEqual(times.toSorted().toReversed());
  });

  test('a secret of one pipeline is that pipeline’s alone', async () => {
    const created = await server.call('POST', '/api/v1/secrets', {
      name: 'webhook_token',
      value: 'secret-token',
      scope: 'pipeline',
      pipeline_id: 'my-pipeline-id',
    });
    expect(created.status).toBe(201);
    const config = { webhook_url: 'https://api.example.com/hook?token={{secrets.webhook_token}}' };
    const mine = await resolve({ config, environment: 'staging', pipeline_id: 'my-pipeline-id' });
    expect(mine.body.config.webhook_url).toBe('https://api.example.com/hook?token=secret-token');
    const other = await resolve({ config, environment: 'staging', pipeline_id: 'other' });
    expect([other.status, other.body.code]).toEqual([422, 'unresolved_references']);
    expect(other.body.references[0]).toMatchObject({ name: 'webhook_token', paths: ['$.webhook_url'] });
  });

  test('references in headers and in whole strings', async () => {
    const values = { api_token: 'T', service_key: 'K', database_connection_string: 'postgres://db' };
    for (const [name, value] of Object.entries(values)) {
      expect((await server.call('POST', '/api/v1/secrets', { name, value })).status).toBe(201);
    }
    const config = {
      id: 'api_call',
      component_type: 'http_request',
      config: {
        url: 'https://api.example.com/data',
        headers: { Authorization: 'Bearer {{secrets.api_token}}', 'X-API-Key': '{{secrets.service_key}}' },
        database_url: '{{secrets.database_connection_string}}',
        prompt: '{{input.topic}}',
      },
    };
    const answer = await resolve({ config, environment: 'production' });
    expect(answer.body.config.config).toEqual({
      url: 'https://api.example.com/data',
      headers: { Authorization: 'Bearer T', 'X-API-Key': 'K' },
      database_url: 'postgres://db',
      prompt: '{{input.topic}}',
    });
  });
});

describe('by the command line', () => {
  test('create, list, get, rotate, delete', async () => {
    expect(await fm('secrets', 'set', 'anthropic_key', 'sk-...', '--description', 'Anthropic')).toMatchObject(
      {
        code: 0,
        stdout: 'anthropic_key is stored as version 1.\n',
        stderr: expect.stringMatching(NOTES),
      },
    );
    const metadata = '{"provider": "openai", "tier": "team"}';
    const set = await fm(
      'secrets',
      'set',
      'openai_key',
      'sk-...',
      '--description',
      'for content',
      '--metadata',
      metadata,
    );
    expect(set.code).toBe(0);

    const list = await fm('secrets', 'list');
    const [header, ...rows] = list.stdout.trimEnd().split('\n');
    expect(header).toMatch(/^NAME +SCOPE +CREATED +LAST_ROTATED$/);
    const columns = rows.map((row) => row.split(/ {2,}/));
    const today = new Date().toISOString().slice(0, 10);
    expect(columns).toContainEqual(['anthropic_key', 'org', expect.stringMatching(/^\d{4}-\d\d-\d\d$/), '-']);
    expect(columns).toContainEqual(['webhook_token', 'pipeline', today, '-']);
    expect(columns).toContainEqual(['openai_api_key', 'org', today, today]);
    expect(columns.map(([name]) => name)).toEqual(columns.map(([name]) => name).toSorted());

    const get = await fm('secrets', 'get', 'openai_key');
    const lines = get.stdout
      .replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')
      .trimEnd()
      .split('\n');
    expect(lines).toEqual([
      'name: openai_key',
      'scope: org',
      'created_at: TIME',
      'created_by: first admin key',
      'last_rotated: -',
      'description: for content',
      'metadata:',
      '  provider: openai',
      '  tier: team',
      'version: 1',
    ]);

    expect((await fm('secrets', 'rotate', 'anthropic_key', 'sk-new-key...')).stdout).toBe(
      'anthropic_key is rotated to version 2.\n',
    );
    expect((await fm('secrets', 'delete', 'anthropic_key')).code).toBe(0);
    const gone = await fm('secrets', 'get', 'anthropic_key');
    expect([gone.code, gone.stdout]).toEqual([3, '']);
    expect((await fm('secrets', 'restore', 'anthropic_key')).code).toBe(0);
  });

  test('one name, a value for each environment', async () => {
    const urls = {
      development: 'postgres://localhost/dev',
      staging: 'postgres://staging.db/app',
      production: 'postgres://prod.db/app',
    };
    for (const [environment, url] of Object.entries(urls)) {
      expect((await fm('secrets', 'set', 'db_url', url, '--env', environment)).code).toBe(0);
    }
    for (const [environment, url] of Object.entries(urls)) {
      const answer = await resolve({ config: { database_url: '{{secrets.db_url}}' }, environment });
      expect(answer.body.config.database_url).toBe(url);
    }
    const ambiguous = await fm('secrets', 'get', 'db_url');
    expect(ambiguous.code).toBe(5);
    expect(ambiguous.stderr).toContain('--scope org --env staging');
    expect((await fm('secrets', 'get', 'db_url', '--env', 'staging')).stdout).toContain(
      'environment: staging',
    );
  });

  test.each([
    ['stripe_live_api_key', 'sk_live_...'],
    ['sendgrid_production_key', 'SG....'],
    ['my_key', 'value', '--rotation-days', '90'],
    ['webhook_token', 'token', '--scope', 'pipeline', '--pipeline', 'my-pipeline'],
  ])('fm secrets set %s', async (...args) => {
    expect((await fm('secrets', 'set', ...args)).code).toBe(0);
  });

  test('the settings come from admin.json on the same machine', async () => {
    const run = await runFm(['secrets', 'get', 'my_key', '--json'], { FM_DATA_DIR: server.dataDir });
    expect(JSON.parse(run.stdout)).toMatchObject({ name: 'my_key', rotation_days: 90 });
  });
});

describe('the lines of the page, as a reader types them', () => {
  // Each section on a server of its own, in the page's order, through the package's own `fm`.
  test.each([
    [
      'the CLI commands',
      [
        ['fm secrets set openai_api_key "sk-..." --description "OpenAI API key"', /version 1/],
        [
          'fm secrets list',
          /^NAME +SCOPE +CREATED +LAST_ROTATED\nopenai_api_key +org +\d{4}-\d\d-\d\d +-\n$/,
        ],
        [
          'fm secrets get openai_api_key',
          /^name: openai_api_key\nscope: org\ncreated_at: .*OpenAI API key\n/s,
        ],
        ['fm secrets rotate openai_api_key "sk-new-key..."', /version 2/],
        ['fm secrets list', /\nopenai_api_key +org +\d{4}-\d\d-\d\d +\d{4}-\d\d-\d\d\n$/],
        ['fm secrets delete openai_api_key', /is deleted/],
        ['fm secrets list', /^NAME +SCOPE +CREATED +LAST_ROTATED\n$/],
      ],
    ],
    [
      'the best practices',
      [
        ['fm secrets set stripe_live_api_key "sk_live_..."', /version 1/],
        [
          `fm secrets set openai_key "sk-..." \\
--description "OpenAI API key for content generation" \\
--metadata '{"provider": "openai", "tier": "team"}'`,
          /version 1/,
        ],
        ['fm secrets get openai_key', /\nmetadata:\n {2}provider: openai\n {2}tier: team\n/],
        ['fm secrets set my_key "value" --rotation-days 90', /version 1/],
        ['fm secrets rotate my_key "new-value"', /version 2/],
        ['fm secrets set webhook_token "token" --scope pipeline --pipeline my-pipeline', /version 1/],
      ],
    ],
  ] as const)('%s', async (_section, lines) => {
    await using fresh = await startServer();
    for (const [line, expected] of lines) {
      const settings = { FM_API_URL: fresh.url, FM_API_KEY: fresh.adminKey };
      const { code, stdout, stderr } = await runLine(`npx ${line}`, settings);
      expect([code, stderr], line).toEqual([0, expect.stringMatching(NOTES)]);
      expect(stdout, line).toMatch(expected);
    }
  });
});

test('a run: its token resolves what is its own, until it ends', async () => {
  const started = await server.call(
    'POST',
    '/api/v1/runs',
    { pipeline_id: 'my-pipeline-id', environment: 'production', run_id: 'run_1' },
    runtimeKey,
  );
  expect(started.status).toBe(201);
  const token = started.body.run_token;
  const config = ['{{secrets.webhook_token}}', '{{secrets.openai_api_key}}'];
  const answer = await server.call('POST', '/api/v1/resolve', { config }, token);
  expect(answer.body.config).toEqual(['secret-token', 'new-secret-value']);
  const elsewhere = await server.call('POST', '/api/v1/resolve', { config, environment: 'staging' }, token);
  expect(elsewhere.status).toBe(403);
  await auditSettled(server);
  const used = await server.call('GET', '/api/v1/runs/run_1');
  expect(used.body.secrets.map(({ name }: { name: string }) => name)).toEqual([
    'webhook_token',
    'openai_api_key',
  ]);
  expect((await server.call('DELETE', '/api/v1/runs/run_1', undefined, token)).status).toBe(204);
  expect((await server.call('POST', '/api/v1/resolve', { config }, token)).status).toBe(401);
  await auditSettled(server);
  const denied = await server.call('GET', '/api/v1/secrets/audit?run_id=run_1&action=denied');
  const reasons = denied.body.map(({ reason }: { reason: string }) => reason);
  expect(reasons).toEqual([
    'The run has ended',
    'The request names another environment, pipeline, user or run than its run token.',
  ]);
});

test('the page from top to bottom, on one server: it speaks of one secret', async () => {
  const own = await startServer();
  const fmOwn = (...args: string[]) => runFm(args, { FM_API_URL: own.url, FM_API_KEY: own.adminKey });
  await own.call('POST', '/api/v1/secrets', {
    name: 'openai_api_key',
    value: 'sk-...',
    description: 'OpenAI API key for content generation',
    scope: 'org',
    metadata: { provider: 'openai', environment: 'production' },
  });
  expect(
    (await fmOwn('secrets', 'set', 'openai_api_key', 'sk-...', '--description', 'OpenAI API key')).code,
  ).toBe(0);
  expect((await fmOwn('secrets', 'list')).stdout.trimEnd().split('\n')).toHaveLength(2);
  const get = await fmOwn('secrets', 'get', 'openai_api_key');
  expect(get.stdout).toMatch(
    /description: OpenAI API key\nmetadata:\n {2}provider: openai\n {2}environment: production\n/,
  );
  expect((await fmOwn('secrets', 'rotate', 'openai_api_key', 'sk-new-key...')).code).toBe(0);
  expect((await fmOwn('secrets', 'delete', 'openai_api_key')).code).toBe(0);
  // Only who says so gets a second one.
  expect((await fmOwn('secrets', 'restore', 'openai_api_key')).code).toBe(0);
  expect((await fmOwn('secrets', 'set', 'openai_api_key', 'sk-all', '--env', 'none')).code).toBe(0);
  expect((await fmOwn('secrets', 'list')).stdout.trimEnd().split('\n')).toHaveLength(3);
  await own[Symbol.asyncDispose]();
});
