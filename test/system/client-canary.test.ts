import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { findForms } from '../testkit/encodings.ts';
import { type ClientProject, newClientProject } from '../testkit/packed-client.ts';
import { startServer, type TestServer } from '../testkit/server.ts';

/** Canaries through a whole run of a careless stage, with the redactor in place: they must not come out anywhere. */

const { canaries } = z
  .object({ canaries: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync('test/vectors/canaries.json', 'utf8')));

// Says its value in every way that it finds, and fails with it in the end.
const careless = `
import { execFileSync, spawn } from 'node:child_process';
import { pipeline } from 'node:stream/promises';
import { fromEnvironment, Redactor } from '@flowmason/secrets';
import {
  jsonReplacer, pinoHooks, RedactingTransform, redactConsole, redactOutput, redactUncaught,
} from '@flowmason/secrets/adapters';

const secrets = fromEnvironment();
const redactor = process.env['BLIND'] === undefined ? secrets.redactor : new Redactor();
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
redactOutput(redactor);
for (const stream of [process.stdout, process.stderr]) {
  stream.write('it ends with ');
  for (const piece of [key.slice(0, 9), key.slice(9)]) stream.write(piece);
  stream.write(Buffer.from('as bytes ' + key));
  stream.write(Buffer.from(key).toString('base64'), 'base64');
  stream.write(' the end of it\\n');
}
const ways: Record<string, () => unknown> = {
  error: () => { throw Object.assign(new Error('thrown ' + key), { config, cause: new AggregateError([new Error(key)]) }); },
  text: () => { throw 'thrown ' + key; },
  object: () => { throw { what: 'thrown', key, config }; },
  rejection: () => Promise.reject('thrown ' + key),
};
await ways[process.argv[2] ?? '']?.();
await new Promise((resolve) => setTimeout(resolve, 60_000));
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

describe.each(Object.entries(canaries))('%s', (name, canary) => {
  let settings: Record<string, string> = {};

  beforeAll(async () => {
    const place = { scope: 'pipeline', pipeline_id: name };
    await server.call('POST', '/api/v1/secrets', { name: 'canary', value: canary, ...place });
    const key = { name, role: 'runtime', pipelines: [name], environments: ['production'] };
    const { api_key } = (await server.call('POST', '/api/v1/api-keys', key)).body;
    settings = { FM_API_URL: server.url, FM_API_KEY: api_key, FM_ENVIRONMENT: 'production' };
  });

  test.each(['error', 'text', 'object', 'rejection'])('in a run that ends by an %s', async (way) => {
    const run = project.run({ ...settings, FM_PIPELINE_ID: name }, [way]);
    // It fails, as it should: what it said is in the error.
    const ended = await run.then(
      () => undefined,
      (error: unknown) => error,
    );
    const { stdout, stderr, code } = ended as { stdout: string; stderr: string; code: number };
    expect(code).toBe(1);
    expect(stdout).toContain('the key is');
    expect(stdout).toContain('the child failed');
    for (const said of [stdout, stderr]) {
      expect(said).toMatch(/it ends with .*the end of it/s);
      const bytes = Buffer.from(said);
      expect(findForms(canary, bytes)).toEqual([]);
      expect(findForms(pieceOf(canary), bytes)).toEqual([]);
      expect(said).not.toContain(Buffer.from(canary).subarray(0, 50).join(','));
      expect(said).not.toContain(inspect(Buffer.from(canary)).slice('<Buffer '.length, 60));
      expect(findForms(settings['FM_API_KEY'] ?? '', bytes)).toEqual([]);
    }
    expect(stderr).toContain('thrown');
  });

  test('would be found, if the redactor knew nothing', async () => {
    const run = project.run({ ...settings, FM_PIPELINE_ID: name, BLIND: 'yes' }, ['object']);
    const ended = await run.then(
      () => undefined,
      (error: unknown) => error,
    );
    const { stdout, stderr } = ended as { stdout: string; stderr: string };
    for (const said of [stdout, stderr]) expect(findForms(canary, Buffer.from(said))).not.toEqual([]);
  });
});
