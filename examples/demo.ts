import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { createdApiKey, startedRun } from '../shared/contract/access.ts';
import { auditEntry, auditVerification } from '../shared/contract/audit.ts';
import { secretMetadata } from '../shared/contract/secrets.ts';
import { health } from '../shared/contract/system.ts';
import { startThrowawayServer, type ThrowawayServer } from './throwaway-server.ts';

/**
 * `npm run demo`: the whole story on a server that is gone afterwards. Every step checks what came back; the
 * exit code is 1 when anything is not as told.
 */

const PIPELINE = 'content-generator';
const values: string[] = [];

/** A made-up value that must not be printed; its first part is public, as that of `sk-…`. */
function makeUp(publicPart: string): string {
  const value = publicPart + randomBytes(16).toString('hex');
  values.push(value);
  return value;
}

/** Text with every value that we know cut to its public part. */
function masked(text: string): string {
  return values.reduce((shown, value) => shown.replaceAll(value, `${value.slice(0, -32)}****…`), text);
}

function say(line: string): void {
  console.log(masked(line));
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`Not as told: ${what}`);
  say(`  ✓ ${what}`);
}

/** Where the API is, and as whom we ask. */
interface Access {
  readonly url: string;
  readonly bearer: string;
}

/** Calls the API and parses the answer; a refusal is an answer like any other here. */
async function call<Schema extends z.ZodType>(
  { url, bearer }: Access,
  request: string,
  answer: Schema,
  body?: unknown,
): Promise<z.infer<Schema>> {
  const [method = '', path = ''] = request.split(' ');
  say(`  ${request}`);
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return answer.parse(await response.json());
}

/** What a resolve answers for content-pipeline.json, as far as the story looks. */
const resolved = z.object({
  config: z.object({
    stages: z.tuple([
      z.object({ config: z.object({ api_key: z.string(), model: z.string(), prompt: z.string() }) }),
      z.object({ config: z.object({ url: z.string(), headers: z.record(z.string(), z.string()) }) }),
      z.object({ config: z.object({ webhook_url: z.string(), database_url: z.string() }) }),
    ]),
  }),
});
const refused = z.object({ status: z.literal(403), title: z.string() });

function show(stage: { config: object }): void {
  for (const line of JSON.stringify(stage.config, null, 2).split('\n')) say(`    ${line}`);
}

async function store(admin: Access, name: string, value: string, more: object = {}): Promise<void> {
  const stored = await call(admin, 'POST /api/v1/secrets', secretMetadata.strict(), { name, value, ...more });
  const { scope, environment } = stored;
  expect(stored.version === 1, `${name}: scope ${scope}, ${environment ?? 'every environment'}`);
}

async function startRun(runtime: Access, run_id: string, environment: string): Promise<Access> {
  const request = { pipeline_id: PIPELINE, environment, run_id };
  const run = await call(runtime, 'POST /api/v1/runs', startedRun, request);
  expect(run.run_id === run_id, `${run_id} in ${environment} has a token of its own`);
  return { url: runtime.url, bearer: run.run_token };
}

/** Access records are durable when the answer comes; they reach the log a moment later. */
async function auditSettled(url: string): Promise<void> {
  for (let left = 200; left > 0; left--) {
    const { audit_lag } = health.parse(await (await fetch(`${url}/health`)).json());
    if (audit_lag === 0) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error('Not as told: the audit log catches up');
}

async function tell({ url, adminKey }: ThrowawayServer): Promise<void> {
  const admin = { url, bearer: adminKey };
  const pipeline = await readFile(new URL('content-pipeline.json', import.meta.url), 'utf8');
  const openai = makeUp('sk-');
  const devDb = makeUp('postgres://dev:');
  const prodDb = makeUp('postgres://prod:');

  say('\n1. Store what the pipeline needs. The answers are metadata, never the value.');
  await store(admin, 'openai_api_key', openai, { description: 'OpenAI key for content' });
  await store(admin, 'api_token', makeUp('tok_'));
  await store(admin, 'service_key', makeUp('svc_'));
  await store(admin, 'webhook_token', makeUp('whk_'), { scope: 'pipeline', pipeline_id: PIPELINE });
  await store(admin, 'db_url', devDb, { environment: 'development' });
  await store(admin, 'db_url', prodDb, { environment: 'production' });

  say('\n2. A runtime key for the orchestrator, a token for each run.');
  const bounds = { pipelines: [PIPELINE], environments: ['development', 'production'] };
  const request = { name: 'orchestrator', role: 'runtime', ...bounds };
  const { api_key, pipelines } = await call(admin, 'POST /api/v1/api-keys', createdApiKey, request);
  expect(isDeepStrictEqual(pipelines, [PIPELINE]), `the key is bound to ${PIPELINE}`);
  const runtime = { url, bearer: api_key };
  const devRun = await startRun(runtime, 'run_dev_1', 'development');
  const prodRun = await startRun(runtime, 'run_prod_1', 'production');

  const resolve = (run: Access) =>
    call(run, 'POST /api/v1/resolve', resolved, { config: JSON.parse(pipeline) });
  say('\n3. One config, two environments. (Values are masked here, not in the answer.)');
  const [, , inDev] = (await resolve(devRun)).config.stages;
  show(inDev);
  expect(inDev.config.database_url === devDb, 'development got its own database');
  const [generator, apiCall, inProd] = (await resolve(prodRun)).config.stages;
  for (const stage of [generator, apiCall, inProd]) show(stage);
  expect(inProd.config.database_url === prodDb, 'production got its own database');
  expect(generator.config.api_key === openai, 'the API key came out as it was stored');
  expect(generator.config.prompt.includes('{{input.topic}}'), 'other templates stay as they are');

  say('\n4. A run token goes no further than its run.');
  const elsewhere = { config: JSON.parse(pipeline), environment: 'production' };
  const { title } = await call(devRun, 'POST /api/v1/resolve', refused, elsewhere);
  expect(title !== '', `run_dev_1 asks for production: ${title}`);

  say('\n5. Rotate. The pipeline stays as it is.');
  const newKey = makeUp('sk-');
  const rotation = { new_value: newKey, reason: 'Scheduled rotation' };
  const rotate = 'POST /api/v1/secrets/openai_api_key/rotate';
  const { version } = await call(admin, rotate, secretMetadata, rotation);
  expect(version === 2, 'openai_api_key is at version 2');
  const [rotated] = (await resolve(prodRun)).config.stages;
  show(rotated);
  expect(rotated.config.api_key === newKey, 'the same config, the next resolve, the new value');
  await tellWhoUsedIt(admin);
}

async function tellWhoUsedIt(admin: Access): Promise<void> {
  say('\n6. Who used it?');
  await auditSettled(admin.url);
  const query = 'GET /api/v1/secrets/audit?secret_name=openai_api_key&days=1';
  const entries = await call(admin, query, z.array(auditEntry));
  for (const { timestamp, action, version, run_id, user } of entries)
    say(`    ${timestamp}  ${action.padEnd(6)}  version ${version}  ${run_id ?? user}`);
  const story = entries.map(({ action, run_id }) => (run_id === undefined ? action : `${action} ${run_id}`));
  const told = ['access run_prod_1', 'rotate', 'access run_prod_1', 'access run_dev_1', 'create'];
  expect(isDeepStrictEqual(story, told), 'every access and every change is there, newest first');
  const denials = await call(admin, 'GET /api/v1/secrets/audit?action=denied', z.array(auditEntry));
  expect(denials.length === 1, 'so is the attempt that was refused');
  const log = await call(admin, 'GET /api/v1/secrets/audit/verify', auditVerification);
  expect(log.verified, `the log is one unbroken chain of ${log.events} records`);
}

try {
  await using server = await startThrowawayServer();
  say(`A server on a throwaway folder: ${server.url}`);
  await tell(server);
  say('\nDone. The server and its folder go away now.');
} catch (error) {
  console.error(masked(error instanceof Error ? error.message : String(error)));
  process.exitCode = 1;
}
