import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { verifyWhole } from '../../shared/audit/verify-audit.ts';
import { organizationId } from '../../shared/contract/ids.ts';
import { call, jsonOf, newKey, newOrganization, services } from '../testkit/api.ts';
import { eventually } from '../testkit/server.ts';

// The thread that records dies. Requests do not notice: the outbox holds what happened, health says that the log is
// behind, and the thread that is started anew catches up, with each event once.

const threads: Worker[] = [];
vi.mock('node:worker_threads', async (original) => {
  const module = await original<typeof import('node:worker_threads')>();
  class Watched extends module.Worker {
    constructor(...given: ConstructorParameters<typeof module.Worker>) {
      super(...given);
      threads.push(this);
    }
  }
  return { ...module, Worker: Watched };
});
const { startBackgroundThread } = await import('../../infra/local/start-background.ts');

const org = organizationId.parse('acme');
const whole = { from: 0, root: null, isEnough: () => false };
const told: unknown[] = [];
let [admin, runtime] = ['', ''];
let background: ReturnType<typeof startBackgroundThread>;

const lag = async () => Number(jsonOf(await call('health'))['audit_lag']);
const settled = () => eventually(async () => (await lag()) === 0, 60);
const store = async (name: string) =>
  expect((await call('create-secret', { as: admin, body: { name, value: `value of ${name}` } })).status).toBe(
    201,
  );
const resolve = async (name: string) => {
  const body = { config: `{{secrets.${name}}}`, environment: 'staging' };
  return jsonOf(await call('resolve-config', { as: runtime, body }))['config'];
};

beforeAll(async () => {
  admin = await newOrganization('acme');
  runtime = await newKey(admin, { role: 'runtime' });
  background = startBackgroundThread({ database: services.database, log: (entry) => told.push(entry) });
});
afterAll(() => background.stop());

test('values flow while it is dead, health says how far the log is behind, and it catches up', async () => {
  await store('first');
  await settled();
  for (let round = 1; round <= 3; round++) {
    await threads.at(-1)?.terminate();
    for (let number = 0; number < 10; number++) {
      await store(`s${round}_${number}`);
      expect(await resolve(`s${round}_${number}`)).toBe(`value of s${round}_${number}`);
    }
    // It is started anew a second after its death; until then nobody records.
    if (threads.length === round) expect(await lag()).toBeGreaterThan(0);
    await settled();
    expect(threads.length).toBeGreaterThan(round);
  }
  const { verified, events } = await verifyWhole(services, org, whole);
  expect(verified).toBe(true);
  const ids = services.database
    .all<{ id: string }>(
      "SELECT CAST(bytes AS TEXT) ->> '$.event.id' AS id FROM audit_records WHERE org = 'acme'",
    )
    .map(({ id }) => id);
  expect(new Set(ids).size).toBe(events);
  // An organization, a key, and a write and a resolve for each secret but the first.
  expect(events).toBeGreaterThanOrEqual(2 + 1 + 3 * 10 * 2);
}, 240_000);

test('one that fails by itself is told of, and started anew too', async () => {
  const before = threads.length;
  threads.at(-1)?.emit('error', new Error('out of memory'));
  expect(told).toContainEqual({ level: 'error', function: 'background', code: 'internal' });
  await threads.at(-1)?.terminate();
  await store('last');
  await settled();
  expect(threads.length).toBeGreaterThan(before);
}, 120_000);
