import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

/**
 * The client as its users get it: packed, installed offline from the tarball into a project of its own,
 * type-checked there by the strictest settings and run.
 */

const run = promisify(execFile);
const home = mkdtempSync(join(tmpdir(), 'fm-package-'));
const project = join(home, 'project');
const tsc = resolve('node_modules/typescript/bin/tsc');

const consumer = `
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { createSecretsClient, type Invoke, SecretNotFoundError, SecretsClient, type Settings } from '@flowmason/secrets';
import { jsonReplacer, pinoHooks, RedactingTransform, redactConsole } from '@flowmason/secrets/adapters';
import { Redactor } from '@flowmason/secrets/redaction';

const server = createServer(async (request, response) => {
  for await (const _chunk of request);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ config: { value: 'value-of-the-secret' }, secrets: [] }));
});
await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
const settings: Settings = { apiUrl: \`http://127.0.0.1:\${(server.address() as AddressInfo).port}\`, runToken: 'fmr_1' };
const client: SecretsClient = createSecretsClient(settings);
const value: string = await client.get('key', { version: 1, signal: AbortSignal.timeout(60_000) }).catch((error: unknown) => {
  if (error instanceof SecretNotFoundError) return error.paths.join();
  return String(error);
});
const config: { readonly url: string } = await client.resolve({ url: '{{input.url}}' });
const length: number = await client.use('key', (text) => text.length);
server.close();

const restore = redactConsole(client.redactor);
console.log('the console: %s', value, config.url, length);
restore();
const line = pinoHooks(client.redactor).streamWrite(\`pino: \${value}\`);
console.log(line, JSON.stringify({ value }, jsonReplacer(client.redactor)));
await pipeline([\`stream: \${value}\\n\`], new RedactingTransform(new Redactor([value])), process.stdout, { end: false });

const invoke: Invoke = async () => ({ config: { value: 'by invoke' } });
console.log(await createSecretsClient({ functionName: 'resolve', runToken: 'fmr_1', invoke }).get('key'));
// @ts-expect-error a name is text
await client.get(7).catch((error: unknown) => console.log(error instanceof Error && error.name));
`;

beforeAll(async () => {
  // Its prepack script builds.
  await run('npm', ['pack', '--pack-destination', home], { cwd: 'client' });
  const [tarball = ''] = readdirSync(home).filter((name) => name.endsWith('.tgz'));
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"name":"consumer","private":true,"type":"module"}');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(home, tarball)], {
    cwd: project,
  });
  writeFileSync(join(project, 'main.ts'), consumer);
});

afterAll(() => {
  rmSync(home, { recursive: true });
});

test('holds what is published and nothing else', () => {
  const installed = join(project, 'node_modules/@flowmason/secrets');
  expect(readdirSync(installed).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
  expect(readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
    '@flowmason',
  ]);
  const built = readdirSync(join(installed, 'dist'));
  expect(built.filter((name) => !/\.(js|d\.ts)$/.test(name))).toEqual([]);
  expect(built).toEqual(expect.arrayContaining(['main.js', 'main.d.ts', 'redaction.js', 'adapters.d.ts']));
  const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  expect(Object.keys(exports)).toEqual(['.', './redaction', './adapters', './package.json']);
});

test('type-checks in another project', async () => {
  const compilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: false, exactOptionalPropertyTypes: true },
    ...{ noUncheckedIndexedAccess: true, noPropertyAccessFromIndexSignature: true },
    ...{ module: 'nodenext', target: 'es2022', types: ['node'], typeRoots: [resolve('node_modules/@types')] },
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['main.ts'] }));
  const { stdout } = await run(process.execPath, [tsc, '-p', project]).catch((error) => error);
  expect(stdout).toBe('');
});

test('runs there', async () => {
  const { stdout } = await run(process.execPath, ['main.ts'], { cwd: project });
  expect(stdout.trimEnd().split('\n')).toEqual([
    'the console: ****...**** {{input.url}} 19',
    'pino: ****...**** {"value":"****...****"}',
    'stream: ****...****',
    'by invoke',
    'InvalidReferenceError',
  ]);
});
