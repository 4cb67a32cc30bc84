import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routes } from '../../functions/routes.ts';
import { runFm } from '../testkit/cli.ts';
import { encodingsOf, findForms } from '../testkit/encodings.ts';
import { auditSettled, startServer, type TestServer } from '../testkit/server.ts';

/**
 * Values with high entropy go through every route in every place that takes one, and in places that take
 * none. They may come back from a resolve, and from nothing else. A name of a secret, of a pipeline or of a
 * key in a config is not a value and may be repeated, so canaries never stand there but where it is said.
 */
const plain = `canary${randomBytes(16).toString('hex')}`;
const hostile = `"canary\\${randomBytes(12).toString('hex')}'\n{{secrets.x}} $& %41 é😀`;
const canaries = [plain, hostile];

let server: TestServer;
let runtimeKey: string;
const answers: { what: string; text: string }[] = [];

beforeAll(async () => {
  server = await startServer();
  const key = await server.call('POST', '/api/v1/api-keys', { name: 'runtime', role: 'runtime' });
  runtimeKey = key.body.api_key;
});
afterAll(() => server[Symbol.asyncDispose]());

/** Sends a request and keeps its whole answer. */
async function send(method: string, path: string, body?: unknown, key?: string | null) {
  const reply = await server.call(method, path, body, key);
  const headers = [...reply.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
  answers.push({ what: `${method} ${path.slice(0, 60)}`, text: `${headers}\n\n${reply.text}` });
  return reply;
}

/** Sends bytes as they are, for what no client would send. */
function sendRaw(text: string): Promise<void> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => socket.end(text));
    let said = '';
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1');
    });
    socket.on('error', () => resolve());
    socket.on('close', () => {
      answers.push({ what: text.slice(0, 40), text: said });
      resolve();
    });
  });
}

function expectNowhere(what: string, bytes: Buffer): void {
  for (const [index, canary] of canaries.entries()) {
    expect(findForms(canary, bytes), `canary ${index} in ${what}`).toEqual([]);
  }
}

test('the scanner finds a canary in every form', () => {
  for (const canary of canaries) {
    for (const [name, form] of encodingsOf(canary)) {
      expect(findForms(canary, Buffer.concat([randomBytes(50), form, randomBytes(50)])), name).toContain(
        name,
      );
    }
    // Base64 of a longer text, as a log might hold it.
    for (const padding of ['', 'x', 'xy']) {
      const encoded = Buffer.from(Buffer.from(`${padding}${canary}tail`).toString('base64'));
      expect(findForms(canary, encoded).length).toBeGreaterThan(0);
    }
    expect(findForms(canary, randomBytes(5000))).toEqual([]);
  }
});

describe('values on their way', () => {
  test('are stored, rotated, resolved, and come back from a resolve alone', async () => {
    for (const [index, value] of canaries.entries()) {
      const name = `s${index}`;
      expect((await send('POST', '/api/v1/secrets', { name, value })).status).toBe(201);
      expect((await send('PUT', `/api/v1/secrets/${name}`, { value, description: 'again' })).status).toBe(
        200,
      );
      expect(
        (await send('POST', `/api/v1/secrets/${name}/rotate`, { new_value: value, reason: 'why' })).status,
      ).toBe(200);
      const bytes = Buffer.from(value).toString('base64');
      const rotated = await send('POST', `/api/v1/secrets/${name}/rotate`, {
        new_value: bytes,
        encoding: 'base64',
      });
      expect(rotated.status).toBe(200);
      expect((await send('POST', `/api/v1/secrets/${name}/rollback`, { version: 1 })).status).toBe(200);
      // The one answer that may hold it is not kept.
      const config = { a: `x{{secrets.${name}}}` };
      const answer = await server.call(
        'POST',
        '/api/v1/resolve',
        { config, environment: 'production' },
        runtimeKey,
      );
      expect(answer.body.config.a).toBe(`x${value}`);
      await send('POST', '/api/v1/resolve/check', { config, environment: 'production' }, runtimeKey);
      // A value where a header is: refused by name, without the value.
      const refused = { headers: { A: `{{secrets.${name}}}` }, other: `{{secrets.${name}.field}}` };
      await send('POST', '/api/v1/resolve', { config: refused, environment: 'production' }, runtimeKey);
    }
  });

  test('in every read afterwards', async () => {
    await auditSettled(server);
    for (const { method, path } of routes) {
      if (method !== 'GET') continue;
      const filled = path.replace('{name}', 's0').replace('{run_id}', 'none').replace('{id}', 'none');
      const query = path === '/api/v1/runs' ? '?secret_name=s0' : '';
      await send('GET', filled + query);
      await send('GET', `${filled}?cursor=${plain}`);
      await send('GET', `${filled}?${plain}=1`);
    }
  });
});

describe('values in the wrong place', () => {
  const bodies = (): [string, unknown][] => [
    ['as an unknown field', { name: 'x', value: 'v', [plain]: 1 }],
    ['as a number’s neighbour', { name: 'x', value: [plain] }],
    ['as an object', { name: 'x', value: { [plain]: plain } }],
    ['as the name', { name: `${plain} ${hostile}`, value: 'v' }],
    ['as the scope', { name: 'x', value: plain, scope: plain }],
    ['as the environment', { name: 'x', value: plain, environment: plain }],
    ['as metadata', { name: 'x', value: plain, metadata: plain }],
    ['as a metadata object', { name: 'x', value: plain, metadata: { a: { b: plain } } }],
    ['as a metadata key', { name: 'x', value: plain, metadata: { [`1${hostile}`]: 'a' } }],
    ['as metadata.environment', { name: 'x', value: plain, metadata: { environment: plain } }],
    ['as days', { name: 'x', value: plain, rotation_days: plain }],
    ['as a pipeline with scope org', { name: 'x', value: plain, pipeline_id: plain }],
    ['as a pipeline that is none', { name: 'x', value: plain, scope: 'pipeline', pipeline_id: hostile }],
    ['as encoding', { name: 'x', value: plain, encoding: plain }],
    ['as base64 that is none', { name: 'x', value: `${plain}!`, encoding: 'base64' }],
    ['too long', { name: 'x', value: plain.repeat(4000) }],
    ['half a surrogate pair', { name: 'x', value: `${plain}\ud800` }],
    ['as a list', [plain]],
    ['as the body', JSON.stringify(plain)],
    ['with a trailing comma', `{"name":"x","value":"${plain}",}`],
    ['cut off', `{"name":"x","value":"${plain}`],
    ['without JSON', plain],
    ['as a new_value beside', { new_value: plain, value: plain }],
    ['as expected_version', { new_value: 'v', expected_version: plain }],
    ['as a duration', { new_value: 'v', keep_previous_for: plain }],
    ['as a version', { version: plain }],
    ['as a config beside', { config: 'x', environment: plain, [plain]: plain }],
    ['as a reference that is none', { config: `{{secrets.${plain} ${hostile}}}`, environment: 'production' }],
    [
      'as a config too deep',
      { config: JSON.parse(`${'['.repeat(80)}"${plain}"${']'.repeat(80)}`), environment: 'production' },
    ],
    ['as a run token', { config: 'x', run_token: plain }],
    ['as a role', { name: 'k', role: plain }],
    ['as an expiry', { name: 'k', role: 'admin', expires_at: plain }],
    ['as pipelines', { name: 'k', role: 'admin', pipelines: [hostile] }],
    ['as a lifetime', { pipeline_id: 'p', environment: 'production', ttl_seconds: plain }],
  ];

  test.each(
    routes
      .filter(({ method }) => method !== 'GET')
      .map(({ name, method, path }) => [name, method, path] as const),
  )('on %s', async (_name, method, path) => {
    const filled = path
      .replace('{name}', 'not_there')
      .replace('{run_id}', 'none')
      .replace('{id}', 'A'.repeat(16));
    for (const [, body] of bodies()) {
      await send(method, filled, body);
      await send(method, filled, body, runtimeKey);
      await send(method, filled, body, null);
    }
  });

  test('in paths, queries, headers, methods and credentials', async () => {
    await send(
      'GET',
      `/api/v1/secrets?environment=${plain}&limit=${plain}&prefix=${encodeURIComponent(hostile)}`,
    );
    await send('GET', `/api/v1/secrets/audit?from=${plain}&action=${plain}`);
    await send('GET', `/${plain}`);
    await send('GET', `/api/v1/secrets/${encodeURIComponent(hostile)}`);
    await send('GET', `/api/v1/secrets/%${plain}`);
    await send('GET', '/api/v1/secrets', undefined, plain);
    await send('GET', '/api/v1/secrets', undefined, `fmk_${plain}`);
    await send('GET', '/api/v1/secrets', undefined, `fmr_${plain}.${plain}`);
    const host = new URL(server.url).host;
    const post = `POST /api/v1/secrets HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${server.adminKey}\r\nconnection: close\r\n`;
    await sendRaw(`${post}content-type: text/${plain}\r\ncontent-length: 2\r\n\r\n{}`);
    await sendRaw(
      `${post}idempotency-key: ${plain} ${plain}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
    );
    await sendRaw(`${post}content-length: ${plain}\r\n\r\n`);
    await sendRaw(`${plain} / HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    await sendRaw(`GET /${plain} HTTP/9.9\r\n\r\n`);
    await sendRaw(`${post}${plain}\r\n\r\n`);
    await sendRaw(
      `PUT /api/v1/secrets/s0 HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 90000\r\n\r\n{"value":"${plain}`,
    );
  });

  test('in the command line', async () => {
    const settings = { FM_API_URL: server.url, FM_API_KEY: server.adminKey };
    const commands: [string[], string?][] = [
      [['secrets', 'set', 'cli', plain]],
      [['secrets', 'set', 'cli', '-'], hostile],
      [['secrets', 'rotate', 'cli', plain]],
      [['secrets', 'rotate', 'not_there', plain]],
      [['secrets', 'set', 'cli', `-${plain}`]],
      [['secrets', 'set', 'cli', `--${plain}`]],
      [['secrets', 'set', 'cli', plain, plain]],
      [['secrets', 'set', 'cli', plain, '--metadata', plain]],
      [['secrets', 'set', 'cli', plain, '--rotation-days', plain]],
      [['secrets', 'set', 'cli', plain, '--scope', plain]],
      [['secrets', 'set', 'cli', plain, '--env', plain]],
      [['secrets', 'set', `${plain}!`, 'v']],
      [['secrets', 'set', 'cli', plain, '--base64']],
    ];
    for (const [args, input] of commands) {
      const { stdout, stderr } = await runFm(args, settings, input);
      answers.push({ what: `fm ${args.slice(0, 3).join(' ')}`, text: stdout + stderr });
    }
  });
});

describe('afterwards', () => {
  test('no answer held one', () => {
    expect(answers.length).toBeGreaterThan(1000);
    for (const { what, text } of answers) expectNowhere(what, Buffer.from(text));
  });

  const files = () =>
    readdirSync(server.dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));

  test('no file of the data dir and no line of the server holds one, while it runs and after it ended', async () => {
    await auditSettled(server);
    for (const file of files()) expectNowhere(file, readFileSync(file));
    // A purge must not leave one behind either.
    await send('DELETE', '/api/v1/secrets/s0?recovery_days=0');
    for (const file of files()) expectNowhere(file, readFileSync(file));
    await server.stop('SIGTERM');
    expect(files().length).toBeGreaterThanOrEqual(3);
    for (const file of files()) expectNowhere(file, readFileSync(file));
    expectNowhere('what the server said', Buffer.from(server.said()));
  });
});
