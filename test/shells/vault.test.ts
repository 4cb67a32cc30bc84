import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runFm } from '../testkit/cli.ts';
import { eventually, startServer, type TestServer } from '../testkit/server.ts';

/** An import from a real OpenBao or Vault, when one is on PATH; neither npm nor Debian brings one. */

const program = ['bao', 'vault'].find((each) => spawnSync(each, ['version']).status === 0);
if (program === undefined)
  process.stdout.write('Neither bao nor vault is on PATH: the import from a real one is left out.\n');

describe.skipIf(program === undefined)(`${program}, KV version 2`, () => {
  let server: TestServer;
  let store: ChildProcess;
  let address: string;
  const TOKEN = 'root-of-the-test';

  beforeAll(async () => {
    server = await startServer();
    const port = await freePort();
    address = `http://127.0.0.1:${port}`;
    const args = [
      `-dev-listen-address=127.0.0.1:${port}`,
      `-dev-root-token-id=${TOKEN}`,
      '-dev-no-store-token',
    ];
    store = spawn(program ?? '', ['server', '-dev', ...args], { stdio: 'ignore' });
    await eventually(async () => (await ask('GET', 'sys/health')).status === 200, 60);
  });
  afterAll(async () => {
    store.kill('SIGKILL');
    await server[Symbol.asyncDispose]();
  });

  const ask = async (method: string, path: string, body?: unknown) => {
    try {
      return await fetch(`${address}/v1/${path}`, {
        method,
        headers: { 'x-vault-token': TOKEN },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch {
      return new Response(null, { status: 599 });
    }
  };
  const importing = (...more: readonly string[]) =>
    runFm(['secrets', 'import', '--from', 'vault', '--env', 'staging', ...more], {
      FM_API_URL: server.url,
      FM_API_KEY: server.adminKey,
      VAULT_ADDR: address,
      VAULT_TOKEN: TOKEN,
    });

  test('every field of every secret comes over, its current version, and what was deleted does not', async () => {
    const put = (path: string, data: object) => ask('POST', `secret/data/${path}`, { data });
    const hostile = 'p"$(x)\n\\ \u{1f600} `y`';
    await put('app/db', { user: 'old', password: 'old' });
    await put('app/db', { user: 'ada', password: hostile, port: 5432, options: { tls: true } });
    await put('app/deep/er/key', { value: 'deepest\n' });
    await put('app/deep/er and wider/key', { value: 'spaces' });
    await put('app/gone', { value: 'deleted' });
    await ask('DELETE', 'secret/data/app/gone');
    await put('app/destroyed', { value: 'destroyed' });
    await ask('PUT', 'secret/destroy/app/destroyed', { versions: [1] });
    expect((await importing('app', '--apply')).stdout).toBe('Imported: create 6.\n');
    expect((await importing('app', '--apply')).stdout).toBe('Imported: same 6.\n');
    const made = await server.call('POST', '/api/v1/api-keys', { name: 'r', role: 'runtime' });
    const names = ['db_user', 'db_password', 'db_port', 'db_options', 'deep_er_key', 'deep_er_and_wider_key'];
    const config = names.map((name) => `{{secrets.${name}}}`);
    const body = { config, environment: 'staging' };
    const { body: resolved } = await server.call('POST', '/api/v1/resolve', body, made.body.api_key);
    expect(resolved.config).toEqual(['ada', hostile, '5432', '{"tls":true}', 'deepest\n', 'spaces']);
  });

  test('a path that the token may not read is told as such', async () => {
    const made = await ask('POST', 'auth/token/create', { policies: ['default'] });
    const { auth } = (await made.json()) as { auth: { client_token: string } };
    const run = await runFm(['secrets', 'import', 'app', '--from', 'vault'], {
      FM_API_URL: server.url,
      FM_API_KEY: server.adminKey,
      VAULT_ADDR: address,
      VAULT_TOKEN: auth.client_token,
    });
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toContain('It answered 403.');
    expect(run.stderr).not.toContain(auth.client_token);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const taken = createServer().listen(0, '127.0.0.1', () => {
      const { port } = taken.address() as AddressInfo;
      taken.close(() => resolve(port));
    });
  });
}
