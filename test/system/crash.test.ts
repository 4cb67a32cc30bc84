import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Ledger } from '../testkit/ledger.ts';
import { Random, testSeed } from '../testkit/random.ts';
import { auditSettled, newDataDir, startServer, type TestServer } from '../testkit/server.ts';

/** How often the server is killed; FM_TEST_KILLS for a longer campaign. */
const KILLS = Number(process.env['FM_TEST_KILLS'] ?? 200);
const WORKERS = 8;
const AT_ONCE = 16;

/** A client with names of its own, so that the order of its own writes is known to it. */
class Worker {
  readonly id: number;
  #names: string[] = [];
  #made = 0;

  constructor(id: number) {
    this.id = id;
  }

  /** Those that it works with now. */
  get names(): readonly string[] {
    return this.#names;
  }

  pick(random: Random): string {
    while (this.#names.length < 5) this.#names.push(`w${this.id}_${this.#made++}`);
    return random.pick(this.#names);
  }

  /** A name that was deleted, or perhaps was, is not used again: what it should hold is known for good. */
  giveUp(name: string): void {
    this.#names = this.#names.filter((kept) => kept !== name);
  }
}

const MIX = [
  'put',
  'put',
  'put',
  'rotate',
  'rotate',
  'resolve',
  'resolve',
  'resolve',
  'resolve',
  'update',
  'run',
] as const;

/** Works until the server is gone. */
async function work(
  server: TestServer,
  runtimeKey: string,
  ledger: Ledger,
  random: Random,
  worker: Worker,
): Promise<void> {
  for (;;) {
    const name = worker.pick(random);
    const action = random.below(60) === 0 ? 'delete' : random.pick(MIX);
    try {
      if (action === 'delete') worker.giveUp(name);
      await actions[action](server, runtimeKey, ledger, name, worker.id);
    } catch (error) {
      // fetch fails when the server is gone; anything else is a failure of the test.
      if (error instanceof TypeError && /^(fetch failed|terminated)$/.test(error.message)) return;
      throw error;
    }
  }
}

type Action = (
  server: TestServer,
  runtimeKey: string,
  ledger: Ledger,
  name: string,
  worker: number,
) => Promise<void>;

const actions: Record<'put' | 'rotate' | 'resolve' | 'update' | 'delete' | 'run', Action> = {
  async put(server, _key, ledger, name) {
    const value = randomBytes(12).toString('hex');
    ledger.sent(name, value);
    const answer = await server.call('PUT', `/api/v1/secrets/${name}`, { value });
    expect([200, 201]).toContain(answer.status);
    ledger.stored(name, answer.body.version, value);
  },
  async rotate(server, _key, ledger, name) {
    const value = randomBytes(12).toString('hex');
    ledger.sent(name, value);
    const answer = await server.call('POST', `/api/v1/secrets/${name}/rotate`, { new_value: value });
    if (answer.status === 200) ledger.stored(name, answer.body.version, value);
    else expect(answer.status).toBe(404);
  },
  async resolve(server, key, ledger, name) {
    const answer = await server.call(
      'POST',
      '/api/v1/resolve',
      { config: `{{secrets.${name}}}`, environment: 'production' },
      key,
    );
    if (answer.status === 422) return;
    expect(answer.status).toBe(200);
    const request_id = answer.headers.get('x-request-id') ?? '';
    const { version } = answer.body.secrets[0];
    ledger.received.push({ request_id, name, version });
    expect(ledger.judge(name, { version, value: answer.body.config })).toBeNull();
  },
  async update(server, _key, _ledger, name) {
    const answer = await server.call('PATCH', `/api/v1/secrets/${name}`, {
      description: randomBytes(4).toString('hex'),
    });
    expect([200, 404]).toContain(answer.status);
  },
  async delete(server, _key, ledger, name) {
    ledger.deleting(name);
    const answer = await server.call('DELETE', `/api/v1/secrets/${name}`);
    if (answer.status === 204) ledger.deleted(name);
    else expect(answer.status).toBe(404);
  },
  async run(server, key, _ledger, _name, worker) {
    const run = { pipeline_id: `p${worker}`, environment: 'production' };
    const started = await server.call('POST', '/api/v1/runs', run, key);
    expect(started.status).toBe(201);
    const answer = await server.call(
      'DELETE',
      `/api/v1/runs/${started.body.run_id}`,
      undefined,
      started.body.run_token,
    );
    expect(answer.status).toBe(204);
  },
};

/** After a restart: every acknowledged write is there. */
async function checkSecrets(
  server: TestServer,
  runtimeKey: string,
  ledger: Ledger,
  names: readonly string[],
): Promise<void> {
  const check = async (name: string) => {
    const config = `{{secrets.${name}}}`;
    const answer = await server.call(
      'POST',
      '/api/v1/resolve',
      { config, environment: 'production' },
      runtimeKey,
    );
    const found =
      answer.status === 200 ? { version: answer.body.secrets[0].version, value: answer.body.config } : null;
    if (found === null) expect(answer.status).toBe(422);
    expect(ledger.judge(name, found), name).toBeNull();
  };
  for (let at = 0; at < names.length; at += AT_ONCE)
    await Promise.all(names.slice(at, at + AT_ONCE).map(check));
}

/** At the end: every value that left has its record, and the log is whole. */
async function checkRecords(server: TestServer, ledger: Ledger): Promise<void> {
  await auditSettled(server);
  const recorded = new Set<string>();
  let path = '/api/v1/secrets/audit?action=access&outcome=success&limit=1000';
  while (path !== '') {
    const page = await server.call('GET', path);
    for (const { request_id, secret_name, version } of page.body)
      recorded.add(`${request_id} ${secret_name} ${version}`);
    path = /<([^>]+)>/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
  }
  const missing = ledger.received.filter(
    ({ request_id, name, version }) => !recorded.has(`${request_id} ${name} ${version}`),
  );
  expect(missing).toEqual([]);
  const verified = await server.call('GET', '/api/v1/secrets/audit/verify');
  expect(verified.body).toMatchObject({ verified: true });
}

describe('kill -9 under a mixed load', () => {
  test(`${KILLS} times: nothing acknowledged is lost, and no value left without its record`, {
    timeout: 900_000,
  }, async () => {
    const seed = testSeed();
    process.stdout.write(`seed ${seed}\n`);
    const random = new Random(seed);
    const dataDir = newDataDir();
    const ledger = new Ledger();
    const workers = Array.from({ length: WORKERS }, (_, id) => new Worker(id));
    let server = await startServer(dataDir);
    const key = await server.call('POST', '/api/v1/api-keys', { name: 'runtime', role: 'runtime' });
    const runtimeKey = key.body.api_key;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const working = workers.map((worker) =>
        work(server, runtimeKey, ledger, new Random(random.below(2 ** 32)), worker),
      );
      await new Promise((resolve) => setTimeout(resolve, 50 + random.below(400)));
      await server.stop('SIGKILL');
      await Promise.all(working);
      server = await startServer(dataDir);
      // Those that are given up stay as they are: it is enough to look at them now and then.
      const names = kill % 20 === 19 ? ledger.names() : workers.flatMap((worker) => worker.names);
      await checkSecrets(server, runtimeKey, ledger, names);
    }
    await checkSecrets(server, runtimeKey, ledger, ledger.names());
    await checkRecords(server, ledger);
    process.stdout.write(
      `${KILLS} kills, ${ledger.acknowledged} acknowledged writes, ${ledger.received.length} values received\n`,
    );
    expect(ledger.acknowledged).toBeGreaterThan(KILLS);
    expect(ledger.received.length).toBeGreaterThan(KILLS);
    await server[Symbol.asyncDispose]();
  });
});

test('the ledger finds what it is there to find', () => {
  const ledger = new Ledger();
  ledger.stored('a', 1, 'one');
  ledger.stored('a', 2, 'two');
  ledger.sent('a', 'three');
  expect(ledger.judge('a', { version: 2, value: 'two' })).toBeNull();
  expect(ledger.judge('a', { version: 3, value: 'three' })).toBeNull();
  expect(ledger.judge('a', { version: 1, value: 'one' })).toMatch(/2 was acknowledged/);
  expect(ledger.judge('a', { version: 2, value: 'else' })).toMatch(/another value/);
  expect(ledger.judge('a', { version: 3, value: 'else' })).toMatch(/never sent/);
  expect(ledger.judge('a', null)).toMatch(/there is nothing/);
  ledger.deleted('a');
  expect(ledger.judge('a', { version: 2, value: 'two' })).toMatch(/was deleted/);
  expect(ledger.judge('a', null)).toBeNull();
});
