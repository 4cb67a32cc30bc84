import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';
import { runFm } from '../testkit/cli.ts';
import {
  auditSettled,
  environmentOf,
  eventually,
  newDataDir,
  startServer,
  type TestServer,
} from '../testkit/server.ts';

const dataDir = newDataDir();
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const fm = async (...args: string[]) => {
  const { code, stdout, stderr } = await runFm(['admin', ...args], { FM_DATA_DIR: dataDir });
  expect([code, stderr], args.join(' ')).toEqual([0, '']);
  return stdout;
};
const keyring = () => readFileSync(`${dataDir}/keyring.json`, 'utf8');
const rootIdsOfDataKeys = () => {
  const rows = new DatabaseSync(`${dataDir}/store.db`, { readOnly: true })
    .prepare('SELECT wrapped FROM data_keys')
    .all();
  return rows.map(({ wrapped }) => Buffer.from(wrapped as Uint8Array).toString('hex', 1, 17));
};

/** Runs with a server, which leaves the data dir behind. */
async function withServer<T>(use: (server: TestServer) => Promise<T>): Promise<T> {
  const server = await startServer(dataDir);
  try {
    return await use(server);
  } finally {
    await server.stop('SIGTERM');
  }
}

let runtimeKey = '';
const resolved = (server: TestServer) =>
  server.call(
    'POST',
    '/api/v1/resolve',
    { config: '{{secrets.kept}}', environment: 'production' },
    runtimeKey,
  );

test('a root key is added, data keys are wrapped for it, and the old one is not needed any more', async () => {
  await withServer(async (server) => {
    expect((await server.call('POST', '/api/v1/secrets', { name: 'kept', value: 'v' })).status).toBe(201);
    runtimeKey = (await server.call('POST', '/api/v1/api-keys', { name: 'r', role: 'runtime' })).body.api_key;
  });
  const before = keyring();
  expect(await fm('rotate-root-key')).toMatch(/would be added/);
  expect(keyring()).toBe(before);
  expect(await fm('rotate-root-key', '--apply')).toMatch(/^Added/);
  const file = JSON.parse(keyring());
  expect(file.root_keys).toHaveLength(2);

  const old = rootIdsOfDataKeys();
  expect(JSON.parse(await fm('rewrap', '--json'))).toEqual({ data_keys: old.length, rewrapped: old.length });
  expect(rootIdsOfDataKeys()).toEqual(old);
  await fm('rewrap', '--apply');
  expect(new Set(rootIdsOfDataKeys())).toEqual(new Set([file.root_keys[1].id.replaceAll('-', '')]));
  expect(JSON.parse(await fm('rewrap', '--apply', '--json'))).toEqual({
    data_keys: old.length,
    rewrapped: 0,
  });

  const alone = { ...file, root_keys: file.root_keys.slice(1) };
  writeFileSync(`${dataDir}/keyring.json`, JSON.stringify(alone), { mode: 0o600 });
  await withServer(async (server) => {
    expect((await resolved(server)).body.config).toBe('v');
    await auditSettled(server);
    for (const action of ['rotate_root_key', 'rewrap']) {
      const { body } = await server.call('GET', `/api/v1/secrets/audit?action=${action}`);
      expect(body.length, action).toBeGreaterThan(0);
    }
    expect((await server.call('GET', '/api/v1/secrets/audit/verify')).body.verified).toBe(true);
  });
});

test('versions are sealed anew beside a server; a kill in the middle is finished by doing it again', async () => {
  const SECRETS = 150;
  await withServer(async (server) => {
    for (let at = 0; at < SECRETS; at++)
      await server.call('POST', '/api/v1/secrets', { name: `many_${at}`, value: `v${at}` });
  });
  const plan = JSON.parse(await fm('reseal', '--json'));
  expect(plan).toMatchObject({ versions: SECRETS + 1, resealed: SECRETS + 1 });
  const args = ['admin', 'reseal', '--before', plan.before, '--apply', '--json'];
  await withServer(async (server) => {
    const child = spawn(process.execPath, ['cli/fm.cjs', ...args], {
      env: environmentOf({ FM_DATA_DIR: dataDir }),
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    await eventually(async () => {
      const { body } = await server.call('GET', '/api/v1/secrets/audit?action=reseal&limit=1');
      return child.exitCode !== null || body.length > 0;
    }, 60);
    child.kill('SIGKILL');
    await ended;
    const left = JSON.parse(await fm('reseal', '--before', plan.before, '--json')).resealed;
    expect(left).toBeLessThan(SECRETS + 1);
    expect(JSON.parse(await fm(...args.slice(1)))).toMatchObject({ versions: SECRETS + 1, resealed: left });
    expect(JSON.parse(await fm(...args.slice(1)))).toMatchObject({ resealed: 0 });
    const config = Array.from({ length: SECRETS }, (_, at) => `{{secrets.many_${at}}}`);
    const { body } = await server.call(
      'POST',
      '/api/v1/resolve',
      { config, environment: 'production' },
      runtimeKey,
    );
    expect(body.config).toEqual(config.map((_, at) => `v${at}`));
    await auditSettled(server);
    expect((await server.call('GET', '/api/v1/secrets/audit/verify')).body.verified).toBe(true);
  });
}, 240_000);

test('an organization is shredded after its name was given twice, and others are as they were', async () => {
  const { api_key } = JSON.parse(await fm('org', 'create', 'acme', '--json'));
  await withServer(async (server) => {
    const made = await server.call('POST', '/api/v1/secrets', { name: 'doomed', value: 'v' }, api_key);
    expect(made.status).toBe(201);
  });
  expect(await fm('shred', 'acme')).toMatch(/would be gone/);
  expect(await fm('shred', 'acme', '--apply', 'default')).toMatch(/would be gone/);
  expect(await fm('shred', 'acme', '--apply', 'acme')).toMatch(/are gone/);
  expect(await fm('shred', 'acme', '--apply', 'acme')).toMatch(/^0 data keys/);
  const db = new DatabaseSync(`${dataDir}/store.db`, { readOnly: true });
  for (const table of ['data_keys', 'secrets', 'versions', 'api_keys', 'runs']) {
    expect(db.prepare(`SELECT count(*) AS n FROM ${table} WHERE org = 'acme'`).get(), table).toEqual({
      n: 0,
    });
  }
  await withServer(async (server) => {
    expect((await server.call('GET', '/api/v1/secrets', undefined, api_key)).status).toBe(401);
    expect((await resolved(server)).body.config).toBe('v');
    await auditSettled(server);
  });
  // Its log stays, and says so.
  const said = db.prepare("SELECT bytes FROM audit_records WHERE org = 'acme' ORDER BY sequence").all();
  expect(said.map(({ bytes }) => Buffer.from(bytes as Uint8Array).toString()).join()).toContain('"shred"');
  expect((await runFm(['admin', 'shred', 'nobody'], { FM_DATA_DIR: dataDir })).code).not.toBe(0);
});
