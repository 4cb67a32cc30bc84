import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type CliRun, runFm } from '../../testkit/cli.ts';

/** What the stand-in for the API was asked, one entry a request. */
interface Asked {
  readonly line: string;
  readonly key: string | undefined;
  readonly body: string;
}

type Step = (response: ServerResponse, request: IncomingMessage) => void;

const CANARY = 'canary-4711';
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server on a real socket that answers one step a request, and the last one from then on. */
async function serving(...steps: readonly Step[]) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const chunks = await Array.fromAsync(request as AsyncIterable<Buffer>);
    const key = request.headers['idempotency-key'] as string | undefined;
    asked.push({ line: `${request.method} ${request.url}`, key, body: Buffer.concat(chunks).toString() });
    steps[Math.min(asked.length, steps.length) - 1]?.(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close().closeAllConnections());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const fm = (args: readonly string[], input?: string): Promise<CliRun> =>
    runFm(args, { FM_API_URL: url, FM_API_KEY: 'fmk_test' }, input);
  return { url, asked, fm };
}

function secret(name: string, more: Readonly<Record<string, unknown>> = {}) {
  const absent = { pipeline_id: null, user: null, environment: null, description: null, rotation_days: null };
  const times = { last_rotated: null, next_rotation_at: null, last_accessed_at: null, deleted_at: null };
  const created = { created_at: '2024-01-15T10:00:00Z', created_by: 'ana', last_rotated_by: null };
  return {
    name,
    scope: 'org',
    ...absent,
    metadata: {},
    version: 1,
    fingerprint: null,
    ...created,
    ...times,
    ...more,
  };
}

const answer =
  (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Step =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
const reset: Step = (_response, request) => request.socket.resetAndDestroy();

describe('a connection that breaks', () => {
  test('a write is repeated once, whole and under the same key', async () => {
    const { fm, asked } = await serving(reset, answer(secret('a')));
    expect(await fm(['secrets', 'set', 'a', '-'], CANARY)).toEqual({
      code: 0,
      stdout: 'a is stored as version 1.\n',
      stderr: '',
    });
    expect(asked).toHaveLength(2);
    expect(asked[0]).toEqual({
      line: 'PUT /api/v1/secrets/a',
      key: expect.stringMatching(/^[0-9a-f-]{36}$/),
      body: `{"value":"${CANARY}","encoding":"utf8"}`,
    });
    expect(asked[1]).toEqual(asked[0]);
  });

  test('twice, it says that the outcome is not known, and nothing of the value', async () => {
    const { fm, asked } = await serving(reset);
    const { code, stdout, stderr } = await fm(['secrets', 'rotate', 'a', CANARY]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^fm: The server cannot be reached\. [\s\S]*It is not known whether it was done/m);
    expect(stderr).not.toContain(CANARY);
    expect(asked).toHaveLength(2);
  });

  test('a refusal is not repeated, and a read carries no key', async () => {
    const problem = {
      type: 'urn:flowmason:problem:unavailable',
      title: 'Not now',
      status: 503,
      request_id: 'r-1',
    };
    const { fm, asked } = await serving(answer(problem, 503));
    const run = await fm(['secrets', 'list']);
    expect(run).toEqual({
      code: 1,
      stdout: '',
      stderr: 'fm: Not now.\nNothing was done. Try again in a moment.\nRequest id: r-1\n',
    });
    expect(asked.map(({ key }) => key)).toEqual([undefined]);
  });
});

describe('a list of several pages', () => {
  const next = (cursor: string) => ({ link: `<http://elsewhere.example/x?cursor=${cursor}>; rel="next"` });

  test('is followed to its end on our own server, and a column grows with a later page', async () => {
    const { fm, asked } = await serving(
      answer([secret('a')], 200, next('one')),
      answer([secret('a_longer_name')], 200, next('two')),
      answer([]),
    );
    expect((await fm(['secrets', 'list', '--env', 'none'])).stdout).toBe(
      [
        'NAME  SCOPE  CREATED     LAST_ROTATED',
        'a     org    2024-01-15  -',
        'a_longer_name  org    2024-01-15  -',
        '',
      ].join('\n'),
    );
    expect(asked.map(({ line }) => new URL(line.slice(4), 'http://x').searchParams.get('cursor'))).toEqual([
      null,
      'one',
      'two',
    ]);
    expect(asked.every(({ line }) => line.includes('environment=none'))).toBe(true);
  });

  test('that leads back to itself ends', async () => {
    const { fm, asked } = await serving(answer([secret('a')], 200, next('one')));
    expect(await fm(['secrets', 'list'])).toMatchObject({ code: 1, stderr: /not understood/ });
    expect(asked).toHaveLength(2);
  });
});

describe('an answer that means harm', () => {
  const hostile = secret('a', {
    description: '\u001b]0;owned\u0007\nname: b',
    metadata: { k: '\u202egpj\u009b2J' },
  });

  test('cannot steer the terminal as text', async () => {
    const { fm } = await serving(answer(hostile));
    const { stdout } = await fm(['secrets', 'get', 'a']);
    expect(stdout).toContain('description: \\u001b]0;owned\\u0007\\u000aname: b\n');
    expect(stdout).toContain('metadata:\n  k: \\u202egpj\\u009b2J\n');
  });

  test('cannot steer it as JSON either, and the JSON means the same', async () => {
    const { fm } = await serving(answer(hostile));
    const { stdout } = await fm(['secrets', 'get', 'a', '--json']);
    expect(stdout).toMatch(/^[\x20-\x7e\n]*$/);
    expect(JSON.parse(stdout)).toEqual(hostile);
  });

  test('a redirect is not followed: the key stays with its server', async () => {
    const other = await serving(answer([]));
    const { fm } = await serving(answer(null, 307, { location: `${other.url}/api/v1/secrets` }));
    expect((await fm(['secrets', 'list'])).code).toBe(1);
    expect(other.asked).toEqual([]);
  });

  test.each([
    ['is no JSON', (response: ServerResponse) => response.end('<html>')],
    ['is another JSON', answer({ name: 'a' })],
  ] as const)('an answer that %s is refused', async (_what, step) => {
    const { fm } = await serving(step);
    expect(await fm(['secrets', 'get', 'a'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: /not understood/,
    });
  });

  test('a page of a proxy in the place of a problem', async () => {
    const { fm } = await serving((response) => response.writeHead(502).end('<h1>Bad gateway</h1>'));
    expect(await fm(['secrets', 'list'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'fm: The server answered 502.\n',
    });
  });
});

describe('a command line that was not understood', () => {
  const usage = 'fm: Wrong usage. ';
  test.each([
    [
      'a value that begins with -',
      ['set', 'a', `-${CANARY}`],
      `${usage}There is an option that fm does not know.\n`,
    ],
    [
      'a value with spaces',
      ['set', 'a', 'my', CANARY],
      `${usage}There are more arguments than the command takes.\n`,
    ],
    ['a wrong choice', ['set', 'a', '--scope', CANARY], ' Allowed choices are org, pipeline, user.\n'],
    ['a mistyped option', ['set', 'a', CANARY, '--descripton', 'd'], '(Did you mean --description?)\n'],
    ['metadata that is no JSON', ['set', 'a', '--metadata', CANARY], `${usage}--metadata takes JSON`],
    [
      'bytes that are not UTF-8',
      ['set', 'a', `${CANARY}\ufffd`],
      `${usage}The VALUE is not UTF-8. Nothing was sent.\n`,
    ],
  ])('%s is not repeated', async (_what, args, said) => {
    const { fm, asked } = await serving(answer(secret('a')));
    const { code, stdout, stderr } = await fm(['secrets', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(said);
    expect(stderr).not.toContain(CANARY);
    expect(asked).toEqual([]);
  });
});

test('an option of a command is its own even where fm has one of that name', async () => {
  const { fm, asked } = await serving(answer([]));
  expect(await fm(['runs', 'list', '--secret', 'a', '--version', '2'])).toMatchObject({
    code: 0,
    stderr: '',
  });
  expect(asked.map(({ line }) => line)).toEqual([expect.stringContaining('version=2')]);
});

test('what is deleted can be restored by the command that is shown', async () => {
  const { fm } = await serving(answer([]), (response) => response.writeHead(204).end());
  const { stdout } = await fm([
    'secrets',
    'delete',
    'a',
    '--scope',
    'pipeline',
    '--pipeline',
    'p',
    '--env',
    'none',
  ]);
  expect(stdout).toMatch(/: fm secrets restore a --scope pipeline --pipeline p --env none\n$/);
});
