import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routes } from '../../functions/routes.ts';
import { runFm } from '../testkit/cli.ts';
import { encodingsOf, findForms } from '../testkit/encodings.ts';
import { misplaced } from '../testkit/misplaced.ts';
import { RawClient } from '../testkit/raw-client.ts';
import { auditSettled, startServer, type TestServer } from '../testkit/server.ts';
import { tally } from '../testkit/tally.ts';

/**
 * Values with high entropy go through every route in every place that takes one, and in places that take
 * none. They may come back from a resolve, and from nothing else.
 *
 * What a user is shown again by design is no value, and canaries do not stand there but where a rule refuses
 * them: names, descriptions, reasons, metadata, ids of pipelines, users and runs, the keys of a config (they are
 * the paths of an error), and in the `Link` of a next page the query that was asked.
 */
const word = `canary${randomBytes(16).toString('hex')}`;
const canaries = [
  word,
  // As cloud providers make them: + and / and = must not hide it.
  `${randomBytes(30).toString('base64')}+/=`,
  `"canary\\${randomBytes(12).toString('hex')}'\n{{secrets.x}} $& %41 é😀`,
  // JSON, whose fields references take.
  `{"password":"${randomBytes(16).toString('hex')}","list":[1]}`,
];
const header = (text: string) => text.replace(/[^\x21-\x7e]/g, '');

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
async function sendRaw(text: string): Promise<void> {
  using client = new RawClient(server.url);
  client.send(text);
  client.end();
  await client.closed;
  answers.push({ what: text.slice(0, 40), text: client.received().toString('latin1') });
}

const FORMS = encodingsOf('x').size;

function expectNowhere(what: string, bytes: Buffer): void {
  for (const [index, canary] of canaries.entries()) {
    expect(findForms(canary, bytes), `canary ${index} in ${what}`).toEqual([]);
    tally('searches for one form of a canary', FORMS);
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
      // A line break where a header is, and fields that it has not: refused by name, without the value.
      const refused = {
        headers: { A: `{{secrets.${name}}}\n` },
        other: `{{secrets.${name}.password.deeper}}{{secrets.${name}.list.7}}{{secrets.${name}.none}}`,
      };
      const bad = await send(
        'POST',
        '/api/v1/resolve',
        { config: refused, environment: 'production' },
        runtimeKey,
      );
      expect(bad.status).toBe(422);
    }
  });

  test('in every read afterwards', async () => {
    await auditSettled(server);
    for (const { method, path } of routes) {
      if (method !== 'GET') continue;
      const filled = path.replace('{name}', 's0').replace('{run_id}', 'none').replace('{id}', 'none');
      const query = path === '/api/v1/runs' ? '?secret_name=s0' : '';
      await send('GET', filled + query);
      for (const canary of canaries) {
        await send('GET', `${filled}?cursor=${encodeURIComponent(canary)}`);
        await send('GET', `${filled}?value=${encodeURIComponent(canary)}`);
        await send('GET', `${filled}?${encodeURIComponent(canary)}=1`);
      }
    }
  });
});

describe('values in the wrong place', () => {
  const writing = routes
    .filter(({ method }) => method !== 'GET')
    .map(({ name, method, path }) => {
      const filled = path
        .replace('{name}', 'not_there')
        .replace('{run_id}', 'none')
        .replace('{id}', 'A'.repeat(16));
      return [name, method, filled] as const;
    });

  test.each(writing)('on %s', async (_name, method, path) => {
    for (const canary of canaries) {
      for (const [, body] of misplaced(canary)) {
        await send(method, path, body);
        await send(method, path, body, runtimeKey);
        await send(method, path, body, null);
      }
      await send(method, `${path}?value=${encodeURIComponent(canary)}`, {});
      await send(method, `${path}?${encodeURIComponent(canary)}`, {});
    }
  });

  test('in paths, queries and credentials', async () => {
    for (const canary of canaries) {
      const encoded = encodeURIComponent(canary);
      await send('GET', `/api/v1/secrets?environment=${encoded}&limit=${encoded}&prefix=${encoded}`);
      await send('GET', `/api/v1/secrets?due_within_days=${encoded}&deleted=${encoded}&scope=${encoded}`);
      await send('GET', `/api/v1/secrets/s0?environment=${encoded}`);
      await send('GET', `/api/v1/secrets/audit?from=${encoded}&action=${encoded}&days=${encoded}`);
      await send('DELETE', `/api/v1/secrets/none?recovery_days=${encoded}`);
      await send('GET', `/${encoded}`);
      await send('POST', `/api/v1/${encoded}`, { value: canary });
      await send('PURGE', '/api/v1/secrets', { value: canary });
      await send('GET', `/api/v1/secrets/${encoded}%20`);
      await send('GET', `/api/v1/secrets/%${encoded}`);
      await send('GET', '/api/v1/secrets', undefined, header(canary));
      await send('GET', '/api/v1/secrets', undefined, `fmk_${header(canary)}`);
      await send('GET', '/api/v1/secrets', undefined, `fmr_${header(canary)}.${header(canary)}`);
    }
  });

  test('in headers, methods and where nothing is', async () => {
    const host = new URL(server.url).host;
    const json = 'content-type: application/json\r\n';
    const post = `POST /api/v1/secrets HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${server.adminKey}\r\nconnection: close\r\n`;
    for (const [index, canary] of canaries.entries()) {
      const text = header(canary);
      await sendRaw(`${post}content-type: text/${text}\r\ncontent-length: 2\r\n\r\n{}`);
      for (const name of ['user-agent', 'referer', 'origin', 'cookie', 'x-request-id', 'x-forwarded-for'])
        await sendRaw(`${post}${json}${name}: ${text}\r\ncontent-length: 2\r\n\r\n{}`);
      await sendRaw(`${post}${json}idempotency-key: ${text} ${text}\r\ncontent-length: 2\r\n\r\n{}`);
      // One that is taken, and kept to recognize the same request again.
      const body = JSON.stringify({ name: `once${index}`, value: canary });
      const once = `${post}${json}idempotency-key: ${text}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
      await sendRaw(once);
      await sendRaw(once);
      expect(answers.at(-2)?.text).toMatch(/^HTTP\/1.1 201/);
      expect(answers.at(-1)?.text).toMatch(/^HTTP\/1.1 201.*idempotency-replayed/s);
      await sendRaw(once.replace(/once\d/, 'other'));
      expect(answers.at(-1)?.text).toMatch(/^HTTP\/1.1 409/);
      await sendRaw(`GET /api/v1/secrets HTTP/1.1\r\nhost: ${host}\r\nauthorization: Basic ${text}\r\n\r\n`);
      await sendRaw(`${post}content-length: ${text}\r\n\r\n`);
      await sendRaw(`${text} / HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
      await sendRaw(`GET /${text} HTTP/9.9\r\n\r\n`);
      await sendRaw(`${post}${text}\r\n\r\n`);
      await sendRaw(`${post}x-value: ${'a'.repeat(20_000)}${text}\r\n\r\n`);
      await sendRaw(
        `PUT /api/v1/secrets/s0 HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 90000\r\n\r\n{"value":"${canary}`,
      );
    }
  });

  test('in the command line', async () => {
    const settings = { FM_API_URL: server.url, FM_API_KEY: server.adminKey };
    const commands = canaries.flatMap((value): [string[], string?][] => [
      [['secrets', 'set', 'cli', '--', value]],
      [['secrets', 'set', 'cli', '-'], value],
      [['secrets', 'rotate', 'cli', '--json', '--', value]],
      [['secrets', 'rotate', 'not_there', '--', value]],
      [['secrets', 'set', 'cli', `--${value}`]],
      [['secrets', 'set', 'cli', value, value]],
      [['secrets', 'set', 'cli', 'v', '--metadata', value]],
      [['secrets', 'set', 'cli', '--rotation-days', value], value],
      [['secrets', 'set', 'cli', '--scope', value], value],
      [['secrets', 'set', 'cli', '--env', value], value],
      [['secrets', 'set', `${value} !`, 'v']],
      [['secrets', 'set', 'cli', '--base64', '--', `!${value}`]],
    ]);
    for (const [args, input] of commands) {
      const { stdout, stderr } = await runFm(args, settings, input);
      answers.push({ what: `fm ${args.slice(0, 3).join(' ')}`, text: stdout + stderr });
    }
    // The credential is no less a secret.
    const { code, stdout, stderr } = await runFm(['secrets', 'list'], { ...settings, FM_API_KEY: word });
    expect(code).toBe(4);
    answers.push({ what: 'fm with a wrong key', text: stdout + stderr });
  });
});

describe('afterwards', () => {
  test('no answer held one', () => {
    expect(answers.length).toBeGreaterThan(5000);
    for (const { what, text } of answers) expectNowhere(what, Buffer.from(text));
    tally('answers of routes, errors and commands', answers.length);
  });

  function expectClean(): void {
    const files = readdirSync(server.dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    expect(files.map((file) => relative(server.dataDir, file))).toEqual(
      expect.arrayContaining(['admin.json', 'keyring.json', 'store.db']),
    );
    for (const file of files) expectNowhere(file, readFileSync(file));
    expectNowhere('what the server said', Buffer.from(server.said()));
  }

  test('no file of the data dir and no line of the server holds one: while it runs', async () => {
    await auditSettled(server);
    expectClean();
    // A purge must not leave one behind either.
    await server.call('DELETE', '/api/v1/secrets/s0?recovery_days=0');
    expectClean();
  });

  test('after SIGTERM', async () => {
    expect(await server.stop('SIGTERM')).toBe(0);
    expectClean();
  });

  test('after SIGKILL, in the middle of writes', async () => {
    server = await startServer(server.dataDir);
    const writes = Array.from({ length: 40 }, (_, index) =>
      server
        .call('PUT', `/api/v1/secrets/late${index % 8}`, { value: canaries[index % canaries.length] })
        .catch(() => undefined),
    );
    await writes[0];
    await server.stop('SIGKILL');
    await Promise.all(writes);
    // What was not yet moved to the store lies here.
    expect(existsSync(join(server.dataDir, 'store.db-wal'))).toBe(true);
    expectClean();
  });
});
