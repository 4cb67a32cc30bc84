import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { type CliRun, runFm } from '../testkit/cli.ts';
import {
  auditSettled,
  eventually,
  newDataDir,
  type Reply,
  startServer,
  type TestServer,
} from '../testkit/server.ts';

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

// Other people's programs: one by the documentation alone, one by the library that Go checks its own modules with.
describe('another reader', () => {
  test('in Python takes the vectors and the export', () => {
    const args = ['test/readers/read_audit.py', 'test/vectors/audit.json', file('export.jsonl')];
    const { status, stdout, stderr } = spawnSync('python3', args, { encoding: 'utf8' });
    expect({ status, stdout, stderr }).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^20 \d+\n$/),
    });
  });

  const hasGo = spawnSync('go', ['version']).status === 0;
  test.skipIf(!hasGo)(
    'in Go takes a checkpoint, an inclusion and a consistency proof, and refuses altered ones',
    async () => {
      // The first checkpoint comes with the first minute; a server that starts again makes one at once.
      await using second = await restarted();
      const call = async (query: string) => {
        const reply = await second.call('GET', `/api/v1/secrets/audit/${query}`);
        expect(reply.status).toBe(200);
        return z.record(z.string(), z.unknown()).parse(reply.body);
      };
      const first = await call('proof?sequence=2');
      const size = Number(String(first['checkpoint']).split('\n')[1]);
      await second.stop('SIGTERM');
      await using third = await restarted(second.dataDir);
      const proven = () => third.call('GET', `/api/v1/secrets/audit/proof?sequence=2&since=${size}`);
      const sizeOf = (reply: Reply) => Number(String(reply.body.checkpoint).split('\n')[1]);
      await eventually(async () => sizeOf(await proven()) > size);
      const proof = (await proven()).body;
      const public_key = (await third.call('GET', '/api/v1/secrets/audit/public-key')).body.public_key;
      const given = { public_key, proof, older: first['checkpoint'] };
      expect(goReads(given)).toBe(`ok 2 ${String(proof.checkpoint).split('\n')[1]}\n`);
      const other = Buffer.alloc(32).toString('base64');
      for (const change of [
        { record: String(proof.record).replace('default', 'another') },
        { record: `${proof.record} ` },
        { sequence: 3 },
        { inclusion: [other, ...proof.inclusion.slice(1)] },
        { consistency: [other, ...proof.consistency.slice(1)] },
        { checkpoint: String(proof.checkpoint).replace(/^(.*)\n\d+\n/, '$1\n1\n') },
      ])
        expect(goReads({ ...given, proof: { ...proof, ...change } })).toMatch(/^refused/);
    },
    120_000,
  );
});

async function restarted(dataDir?: string): Promise<TestServer> {
  const one = await startServer(dataDir);
  if (dataDir !== undefined) return one;
  await one.call('POST', '/api/v1/secrets', { name: 'one', value: 'v' });
  await auditSettled(one);
  await one.stop('SIGTERM');
  const again = await startServer(one.dataDir);
  await eventually(
    async () => (await again.call('GET', '/api/v1/secrets/audit/proof?sequence=2')).status === 200,
  );
  await auditSettled(again);
  return again;
}

function goReads(input: unknown): string {
  const { stdout, stderr } = spawnSync('go', ['run', '.'], {
    cwd: 'test/readers/go',
    input: JSON.stringify(input),
    encoding: 'utf8',
    env: { ...process.env, GOFLAGS: '-mod=mod' },
  });
  if (stdout === '') throw new Error(`go did not run: ${stderr}`);
  return stdout;
}

test('--follow shows what comes, once and in order, also over a restart of the server', async () => {
  await using first = await startServer();
  const port = new URL(first.url).port;
  const own = { ...process.env, FM_API_URL: first.url, FM_API_KEY: first.adminKey };
  const args = ['cli/fm.cjs', 'secrets', 'audit', '--follow', '--json', '--action', 'create'];
  const follower = spawn(process.execPath, args, { env: own });
  let said = '';
  let noted = '';
  follower.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  follower.stderr.on('data', (chunk: Buffer) => {
    noted += chunk.toString();
  });
  const seen = () => said.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).secret_name]));
  const create = (server: TestServer, name: string) =>
    server.call('POST', '/api/v1/secrets', { name, value: 'v' });
  try {
    // It shows what comes after it began to look, whenever that is.
    for (let i = 0; seen().length === 0; i++) {
      await create(first, `s${i}`);
      await eventually(async () => seen().length > 0, 3).catch(() => undefined);
    }
    await first.stop('SIGTERM');
    await eventually(async () => noted.includes('does not answer'));
    await using second = await startServer(first.dataDir, { FM_PORT: port });
    await create(second, 'after1');
    await create(second, 'after2');
    await eventually(async () => seen().includes('after2'));
    expect(seen().slice(-2)).toEqual(['after1', 'after2']);
    expect(new Set(seen()).size).toBe(seen().length);
  } finally {
    follower.kill('SIGKILL');
  }
}, 120_000);
