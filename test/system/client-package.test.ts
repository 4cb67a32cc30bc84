import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ClientProject, newClientProject } from '../testkit/packed-client.ts';
import { startServer } from '../testkit/server.ts';
import { codeBlocks, readPage } from '../unit/docs/markdown.ts';

/**
 * The client as its users get it: packed, installed offline from the tarball into a project of its own,
 * type-checked there by the strictest settings and run; and so are the examples of its page.
 */

let project: ClientProject;

beforeAll(async () => {
  project = await newClientProject();
});
afterAll(() => project[Symbol.dispose]());

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

test('holds what is published and nothing else', () => {
  const modules = join(project.folder, 'node_modules');
  const installed = join(modules, '@flowmason/secrets');
  expect(readdirSync(modules).filter((name) => !name.startsWith('.'))).toEqual(['@flowmason']);
  expect(readdirSync(installed).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
  const built = readdirSync(join(installed, 'dist'));
  expect(built.filter((name) => !/\.(js|d\.ts)$/.test(name))).toEqual([]);
  expect(built).toEqual(expect.arrayContaining(['main.js', 'main.d.ts', 'redaction.js', 'adapters.d.ts']));
  const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  expect(Object.keys(exports)).toEqual(['.', './redaction', './adapters', './package.json']);
});

test('type-checks and runs in another project', async () => {
  expect(await project.check(consumer)).toBe('');
  expect((await project.run()).trimEnd().split('\n')).toEqual([
    'the console: ****...**** {{input.url}} 19',
    'pino: ****...**** {"value":"****...****"}',
    'stream: ****...****',
    'by invoke',
    'InvalidReferenceError',
  ]);
});

/** Stands in for AWS's package: by its two names, and what the client takes of them. */
const sdk = `
export class InvokeCommand { constructor(input) { this.input = input; } }
export class LambdaClient {
  async send({ input }, { abortSignal }) {
    const { run_token, config } = JSON.parse(new TextDecoder().decode(input.Payload));
    if (run_token === 'denied') throw Object.assign(new Error('quotes fmr_1'), { name: 'AccessDeniedException' });
    if (run_token === 'broken') return { FunctionError: 'Unhandled', Payload: new TextEncoder().encode('{}') };
    const value = [input.FunctionName, run_token, config.value, abortSignal instanceof AbortSignal].join(' ');
    return { Payload: new TextEncoder().encode(JSON.stringify({ config: { value }, secrets: [] })) };
  }
}
`;
const invoking = `
import { createSecretsClient, SecretsError } from '@flowmason/secrets';

for (const runToken of ['fmr_1', 'denied', 'broken']) {
  const client = createSecretsClient({ functionName: 'resolve', runToken, retry: { attempts: 1 } });
  const said = await client.get('key').catch((error: unknown) => error instanceof SecretsError && error.message);
  process.stdout.write(said + '\\n');
}
`;

test('invokes by the AWS SDK where that is installed, and says so where it is not', async () => {
  expect(await project.check(invoking)).toBe('');
  const without = 'A Lambda invoke needs the package @aws-sdk/client-lambda.';
  expect((await project.run()).split('\n').slice(0, 3)).toEqual([without, without, without]);
  const folder = join(project.folder, 'node_modules/@aws-sdk/client-lambda');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module","exports":"./index.js"}');
  writeFileSync(join(folder, 'index.js'), sdk);
  expect((await project.run()).trimEnd().split('\n')).toEqual([
    'resolve fmr_1 {{secrets.key}} true',
    'AWS does not let this caller invoke the resolve function (AccessDeniedException).',
    'The resolve function failed.',
  ]);
  rmSync(join(project.folder, 'node_modules/@aws-sdk'), { recursive: true });
});

test('the examples of its page type-check and run', async () => {
  await using server = await startServer();
  const done = async (path: string, body: unknown) =>
    (await server.call('POST', `/api/v1/${path}`, body)).body;
  const { api_key } = await done('api-keys', { name: 'orchestrator', role: 'runtime' });
  for (const name of ['openai_api_key', 'webhook_token', 'partner_key'])
    await done('secrets', { name, value: `value-of-${name}` });
  const partner = 'const callPartner = async (key: string) => key.length;\n';
  const source = partner + codeBlocks(readPage('docs/client.md'), 'ts').join('\n');
  const checks = `
    if (new URL(config.url).searchParams.get('token') !== 'value-of-webhook_token') throw new Error('url');
    if (isThere || all.length !== 3 || first !== inTime) throw new Error('metadata');
    process.stdout.write(JSON.stringify({ answer, output, failure: failure.message, line }));
  `;
  expect(await project.check(source + checks)).toBe('');
  const settings = { FM_API_URL: server.url, FM_API_KEY: api_key, FM_ENVIRONMENT: 'production' };
  const printed = await project.run(settings);
  expect(printed).toContain("[ '$.stages[0].key' ] Map(1) { 'openai_api_kye' => 'openai_api_key' }");
  expect(printed).toContain('Using API key: ****...****\n');
  expect(printed).toContain('"answer":20');
  expect(printed).toContain('"failure":"refused ****...****","line":"with ****...****"');
  expect(printed).not.toContain('value-of');
});
