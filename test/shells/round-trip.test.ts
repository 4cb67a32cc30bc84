import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debianProgram } from '../testkit/debian.ts';
import { Random, testSeed } from '../testkit/random.ts';
import { environmentOf, startServer, type TestServer } from '../testkit/server.ts';
import { hostileValues } from './hostile-values.ts';

const seed = testSeed();
const COUNT = 500;
const values = new Map(
  hostileValues(new Random(seed), COUNT).map((bytes, index) => [
    `v_${String(index).padStart(3, '0')}`,
    bytes,
  ]),
);

let server: TestServer;
let home: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  process.stdout.write(`seed ${seed}\n`);
  server = await startServer();
  home = mkdtempSync(join(tmpdir(), 'fm-shells-'));
  mkdirSync(join(home, 'bin'));
  symlinkSync(join(import.meta.dirname, '../../cli/fm.cjs'), join(home, 'bin/fm'));
  const made = await server.call('POST', '/api/v1/api-keys', { name: 'runtime', role: 'runtime' });
  env = environmentOf({
    PATH: [join(home, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter),
    HOME: home,
    XDG_CONFIG_HOME: home,
    FM_API_URL: server.url,
    FM_API_KEY: made.body.api_key,
    FM_ADMIN_KEY: server.adminKey,
  });
  // Each by a process of its own, through a file, as it is; four at a time.
  const names = values.entries();
  const setter = async () => {
    for (const [name, bytes] of names) {
      const file = join(home, `${name}.bin`);
      writeFileSync(file, bytes);
      const set = await play('sh', [
        '-c',
        `FM_API_KEY=$FM_ADMIN_KEY fm secrets set ${name} --from-file ${file} --quiet`,
      ]);
      expect(set).toMatchObject({ code: 0, stdout: '' });
    }
  };
  await Promise.all([setter(), setter(), setter(), setter()]);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

function play(command: string, args: readonly string[], more: NodeJS.ProcessEnv = {}) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: home,
      env: { ...env, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** The values in the environment of a process, byte by byte, as the kernel has them. */
function environmentIn(file: string): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  const bytes = readFileSync(file);
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    const entry = bytes.subarray(at, end < 0 ? bytes.length : end);
    const equals = entry.indexOf(0x3d);
    found.set(entry.subarray(0, equals).toString(), entry.subarray(equals + 1));
    at = end < 0 ? bytes.length : end + 1;
  }
  return found;
}

/** Names, not values: a failure must stay readable. */
function lost(
  found: ReadonlyMap<string, Buffer>,
  wanted: Iterable<string> = values.keys(),
): readonly string[] {
  return [...wanted].filter(
    (name) => values.get(name)?.equals(found.get(name.toUpperCase()) ?? Buffer.alloc(0)) !== true,
  );
}

describe(`${COUNT} hostile values, read back byte by byte`, () => {
  test('in bash, by export', async () => {
    const script =
      'set -e; eval "$(fm secrets export --env staging --format bash)"; cat /proc/self/environ > bash.env';
    expect(await play('bash', ['-c', script])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(lost(environmentIn(join(home, 'bash.env')))).toEqual([]);
  });

  test('in fish, by export', async () => {
    const fish = debianProgram('fish', ['fish']);
    const script =
      'fm secrets export --env staging --format fish | source; or exit 1; cat /proc/self/environ > fish.env';
    expect(await play(fish, ['-N', '-c', script], { LANG: 'C.UTF-8' })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(lost(environmentIn(join(home, 'fish.env')))).toEqual([]);
  });

  test('in a command that is run; bytes that are no text as base64', async () => {
    const run = await play('sh', [
      '-c',
      'fm secrets run --env staging --base64 --quiet -- cp /proc/self/environ run.env',
    ]);
    expect(run).toEqual({ code: 0, stdout: '', stderr: '' });
    const found = new Map(environmentIn(join(home, 'run.env')));
    for (const [name, bytes] of values) {
      const variable = name.toUpperCase();
      if (!isText(bytes)) found.set(variable, Buffer.from(found.get(variable)?.toString() ?? '', 'base64'));
    }
    expect(lost(found)).toEqual([]);
  });

  test('in an env-file, by the reader of docker itself; what it cannot carry is refused by name', async () => {
    const docker = debianProgram('docker', ['docker.io']);
    const all = await play('sh', ['-c', 'fm secrets export --env staging --format env-file']);
    expect([all.code, all.stdout]).toEqual([2, '']);
    const refused = new Set([...all.stderr.matchAll(/^ {2}(v_\d+): /gm)].map(([, name]) => name ?? ''));
    const carried = [...values.keys()].filter((name) => !refused.has(name));
    const isRefused = (bytes: Buffer) =>
      !isText(bytes) || bytes.includes(0x0a) || bytes.at(-1) === 0x0d || bytes.length > 65_000;
    expect([...refused].sort()).toEqual(
      [...values]
        .filter(([, bytes]) => isRefused(bytes))
        .map(([name]) => name)
        .sort(),
    );
    const only = carried.join(',');
    expect(
      (await play('sh', ['-c', `fm secrets export --env staging --format env-file --only ${only} > out.env`]))
        .code,
    ).toBe(0);
    expect(lost(await readByDocker(docker, join(home, 'out.env')), carried)).toEqual([]);
  });

  test('export, import: nothing changes', async () => {
    const line =
      'fm secrets export --env staging --format json > all.json && FM_API_KEY=$FM_ADMIN_KEY fm secrets import all.json --from json --apply';
    expect(await play('sh', ['-c', line])).toEqual({
      code: 0,
      stdout: `Imported: same ${COUNT}.\n`,
      stderr: '',
    });
  });
});

function isText(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString('utf8')).equals(bytes);
}

/** Stands in for docker's daemon, and takes down the environment of the container that it is to create. */
async function readByDocker(docker: string, file: string): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const daemon = createServer(async (request, response) => {
    const chunks = await Array.fromAsync(request as AsyncIterable<Buffer>);
    response.setHeader('api-version', '1.41').setHeader('content-type', 'application/json');
    if (request.url?.includes('/containers/create')) {
      const { Env } = JSON.parse(Buffer.concat(chunks).toString()) as { Env: string[] };
      for (const entry of Env) {
        const at = entry.indexOf('=');
        found.set(entry.slice(0, at), Buffer.from(entry.slice(at + 1)));
      }
      response.writeHead(201).end('{"Id": "abc", "Warnings": []}');
    } else response.end('{}');
  });
  const socket = join(home, 'docker.sock');
  await new Promise<void>((resolve) => daemon.listen(socket, resolve));
  const created = await play(docker, ['-H', `unix://${socket}`, 'create', '--env-file', file, 'image']);
  daemon.close().closeAllConnections();
  expect(created).toMatchObject({ code: 0, stderr: '' });
  return found;
}
