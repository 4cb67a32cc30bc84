import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliRun, runFm } from '../testkit/cli.ts';
import { auditSettled, newDataDir, startServer, type TestServer } from '../testkit/server.ts';

let server: TestServer;
let settings: Record<string, string>;
const folder = newDataDir();
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  server = await startServer();
  settings = { FM_API_URL: server.url, FM_API_KEY: server.adminKey };
  for (let i = 0; i < 5; i++)
    await server.call('POST', '/api/v1/secrets', { name: `s${i}`, value: 'v', description: '\u2028 ü' });
  await auditSettled(server);
  writeFileSync(file('log.pub'), (await fm('secrets audit key')).stdout);
  writeFileSync(file('export.jsonl'), (await fm('secrets audit export')).stdout);
});
afterAll(() => server[Symbol.asyncDispose]());

const fm = (args: string, own: Record<string, string> = settings): Promise<CliRun> =>
  runFm(args.split(' '), own);
// No server and no key: the machine that verifies knows nothing but the file and the log's key.
const offline = (args: string) =>
  fm(`secrets audit verify ${args} --public-key ${file('log.pub')}`, { FM_DATA_DIR: folder });

test('an export verifies on a machine that has nothing but the key', async () => {
  const run = await offline(`--offline ${file('export.jsonl')}`);
  expect(run).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^The export is whole: \d+ records, /),
  });
  expect(
    execFileSync('openssl', ['pkey', '-pubin', '-in', file('log.pub'), '-noout', '-text']),
  ).toBeDefined();
});

test('a changed one is refused, and the record is named', async () => {
  const text = readFileSync(file('export.jsonl'), 'utf8');
  writeFileSync(file('changed.jsonl'), text.replace('"name":"s2"', '"name":"s3"'));
  const at = text.split('\n').findIndex((line) => line.includes('"name":"s2"'));
  const run = await offline(`--json --offline ${file('changed.jsonl')}`);
  expect(run.code).toBe(1);
  expect(JSON.parse(run.stdout)).toMatchObject({ verified: false, first_bad: { reason: 'was changed' } });
  expect(run.stderr).toContain('broken-chain');
  expect(at).toBeGreaterThan(0);
  appendFileSync(file('export.jsonl'), '\n');
  expect((await offline(`--offline ${file('export.jsonl')}`)).code).toBe(1);
  writeFileSync(file('export.jsonl'), text);
});

test('a missing key, a wrong file and a stray option say what to do', async () => {
  expect(await fm(`secrets audit verify --offline ${file('export.jsonl')}`)).toMatchObject({ code: 2 });
  expect(await fm('secrets audit verify --public-key x')).toMatchObject({ code: 2 });
  expect(await offline('--offline /nonexistent')).toMatchObject({ code: 1 });
  expect(await offline(`--offline ${file('export.jsonl')} --checkpoint ${file('log.pub')}`)).toMatchObject({
    code: 2,
  });
});

test('CSV and OCSF come the same way', async () => {
  expect((await fm('secrets audit export --format csv')).stdout).toMatch(/^sequence,timestamp,/);
  const ocsf = (await fm('secrets audit export --format ocsf')).stdout.trimEnd().split('\n');
  expect(ocsf.map((line) => (JSON.parse(line) as { class_uid: number }).class_uid)).toContain(6003);
});
