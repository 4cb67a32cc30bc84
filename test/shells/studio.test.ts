import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installStudio } from '../aws/tools.ts';
import { runFm } from '../testkit/cli.ts';
import { startServer, type TestServer } from '../testkit/server.ts';

/** Written by the real `flowmason` package's own service. */
const write = `
import sys
from flowmason_studio_backend.services.secrets import SecretsService
folder, master = sys.argv[1:3]
store = SecretsService('acme', master_key=master or None, storage_path=folder)
store.set('OPENAI_API_KEY', 'sk-\\u00e9\\n"quoted"', description='the model', category='api_key')
store.set('db/password', 'x' * 5000)
store.set_rotation_policy('db/password', rotation_interval_days=30)
`;

let server: TestServer;
let folder: string;
let python: string;

beforeAll(async () => {
  server = await startServer();
  folder = mkdtempSync(join(tmpdir(), 'fm-studio-'));
  python = join(installStudio(), 'bin/python');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test.each([
  ['under a master key', 'a master key'],
  ['under the key that the studio derives without one', ''],
])('a store %s', async (_what, master) => {
  const store = join(folder, master === '' ? 'derived' : 'mastered');
  const written = spawnSync(python, ['-c', write, store, master], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder },
  });
  expect(written).toMatchObject({ status: 0 });
  const settings = { FM_API_URL: server.url, FM_API_KEY: server.adminKey, FLOWMASON_SECRETS_KEY: master };
  const args = ['secrets', 'import', store, '--from', 'studio', '--studio-org', 'acme', '--env', 'staging'];
  const foreign = await runFm([...args.slice(0, -3), 'other', '--env', 'staging'], settings);
  expect(foreign).toMatchObject({ code: 1, stdout: '' });
  expect(foreign.stderr).toContain('Set FLOWMASON_SECRETS_KEY');
  const first = master === '' ? 'same 2' : 'create 2';
  expect(await runFm([...args, '--apply'], settings)).toMatchObject({
    code: 0,
    stdout: `Imported: ${first}.\n`,
  });
  const made = await server.call('POST', '/api/v1/api-keys', { name: 'r', role: 'runtime' });
  const config = ['{{secrets.OPENAI_API_KEY}}', '{{secrets.db_password}}'];
  const { body } = await server.call(
    'POST',
    '/api/v1/resolve',
    { config, environment: 'staging' },
    made.body.api_key,
  );
  expect(body.config).toEqual(['sk-\u00e9\n"quoted"', 'x'.repeat(5000)]);
  const known = await server.call('GET', '/api/v1/secrets/OPENAI_API_KEY');
  expect(known.body).toMatchObject({ description: 'the model', metadata: { category: 'api_key' } });
  expect((await server.call('GET', '/api/v1/secrets/db_password')).body.rotation_days).toBe(30);
});
