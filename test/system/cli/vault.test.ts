import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runFm } from '../../testkit/cli.ts';
import { startServer, type TestServer } from '../../testkit/server.ts';

/**
 * Answers as the documentation of Vault's and OpenBao's KV version 2 engine shows them, under the mount `kv`:
 * https://openbao.org/api-docs/secret/kv/kv-v2/ (Read Secret Version, List Secrets).
 */
const created = {
  created_time: '2018-03-22T02:24:06.945319214Z',
  custom_metadata: null,
  destroyed: false,
  version: 2,
};
const read = (data: unknown, deletion_time = '') => ({
  data: { data, metadata: { ...created, deletion_time } },
});
const list = (...keys: string[]) => ({ data: { keys } });
const recorded: Readonly<Record<string, readonly [status: number, body: unknown]>> = {
  '/v1/kv/metadata/app?list=true': [200, list('db', 'deep/', 'gone', 'one')],
  '/v1/kv/metadata/app/deep?list=true': [200, list('er/')],
  '/v1/kv/metadata/app/deep/er?list=true': [200, list('key')],
  '/v1/kv/data/app/db': [200, read({ user: 'ada', password: 'p"$(x)', port: 5432, options: { tls: true } })],
  '/v1/kv/data/app/deep/er/key': [200, read({ value: 'deepest\n' })],
  '/v1/kv/data/app/one': [200, read({ value: 'v' })],
  // A deleted version is a 404 with its metadata.
  '/v1/kv/data/app/gone': [404, read(null, '2018-03-22T02:36:33.954880664Z')],
  '/v1/kv/metadata/app/one?list=true': [404, { errors: [] }],
  '/v1/kv/metadata/forbidden?list=true': [403, { errors: ['1 error occurred: permission denied'] }],
};

let server: TestServer;
const asked: { readonly token: unknown; readonly namespace: unknown }[] = [];
const vault = createServer((request, response) => {
  asked.push({ token: request.headers['x-vault-token'], namespace: request.headers['x-vault-namespace'] });
  const [status, body] = recorded[request.url ?? ''] ?? [404, { errors: [] }];
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});

beforeAll(async () => {
  server = await startServer();
  await new Promise<void>((resolve) => vault.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  vault.close().closeAllConnections();
  await server[Symbol.asyncDispose]();
});

const importing = (path: string, ...more: readonly string[]) =>
  runFm(['secrets', 'import', path, '--from', 'vault', '--mount', 'kv', '--env', 'staging', ...more], {
    FM_API_URL: server.url,
    FM_API_KEY: server.adminKey,
    VAULT_ADDR: `http://127.0.0.1:${(vault.address() as AddressInfo).port}`,
    VAULT_TOKEN: 'hvs.canary',
    VAULT_NAMESPACE: 'team',
  });

test('every field below a path, however deep; what is deleted there is left out', async () => {
  const plan = await importing('app');
  expect(plan.stdout.replace(/ {2,}/g, '  ')).toBe(`DO  NAME  ENVIRONMENT  VERSION  FROM
create  db_user  staging  -  app/db#user
create  db_password  staging  -  app/db#password
create  db_port  staging  -  app/db#port
create  db_options  staging  -  app/db#options
create  deep_er_key  staging  -  app/deep/er/key#value
create  one  staging  -  app/one#value
`);
  expect(await importing('app', '--apply')).toMatchObject({ code: 0, stdout: 'Imported: create 6.\n' });
  expect(new Set(asked.map((each) => JSON.stringify(each)))).toEqual(
    new Set(['{"token":"hvs.canary","namespace":"team"}']),
  );
  const made = await server.call('POST', '/api/v1/api-keys', { name: 'r', role: 'runtime' });
  const config = [
    '{{secrets.db_password}}',
    '{{secrets.db_port}}',
    '{{secrets.db_options}}',
    '{{secrets.deep_er_key}}',
  ];
  const { body } = await server.call(
    'POST',
    '/api/v1/resolve',
    { config, environment: 'staging' },
    made.body.api_key,
  );
  expect(body.config).toEqual(['p"$(x)', '5432', '{"tls":true}', 'deepest\n']);
});

test('one secret by its own path', async () => {
  expect(await importing('app/one', '--apply')).toMatchObject({ code: 0, stdout: 'Imported: same 1.\n' });
});

test('a refusal says which, and nothing of the token', async () => {
  const run = await importing('forbidden');
  expect([run.code, run.stdout]).toEqual([1, '']);
  expect(run.stderr).toBe(
    'fm: Vault could not be read. It answered 403.\nLook at the policy of the token: it must list and read this path.\n',
  );
});
