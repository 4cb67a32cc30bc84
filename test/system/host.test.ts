import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterEach, describe, expect, test } from 'vitest';
import { recoveryBy } from '../../shared/backup/recovery.ts';
import { environmentName, organizationId } from '../../shared/contract/ids.ts';
import { runFm } from '../testkit/cli.ts';
import { RawClient, requestHead } from '../testkit/raw-client.ts';
import {
  auditSettled,
  environmentOf,
  eventually,
  newDataDir,
  startServer,
  type TestServer,
} from '../testkit/server.ts';

const started: TestServer[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server[Symbol.asyncDispose]();
});

async function start(dataDir?: string, settings?: Record<string, string>): Promise<TestServer> {
  const server = await startServer(dataDir, settings);
  started.push(server);
  return server;
}

/** Starts a server that must not come up. @returns how it ended and what it said */
function refusedStart(
  dataDir: string,
  settings: Record<string, string>,
): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['infra/local/server.ts'], {
      env: environmentOf({ FM_DATA_DIR: dataDir, FM_PORT: '0', ...settings }),
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.once('close', (code) => resolve({ code, said }));
  });
}

/** An ordinary stop, and what is left in the folder. */
async function stopped(server: TestServer): Promise<string> {
  expect(await server.stop('SIGTERM')).toBe(0);
  return server.dataDir;
}

describe('the first start', () => {
  test('makes private files, an organization and a key that is shown once', async () => {
    const server = await start(join(newDataDir(), 'deeper'));
    expect(statSync(server.dataDir).mode & 0o777).toBe(0o700);
    const files = readdirSync(server.dataDir, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(files.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['admin.json', 'keyring.json', 'store.db']),
    );
    for (const { parentPath, name } of files)
      expect(statSync(join(parentPath, name)).mode & 0o777, name).toBe(0o600);
    const admin = JSON.parse(readFileSync(join(server.dataDir, 'admin.json'), 'utf8'));
    expect(admin).toEqual({ api_url: server.url, api_key: server.adminKey, org: 'default' });
    expect(server.said().split(server.adminKey)).toHaveLength(2);
  });

  test('and the second shows none, keeps what was stored, and keeps the address in admin.json true', async () => {
    const first = await start();
    await first.call('POST', '/api/v1/secrets', { name: 'kept', value: 'v' });
    const second = await start(await stopped(first));
    expect(second.said()).not.toContain('fmk_');
    expect(second.adminKey).toBe(first.adminKey);
    expect(JSON.parse(readFileSync(join(second.dataDir, 'admin.json'), 'utf8')).api_url).toBe(second.url);
    expect((await second.call('GET', '/api/v1/secrets/kept')).status).toBe(200);
  });
});

test('each data key is wrapped a second time, for the recovery recipient', async () => {
  const identity = await generateIdentity();
  const server = await start(undefined, { FM_RECOVERY_RECIPIENT: await identityToRecipient(identity) });
  expect(server.said()).not.toContain('No recovery key');
  await server.call('POST', '/api/v1/secrets', { name: 'kept', value: 'v', environment: 'production' });
  const store = new DatabaseSync(join(await stopped(server), 'store.db'), { readOnly: true });
  const rows = store.prepare('SELECT id, recovery FROM data_keys').all();
  store.close();
  expect(rows).toHaveLength(1);
  for (const { id, recovery } of rows) {
    const context = {
      org: organizationId.parse('default'),
      environment: environmentName.parse('production'),
      data_key: String(id),
    };
    expect(await recoveryBy(identity)(recovery as Uint8Array, context)).toHaveLength(32);
  }
});

describe('a start is refused in one line', () => {
  test.each([
    ['another host without TLS', { FM_HOST: '0.0.0.0' }, 'FM_TLS_CERT and FM_TLS_KEY'],
    ['a name that could mean any host', { FM_HOST: 'example.com' }, 'not loopback'],
    ['half of TLS', { FM_TLS_CERT: '/x' }, 'must be set together'],
    ['a port that is none', { FM_PORT: 'http' }, 'FM_PORT'],
    ['a recovery recipient that is none', { FM_RECOVERY_RECIPIENT: 'AGE-SECRET-KEY-1X' }, 'age-keygen'],
    ['a mistyped recovery recipient', { FM_RECOVERY_RECIPIENT: `age1${'q'.repeat(58)}` }, 'FM_RECOVERY'],
    ['an environment that is none', { FM_ENVIRONMENTS: 'Prod' }, 'FM_ENVIRONMENTS'],
  ])('%s', async (_what, settings, reason) => {
    const { code, said } = await refusedStart(newDataDir(), settings);
    expect(code).toBe(1);
    expect(said).toContain(reason);
    expect(said.trimEnd().split('\n')).toHaveLength(1);
  });

  test('a port that is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { code, said } = await refusedStart(newDataDir(), { FM_PORT: String(port) });
    other.close();
    expect([code, said]).toEqual([1, expect.stringContaining('FM_PORT')]);
  });

  test('a store without its keyring, a keyring that others can read, a keyring that is none', async () => {
    const dataDir = await stopped(await start());
    const keyring = join(dataDir, 'keyring.json');
    renameSync(keyring, `${keyring}.away`);
    const missing = await refusedStart(dataDir, {});
    expect([missing.code, missing.said]).toEqual([1, expect.stringContaining('FM_KEYRING')]);
    expect(existsSync(keyring)).toBe(false);

    renameSync(`${keyring}.away`, keyring);
    chmodSync(keyring, 0o644);
    const shared = await refusedStart(dataDir, {});
    expect([shared.code, shared.said]).toEqual([1, expect.stringContaining(`chmod 600 ${keyring}`)]);

    chmodSync(keyring, 0o600);
    const other = await refusedStart(dataDir, { FM_KEYRING: join(dataDir, 'admin.json') });
    expect([other.code, other.said]).toEqual([1, expect.stringContaining('is not a keyring')]);
  });
});

describe('where things live', () => {
  test('the keyring and the checkpoints can lie elsewhere than the store', async () => {
    const elsewhere = newDataDir();
    const settings = {
      FM_KEYRING: join(elsewhere, 'k.json'),
      FM_CHECKPOINT_DIR: join(elsewhere, 'checkpoints'),
    };
    const server = await start(undefined, settings);
    expect((await server.call('POST', '/api/v1/secrets', { name: 'a', value: 'v' })).status).toBe(201);
    const again = await start(await stopped(server), settings);
    expect(existsSync(join(again.dataDir, 'keyring.json'))).toBe(false);
    expect(existsSync(settings.FM_KEYRING)).toBe(true);
    // It is made beside the requests, once the server is up.
    await eventually(async () => existsSync(settings.FM_CHECKPOINT_DIR));
    expect(readdirSync(settings.FM_CHECKPOINT_DIR)).toEqual(['default']);
  });

  test('two at once on the same folder: both see every write, and each leaves one record', async () => {
    const first = await start();
    const second = await start(first.dataDir);
    const asked = Array.from({ length: 100 }, (_, index) =>
      (index % 2 === 0 ? first : second).call('PUT', `/api/v1/secrets/n${index % 5}`, { value: `v${index}` }),
    );
    for (const { status } of await Promise.all(asked)) expect([200, 201]).toContain(status);
    for (const server of [first, second]) {
      const versions = (await server.call('GET', '/api/v1/secrets')).body.map(
        ({ version }: { version: number }) => version,
      );
      expect(versions).toEqual([20, 20, 20, 20, 20]);
      await auditSettled(server);
      const of = async (action: string) =>
        (await server.call('GET', `/api/v1/secrets/audit?action=${action}&limit=1000`)).body.length;
      expect([await of('create'), await of('rotate')]).toEqual([5, 95]);
      expect((await server.call('GET', '/api/v1/secrets/audit/verify')).body.verified).toBe(true);
    }
  });

  test('an organization of its own for each, and nothing crosses', async () => {
    const server = await start();
    await server.call('POST', '/api/v1/secrets', { name: 'mine', value: 'v' });
    const made = await runFm(['admin', 'org', 'create', 'acme', '--json'], { FM_DATA_DIR: server.dataDir });
    expect(made.code).toBe(0);
    const { api_key } = JSON.parse(made.stdout);
    expect((await server.call('GET', '/api/v1/secrets', undefined, api_key)).body).toEqual([]);
    expect((await server.call('GET', '/api/v1/secrets/mine', undefined, api_key)).status).toBe(404);
    const twice = await runFm(['admin', 'org', 'create', 'acme'], { FM_DATA_DIR: server.dataDir });
    expect([twice.code, twice.stdout]).toEqual([5, '']);
    const nowhere = await runFm(['admin', 'org', 'create', 'acme'], {
      FM_DATA_DIR: join(newDataDir(), 'none'),
    });
    expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('There is no store')]);
  });
});

test('TLS: it serves https with the certificate that it is given', async () => {
  const folder = newDataDir();
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const made = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '1',
  ];
  execFileSync('openssl', [...made, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
  const server = await start(undefined, { FM_TLS_CERT: cert, FM_TLS_KEY: key });
  expect(server.url).toMatch(/^https:/);
  const answer = await new Promise<{ status: number | undefined; protocol: string | null }>(
    (resolve, reject) => {
      const asked = request(`${server.url}/health`, { ca: readFileSync(cert) }, (response) => {
        const socket = response.socket as import('node:tls').TLSSocket;
        resolve({ status: response.statusCode, protocol: socket.getProtocol() });
        response.resume();
      });
      asked.once('error', reject);
      asked.end();
    },
  );
  expect(answer).toEqual({ status: 200, protocol: 'TLSv1.3' });
});

describe('SIGTERM', () => {
  test('what was acknowledged before is there afterwards', async () => {
    const server = await start();
    await server.call('POST', '/api/v1/secrets', { name: 'a', value: 'v' });
    const asked = Array.from({ length: 20 }, (_, index) =>
      server.call('POST', '/api/v1/secrets/a/rotate', { new_value: `w${index}` }),
    );
    // The first answer tells that the others are under way.
    await Promise.race(asked);
    const ended = server.stop('SIGTERM');
    const statuses = (await Promise.allSettled(asked)).map((result) =>
      result.status === 'fulfilled' ? result.value.status : 0,
    );
    expect(await ended).toBe(0);
    const again = await start(server.dataDir);
    const { version } = (await again.call('GET', '/api/v1/secrets/a')).body;
    expect(version).toBeGreaterThan(statuses.filter((status) => status === 200).length);
  });

  test('a request that is still arriving is answered, and what it wrote is kept', async () => {
    const server = await start();
    const body = '{"name":"late","value":"v"}';
    using client = new RawClient(server.url);
    // Asked to go on, the client knows that its request is being handled.
    client.send(
      requestHead('POST', '/api/v1/secrets', server.adminKey, body.length, ['expect: 100-continue']),
    );
    await client.until('100 Continue');
    const ended = server.stop('SIGTERM');
    await refusesConnections(server.url);
    client.send(body);
    await client.closed;
    expect(client.received().toString()).toContain('HTTP/1.1 201');
    expect(await ended).toBe(0);
    const again = await start(server.dataDir);
    expect((await again.call('GET', '/api/v1/secrets/late')).status).toBe(200);
  });

  test('an answer that is larger than a socket takes at once arrives whole', async () => {
    const server = await start();
    const made = await server.call('POST', '/api/v1/api-keys', { name: 'runtime', role: 'runtime' });
    await server.call('POST', '/api/v1/secrets', { name: 'large', value: 'x'.repeat(64 * 1024) });
    const config = Array.from({ length: 70 }, () => '{{secrets.large}}');
    const body = JSON.stringify({ environment: 'production', config });
    using client = new RawClient(server.url);
    client.send(requestHead('POST', '/api/v1/resolve', made.body.api_key, body.length) + body);
    await client.until('HTTP/1.1 200');
    client.pause();
    const ended = server.stop('SIGTERM');
    await refusesConnections(server.url);
    client.resume();
    await client.closed;
    const [head = '', text = ''] = client.received().toString().split('\r\n\r\n');
    expect(text).toHaveLength(Number(/content-length: (\d+)/.exec(head)?.[1]));
    expect(JSON.parse(text).config).toHaveLength(70);
    expect(await ended).toBe(0);
  });

  test('a client that falls silent does not hold it for ever', async () => {
    const server = await start();
    using client = new RawClient(server.url);
    client.send(requestHead('POST', '/api/v1/secrets', server.adminKey, 100, ['expect: 100-continue']));
    await client.until('100 Continue');
    expect(await server.stop('SIGTERM')).toBe(0);
    await client.closed;
    // A client that leaves is no fault of ours.
    expect(server.said()).not.toContain('"level":"error"');
  });
});

test('a method that a path does not take is told which it takes', async () => {
  const server = await start();
  for (const [method, path, allow] of [
    ['POST', '/health', 'GET'],
    ['DELETE', '/api/v1/organization', 'GET, PATCH'],
  ] as const) {
    const reply = await server.call(method, path, {});
    expect([path, reply.status, reply.body.code, reply.headers.get('allow')]).toEqual([
      ...[path, 405, 'method_not_allowed', allow],
    ]);
  }
});

/** Waits until a server takes no more connections: it has begun to stop. */
async function refusesConnections(url: string): Promise<void> {
  for (;;) {
    using probe = new RawClient(url);
    probe.send('GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
    await probe.closed;
    if (probe.received().length === 0) return;
  }
}
