import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tendSecrets } from '../../shared/rotation/tend-secrets.ts';
import { call, itemsOf, jsonOf, newKey, newOrganization, record, services } from '../testkit/api.ts';
import { eventually } from '../testkit/server.ts';
import { type Cluster, type Login, startCluster } from './cluster.ts';

let cluster: Cluster;
let [admin, editor, runtime] = ['', '', ''];
const HOUR = 3_600_000;
const realNow = services.now;
let ahead = 0;
/** The service's clock runs ahead by so much; the pipelines do not wait for an hour. */
const pass = (ms: number) => {
  ahead += ms;
  Object.assign(services, { now: () => new Date(realNow().getTime() + ahead) });
};

const start = { username: 'app_a', password: 'the-first-password' };

beforeAll(async () => {
  cluster = await startCluster();
  await cluster.query(`CREATE ROLE app_a LOGIN PASSWORD '${start.password}'`);
  await cluster.query('CREATE ROLE app_b LOGIN');
  admin = await newOrganization('acme');
  editor = await newKey(admin, { role: 'editor' });
  runtime = await newKey(admin, { role: 'runtime' });
  await storeAdminSecret(cluster.admin.password);
});
afterAll(() => cluster[Symbol.asyncDispose]());
afterEach(() =>
  expect(services.database.all("SELECT 1 FROM outbox WHERE event LIKE '%the-first-password%'")).toEqual([]),
);

async function storeAdminSecret(password: string): Promise<void> {
  const { host, port, admin: login } = cluster;
  const value = JSON.stringify({ host, port, username: login.username, password });
  const reply = await call('put-secret', { as: admin, params: { name: 'pg_admin' }, body: { value } });
  expect([200, 201]).toContain(reply.status);
}

const rotator = {
  kind: 'postgres',
  admin_secret: 'pg_admin',
  users: ['app_a', 'app_b'],
  keep_previous_for: '1h',
};

async function create(name: string, login: Login = start): Promise<void> {
  const body = { name, value: JSON.stringify(login), rotation_days: 30 };
  expect((await call('create-secret', { as: admin, body })).status).toBe(201);
  expect((await call('set-rotator', { as: admin, params: { name }, body: { rotator } })).status).toBe(200);
}
const metadata = async (name: string) =>
  jsonOf(await call('describe-secret', { as: editor, params: { name } }));
const ask = (name: string, action: string, more: object = {}) =>
  call('request-rotation', { as: editor, params: { name }, body: { action, ...more } });

async function resolved(reference: string): Promise<Login> {
  const body = { config: `{{secrets.${reference}}}`, environment: 'production' };
  return JSON.parse(String(jsonOf(await call('resolve-config', { as: runtime, body }))['config'])) as Login;
}

describe('pipelines that keep resolving', () => {
  it('never fail to log in while the password is staged, tested, activated, overlaps and retires', async () => {
    await create('db');
    const ROTATIONS = 4;
    const WORKERS = 4;
    const AT_LEAST = 2000;
    const logins = Array.from({ length: WORKERS }, () => 0);
    const failures: string[] = [];
    const users = new Set<string>();
    let stopped = false;
    const pipelines = logins.map(async (_, worker) => {
      while (!stopped) {
        try {
          users.add(await cluster.login(await resolved('db')));
        } catch (error) {
          failures.push(error instanceof Error ? error.message : 'unknown');
        }
        logins[worker] = (logins[worker] ?? 0) + 1;
      }
    });
    const total = () => logins.reduce((sum, count) => sum + count, 0);
    /** Waits until whatever was resolved before has logged in, and so many more have. */
    const goOn = async (count: number) => {
      const from = [...logins];
      const until = total() + count;
      await eventually(
        async () => total() >= until && logins.every((now, worker) => now >= (from[worker] ?? 0) + 2),
        600,
      );
    };
    const retired: Login[] = [];
    const rotateOften = async () => {
      for (let rotation = 1; rotation <= ROTATIONS; rotation++) {
        await goOn(AT_LEAST / (ROTATIONS * 2));
        const before = await resolved('db');
        expect((await ask('db', 'start')).status).toBe(200);
        await tendSecrets(services);
        expect(await metadata('db')).toMatchObject({
          version: rotation + 1,
          state: 'overlap',
          rotation: { step: 'finish', state: 'running', error: null },
        });
        expect((await resolved('db')).username).not.toBe(before.username);
        expect(await cluster.login(await resolved('db@previous'))).toBe(before.username);
        await goOn(AT_LEAST / (ROTATIONS * 2));
        pass(HOUR + 1000);
        await tendSecrets(services);
        expect(await metadata('db')).toMatchObject({ state: 'settled', rotation: { state: 'done' } });
        retired.push(before);
      }
    };
    await rotateOften().finally(() => {
      stopped = true;
    });
    await Promise.all(pipelines);
    process.stdout.write(
      `${total()} logins by ${[...users].sort().join()} over ${ROTATIONS} rotations, ${failures.length} failed\n`,
    );
    expect(failures).toEqual([]);
    expect(total()).toBeGreaterThanOrEqual(AT_LEAST);
    expect([...users].sort()).toEqual(['app_a', 'app_b']);
    for (const old of retired)
      await expect(cluster.login(old)).rejects.toThrow('password authentication failed');
    // The server logs the statements; no password is in them.
    expect(cluster.log()).toContain('ALTER ROLE');
    expect(cluster.log()).not.toContain((await resolved('db')).password);
  });
});

describe('a version that is held pending', () => {
  it('is logged in with before anybody gets it, and no pipeline fails from stage to retirement', async () => {
    // Two roles by hand, as a team without a rotator does it.
    await cluster.query("CREATE ROLE held_a LOGIN PASSWORD 'held-one'");
    await cluster.query('CREATE ROLE held_b LOGIN');
    const [one, two] = [
      { username: 'held_a', password: 'held-one' },
      { username: 'held_b', password: 'held-two' },
    ];
    const name = 'db_held';
    await call('create-secret', { as: admin, body: { name, value: JSON.stringify(one) } });
    const logins = Array.from({ length: 4 }, () => 0);
    const failures: string[] = [];
    const counts = new Map<string, number>();
    let stopped = false;
    const pipelines = logins.map(async (_, worker) => {
      while (!stopped) {
        try {
          const user = await cluster.login(await resolved(name));
          counts.set(user, (counts.get(user) ?? 0) + 1);
        } catch (error) {
          failures.push(error instanceof Error ? error.message : 'unknown');
        }
        logins[worker] = (logins[worker] ?? 0) + 1;
      }
    });
    const total = () => logins.reduce((sum, count) => sum + count, 0);
    const goOn = async () => {
      const from = [...logins];
      const until = total() + 500;
      await eventually(
        async () => total() >= until && logins.every((now, worker) => now >= (from[worker] ?? 0) + 2),
        600,
      );
    };
    const go = async () => {
      await goOn();
      const body = { new_value: JSON.stringify(two), stage: 'pending', keep_previous_for: '1h' };
      expect((await call('rotate-secret', { as: editor, params: { name }, body })).status).toBe(200);
      // Pending, and the database does not know it yet: the test finds that, and nobody else is hurt.
      await expect(cluster.login(await resolved(`${name}@pending`))).rejects.toThrow();
      await goOn();
      await cluster.query("ALTER ROLE held_b PASSWORD 'held-two'");
      expect(await cluster.login(await resolved(`${name}@pending`))).toBe('held_b');
      expect(counts.has('held_b')).toBe(false);
      const activated = await call('activate-secret', { as: editor, params: { name }, body: { version: 2 } });
      expect(activated.status).toBe(200);
      await goOn();
      expect(await cluster.login(await resolved(`${name}@previous`))).toBe('held_a');
      pass(HOUR + 1000);
      await tendSecrets(services);
      expect(await metadata(name)).toMatchObject({ state: 'settled', previous: null, version: 2 });
      await cluster.query('ALTER ROLE held_a NOLOGIN');
      await goOn();
    };
    await go().finally(() => {
      stopped = true;
    });
    await Promise.all(pipelines);
    const users = [...counts].map(([user, count]) => `${user} ${count}`).join(', ');
    process.stdout.write(`${total()} logins with one held pending (${users}), ${failures.length} failed\n`);
    expect(failures).toEqual([]);
    expect(total()).toBeGreaterThanOrEqual(2000);
    await expect(cluster.login(one)).rejects.toThrow();
  });
});

describe('a rotation that fails', () => {
  it('leaves the old version current, says so, and goes on when it is resumed', async () => {
    const login = await resolved('db');
    await create('db_fails', login);
    await storeAdminSecret('not the password');
    await ask('db_fails', 'start');
    await tendSecrets(services);
    expect(await metadata('db_fails')).toMatchObject({
      version: 1,
      state: 'staged',
      rotation: { step: 'test', state: 'failed', error: 'test: the database refused (28P01)' },
    });
    expect(await cluster.login(await resolved('db_fails'))).toBe(login.username);
    await record();
    const query = { secret_name: 'db_fails', action: 'rotation', outcome: 'failed' };
    expect(itemsOf(await call('query-audit', { as: admin, query }))).toMatchObject([
      { outcome: 'failed', reason: 'test: the database refused (28P01)', user: 'schedule' },
    ]);
    // It does not try again by itself, and nobody else starts another one.
    await tendSecrets(services);
    expect((await ask('db_fails', 'start')).status).toBe(409);
    await storeAdminSecret(cluster.admin.password);
    expect((await ask('db_fails', 'resume')).status).toBe(200);
    await tendSecrets(services);
    expect(await metadata('db_fails')).toMatchObject({ version: 2, state: 'overlap' });
    const now = await resolved('db_fails');
    expect(await cluster.login(now)).toBe(now.username);
    expect(now.username).not.toBe(login.username);
  });

  it('is abandoned by one command', async () => {
    await create('db_stuck', await resolved('db_fails'));
    await storeAdminSecret('not the password');
    await ask('db_stuck', 'start');
    await tendSecrets(services);
    expect((await metadata('db_stuck'))['state']).toBe('staged');
    expect(jsonOf(await ask('db_stuck', 'abandon'))).toMatchObject({
      state: 'settled',
      version: 1,
      rotation: null,
    });
    expect((await ask('db_stuck', 'abandon')).status).toBe(409);
    await storeAdminSecret(cluster.admin.password);
  });

  it('is refused for a role that is none of its users, whatever an editor writes into the value', async () => {
    await create('db_forged', { username: cluster.admin.username, password: 'x' });
    await ask('db_forged', 'start');
    await tendSecrets(services);
    expect((await metadata('db_forged'))['rotation']).toMatchObject({
      state: 'failed',
      error: 'create: the value names a role that is none of its users',
    });
    expect(await cluster.login(cluster.admin)).toBe(cluster.admin.username);
  });
});

describe('a step that was cut off', () => {
  it('is carried out again, from every step, to the same end', async () => {
    await create('db_cut', await resolved('db_fails'));
    await ask('db_cut', 'start');
    const save = services.secrets.save.bind(services.secrets);
    let cuts = 0;
    for (const _step of ['create', 'test', 'activate']) {
      // The work of the step is done, and what it came to is not saved: as if the process had ended.
      Object.assign(services.secrets, {
        save: () => {
          cuts += 1;
          throw new Error('cut off');
        },
      });
      await tendSecrets(services);
      let allowed = 1;
      Object.assign(services.secrets, {
        save: async (change: Parameters<typeof save>[0]) => {
          if (allowed-- <= 0) throw new Error('cut off');
          return save(change);
        },
      });
      await tendSecrets(services);
    }
    Object.assign(services.secrets, { save });
    await tendSecrets(services);
    expect(cuts).toBeGreaterThanOrEqual(3);
    expect(await metadata('db_cut')).toMatchObject({
      version: 2,
      state: 'overlap',
      rotation: { state: 'running' },
    });
    const now = await resolved('db_cut');
    expect(await cluster.login(now)).toBe(now.username);
  });
});

describe('a rotator', () => {
  it('rotates by itself when the secret is due, and a dry run changes nothing', async () => {
    await create('db_due', await resolved('db_cut'));
    await ask('db_due', 'start', { dry_run: true });
    await tendSecrets(services);
    expect(await metadata('db_due')).toMatchObject({
      version: 1,
      rotation: { state: 'done', dry_run: true },
    });
    pass(31 * 24 * HOUR);
    await tendSecrets(services);
    expect(await metadata('db_due')).toMatchObject({
      version: 2,
      state: 'overlap',
      last_rotated_by: 'schedule',
    });
  });

  it('of tokens makes random ones', async () => {
    await call('create-secret', { as: admin, body: { name: 'token', value: 'old' } });
    const token = { kind: 'token', bytes: 32, prefix: 'fm_' };
    await call('set-rotator', { as: admin, params: { name: 'token' }, body: { rotator: token } });
    await ask('token', 'start');
    await tendSecrets(services);
    const body = { config: '{{secrets.token}}', environment: 'production' };
    const value = jsonOf(await call('resolve-config', { as: runtime, body }))['config'];
    expect(value).toMatch(/^fm_[A-Za-z0-9_-]{43}$/);
  });

  it('is an admin’s to set, and no hook leads into a private network', async () => {
    const set = (as: string, to: object) =>
      call('set-rotator', { as, params: { name: 'token' }, body: { rotator: to } });
    expect((await set(editor, { kind: 'token' })).status).toBe(403);
    for (const url of [
      'http://example.com',
      'https://127.0.0.1/x',
      'https://169.254.169.254/',
      'https://u:p@example.com',
    ])
      expect((await set(admin, { kind: 'https', url })).status).toBe(422);
    const answer = jsonOf(await set(admin, { kind: 'https', url: 'https://example.com/hook' }));
    expect(answer['signing_key']).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  });
});
