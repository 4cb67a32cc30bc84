import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../testkit/random.ts';
import { auditSettled, newDataDir, startServer, type TestServer } from '../testkit/server.ts';
import { ENVIRONMENTS, PIPELINES, type Planned, planSecrets } from './organization.ts';

/** What an organization looks like after half a year: made by calls, on a server whose clock is set back. */

export interface Story {
  readonly server: TestServer;
  readonly runtimeKey: string;
  readonly viewerKey: string;
}

/** What happens at a moment: so many secrets are made, so many entries of resolves, so many rotations. */
interface Moment {
  readonly daysAgo: number;
  readonly creates: number;
  readonly entries: number;
  readonly rotates: number;
  readonly isAttack?: boolean;
}

interface Past {
  readonly server: TestServer;
  readonly random: Random;
  readonly runtimeKey: string;
  readonly viewerKey: string;
  readonly planned: Planned[];
  readonly made: Planned[];
}

const DAY_MS = 24 * 60 * 60 * 1000;
const PER_RESOLVE = 200;
// Longer than a clock that was read is taken for true.
const CLOCK_MS = 100;

/**
 * @param secrets how many there are in the end
 * @param entries how many entries the audit log has in the end, about
 */
export async function tellStory(secrets: number, entries: number, seed: number): Promise<Story> {
  const random = new Random(seed);
  const dataDir = newDataDir();
  const folder = mkdtempSync(join(tmpdir(), 'fm-clock-'));
  const clock = join(folder, 'set-back');
  const moments = momentsOf(secrets, entries, random);
  const setClock = ({ daysAgo }: Moment) => {
    // Whole at any moment: an empty file would be today.
    writeFileSync(`${clock}.new`, String(Math.round(daysAgo * DAY_MS)));
    renameSync(`${clock}.new`, clock);
  };
  setClock(moments[0] as Moment);
  const server = await startServer(dataDir, {
    FM_RATE_LIMIT: '0',
    FM_TEST_CLOCK: clock,
    NODE_OPTIONS: `--import=${join(import.meta.dirname, 'set-back.ts')}`,
  });
  await expectStatus(server.call('PATCH', '/api/v1/organization', { record_reads: false }), 200);
  const runtimeKey = await newKey(server, { name: 'orchestrator', role: 'runtime' });
  const viewerKey = await newKey(server, {
    name: 'dashboards',
    role: 'viewer',
    subject: 'grace@example.com',
  });
  const past = { server, random, runtimeKey, viewerKey, planned: planSecrets(secrets, random), made: [] };
  for (const moment of moments) {
    setClock(moment);
    await sleep(CLOCK_MS);
    await live(past, moment);
    // What is recorded next happened later.
    await auditSettled(server);
  }
  await server.stop('SIGTERM');
  rmSync(folder, { recursive: true });
  return { server: await startServer(dataDir), runtimeKey, viewerKey };
}

/** Most secrets are old; the last four weeks have their hours, their quiet nights and one bad afternoon. */
function momentsOf(secrets: number, entries: number, random: Random): Moment[] {
  const old = [200, 150, 110, 80, 60, 45].map((daysAgo) => ({
    ...{ daysAgo, creates: Math.round(secrets * 0.155), rotates: 60, entries: (entries - secrets) * 0.08 },
  }));
  const hours = Array.from({ length: 28 * 4 }, (_, index) => 28 - index / 4).filter(
    () => random.below(3) > 0,
  );
  const busy = hours.map((daysAgo) => ({ daysAgo, weight: random.below(80) + 20 }));
  const whole = busy.reduce((sum, { weight }) => sum + weight, 0);
  const recent = busy.map(({ daysAgo, weight }, index) => ({
    daysAgo,
    creates: Math.ceil((secrets * 0.07) / busy.length),
    rotates: random.below(6),
    entries: ((entries - secrets) * 0.52 * weight) / whole,
    isAttack: index === busy.length - 12 || index === busy.length - 31,
  }));
  return [...old, ...recent];
}

async function live(past: Past, { creates, entries, rotates, isAttack = false }: Moment): Promise<void> {
  const { server, random, planned, made } = past;
  const isLast = planned.length <= creates * 2;
  const portion = planned.splice(0, isLast ? planned.length : creates);
  await inParallel(portion, (secret) => expectStatus(server.call('POST', '/api/v1/secrets', secret), 201));
  made.push(...portion);
  await resolveMany(past, entries);
  const some = [...new Set(Array.from({ length: rotates }, () => random.pick(made)))];
  await inParallel(some, (secret) => rotate(past, secret));
  if (isAttack) await denyBurst(past);
}

/** Runs that resolve 200 references each, until there are so many entries. */
async function resolveMany({ server, random, runtimeKey, made }: Past, entries: number): Promise<void> {
  const runs = Array.from({ length: Math.ceil(entries / PER_RESOLVE) }, () => ({
    pipeline_id: random.pick(PIPELINES),
    environment: random.pick([...ENVIRONMENTS, 'production', 'production']),
    start: random.below(1000),
  }));
  await inParallel(runs, async ({ pipeline_id, environment, start }) => {
    const served = made.filter(
      (one) => one.scope === 'org' && [environment, 'none'].includes(one.environment),
    );
    // Every fifth is of no use to anybody.
    const names = [...new Set(served.map(({ name }) => name))].filter((_, index) => index % 5 > 0);
    const many = Math.min(PER_RESOLVE, names.length);
    const config = Array.from(
      { length: many },
      (_, index) => `{{secrets.${names[(start + index) % names.length]}}}`,
    );
    const run = await server.call('POST', '/api/v1/runs', { pipeline_id, environment }, runtimeKey);
    await expectStatus(server.call('POST', '/api/v1/resolve', { config }, run.body.run_token), 200);
  });
}

async function rotate({ server, random }: Past, secret: Planned): Promise<void> {
  const { name, scope, pipeline_id, user, environment } = secret;
  const query = new URLSearchParams({ scope, environment });
  if (pipeline_id !== undefined) query.set('pipeline_id', pipeline_id);
  if (user !== undefined) query.set('user', user);
  const reason = random.pick(['Scheduled rotation', 'Left the company', 'Key was in a log']);
  const body = { new_value: `rotated-${random.below(1e9)}`, reason };
  await expectStatus(server.call('POST', `/api/v1/secrets/${name}/rotate?${query}`, body), 200);
}

/** Somebody tries what a viewer may not. */
async function denyBurst({ server, viewerKey, made }: Past): Promise<void> {
  await inParallel(made.slice(0, 30), ({ name, scope, environment }) =>
    server.call(
      'DELETE',
      `/api/v1/secrets/${name}?scope=${scope}&environment=${environment}`,
      undefined,
      viewerKey,
    ),
  );
}

async function newKey(server: TestServer, fields: object): Promise<string> {
  return (await server.call('POST', '/api/v1/api-keys', fields)).body.api_key;
}

async function expectStatus(reply: ReturnType<TestServer['call']>, status: number): Promise<void> {
  const { status: got, text } = await reply;
  if (got !== status) throw new Error(`${got} instead of ${status}: ${text}`);
}

const AT_ONCE = 32;

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
