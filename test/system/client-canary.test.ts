import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findForms } from '../testkit/encodings.ts';
import { type ClientProject, newClientProject } from '../testkit/packed-client.ts';
import { startServer, type TestServer } from '../testkit/server.ts';

/** Canaries through a whole run of a careless stage, with the redactor in place: they must not come out anywhere. */

const canaries = {
  key: 'sk-live-4eC39HqLyjWDarjtT1zdp7dc-canary',
  marks: 'p@ss"w\'o<r>d&\\/+ ü€😀%$x`',
  pem: '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\nAASCBKcwggSjAgEAAoIBAQC7VJT\n-----END PRIVATE KEY-----',
  json: '{"user": "application", "password": "pw-9876543210"}',
  long: `${'long '.repeat(40)}but no less secret`,
};

// Says its value in every way that it finds, and fails with it in the end.
const careless = `
import { execFileSync, spawn } from 'node:child_process';
import { pipeline } from 'node:stream/promises';
import { fromEnvironment } from '@flowmason/secrets';
import {
  jsonReplacer, pinoHooks, RedactingTransform, redactConsole, redactUncaught,
} from '@flowmason/secrets/adapters';

const secrets = fromEnvironment();
const { redactor } = secrets;
redactConsole(redactor);
redactUncaught(redactor);
const config = await secrets.resolve({ stage: { key: '{{secrets.canary}}', url: 'https://x/?k={{secrets.canary}}' } });
const { key } = config.stage;

console.log('the key is %s', key, config);
console.error(new Error('refused ' + key, { cause: { headers: { authorization: key } } }));
console.info(JSON.stringify(config), JSON.stringify(JSON.stringify(config)), encodeURIComponent(key));
console.warn(encodeURIComponent(encodeURIComponent(key)), new URLSearchParams({ key }).toString());
for (const before of ['', 'x', 'xy']) {
  const bytes = Buffer.from(before + key);
  console.debug(bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex'));
}
console.log(Buffer.from(key), { nested: [Buffer.from(key)] }, JSON.stringify(Buffer.from(key)));
console.dir({ deep: { deeper: { config } } }, { depth: 9 });
console.table([config.stage]);
console.trace(key);
for (const line of key.split('\\n')) console.log('a line: ' + line);

const { streamWrite } = pinoHooks(redactor);
process.stdout.write(streamWrite(JSON.stringify({ level: 50, err: { stack: new Error(key).stack }, config }) + '\\n'));
process.stdout.write(JSON.stringify({ message: 'with ' + key, config }, jsonReplacer(redactor)) + '\\n');
process.stdout.write(JSON.stringify(redactor.scrub({ output: config, [key]: Buffer.from(key) })) + '\\n');
const child = spawn(process.execPath, ['-e', 'process.stdout.write(process.argv[1].repeat(300))', key]);
await pipeline(child.stdout, new RedactingTransform(redactor), process.stdout, { end: false });
try {
  execFileSync(process.execPath, ['-e', 'console.error(process.argv[1]); process.exit(1)', key], { stdio: 'pipe' });
} catch (error) {
  console.log('the child failed', error);
}
throw Object.assign(new Error('it ends with ' + key), { config, cause: new AggregateError([new Error(key)]) });
`;

/** A part that stands nowhere else; the frame of a PEM file stands in many. */
const pieceOf = (canary: string) => canary.slice(canary.startsWith('-----') ? 30 : -12).slice(0, 12);

let server: TestServer;
let project: ClientProject;

beforeAll(async () => {
  server = await startServer();
  project = await newClientProject();
  expect(await project.check(careless)).toBe('');
});
afterAll(async () => {
  project[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

test.each(Object.entries(canaries))('%s', async (name, canary) => {
  const place = { scope: 'pipeline', pipeline_id: name };
  await server.call('POST', '/api/v1/secrets', { name: 'canary', value: canary, ...place });
  const key = { name, role: 'runtime', pipelines: [name], environments: ['production'] };
  const { api_key } = (await server.call('POST', '/api/v1/api-keys', key)).body;
  const settings = { FM_API_URL: server.url, FM_API_KEY: api_key, FM_ENVIRONMENT: 'production' };
  const ended = await project.run({ ...settings, FM_PIPELINE_ID: name }).catch((error: unknown) => error);
  // It fails, as it should: what it said is in the error.
  const { stdout, stderr } = ended as { stdout: string; stderr: string };
  expect(stdout).toContain('the key is');
  expect(stdout).toContain('the child failed');
  expect(stderr).toContain('it ends with');
  for (const said of [stdout, stderr]) {
    const bytes = Buffer.from(said);
    expect(findForms(canary, bytes)).toEqual([]);
    expect(findForms(pieceOf(canary), bytes)).toEqual([]);
    expect(said).not.toContain(Buffer.from(canary).subarray(0, 50).join(','));
    expect(said).not.toContain(inspect(Buffer.from(canary)).slice('<Buffer '.length, 60));
    expect(findForms(api_key, bytes)).toEqual([]);
  }
});
