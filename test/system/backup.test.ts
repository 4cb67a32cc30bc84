import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runFm } from '../testkit/cli.ts';
import { findForms } from '../testkit/encodings.ts';
import { auditSettled, newDataDir, startServer, type TestServer } from '../testkit/server.ts';

// The drill: the machine is gone and its keyring with it. What is left is one file and the recovery identity.

const SECRETS = Number(process.env['FM_TEST_SECRETS'] ?? 2000);
const AT_ONCE = 64;
const PER_CONFIG = 200;
const folder = newDataDir();
const at = (name: string) => join(folder, name);
const names = Array.from({ length: SECRETS }, (_, i) => `secret_${i}`);
const secretOf = (name: string) => `canary ${name} Zq7!`;

let recipient = '';
let runtimeKey = '';
let runToken = '';
let adminKey = '';

beforeAll(async () => {
  const identity = await generateIdentity();
  recipient = await identityToRecipient(identity);
  writeFileSync(at('identity.txt'), `# created for a drill\n${identity}\n`, { mode: 0o600 });
  writeFileSync(at('other.txt'), `${await generateIdentity()}\n`, { mode: 0o600 });
  await using server = await startServer(at('before'), { FM_RECOVERY_RECIPIENT: recipient });
  adminKey = server.adminKey;
  await inTurns(names, async (name) => {
    const body = { name, value: secretOf(name), environment: 'production' };
    expect((await server.call('POST', '/api/v1/secrets', body)).status).toBe(201);
  });
  await use(server);
  await auditSettled(server);
  const plain = await runFm(['admin', 'backup', 'create', at('plain.jsonl')], { FM_DATA_DIR: at('before') });
  expect([plain.code, plain.stderr]).toEqual([0, '']);
  const sealed = ['admin', 'backup', 'create', at('backup.age'), '--recipient', recipient];
  expect((await runFm(sealed, { FM_DATA_DIR: at('before') })).code).toBe(0);
  // A copy of the keyring, for what can still be done with it.
  writeFileSync(at('keyring.json'), readFileSync(at('before/keyring.json')), { mode: 0o600 });
}, 600_000);

afterAll(() => rmSync(folder, { recursive: true }));

/** Leaves a bit of everything: versions, a deleted secret, keys, runs, accesses. */
async function use(server: TestServer): Promise<void> {
  const rotated = { new_value: 'second' };
  const created = { name: 'rotated', value: 'first' };
  expect((await server.call('POST', '/api/v1/secrets', created)).status).toBe(201);
  expect((await server.call('POST', '/api/v1/secrets/rotated/rotate', rotated)).status).toBe(200);
  expect((await server.call('POST', '/api/v1/secrets', { name: 'gone', value: 'x' })).status).toBe(201);
  expect((await server.call('DELETE', '/api/v1/secrets/gone')).status).toBe(204);
  const key = { name: 'runner', role: 'runtime' };
  runtimeKey = (await server.call('POST', '/api/v1/api-keys', key)).body.api_key;
  const run = { pipeline_id: 'p', environment: 'production', run_id: 'run_1' };
  runToken = (await server.call('POST', '/api/v1/runs', run, runtimeKey)).body.run_token;
  const config = '{{secrets.rotated}}';
  expect((await server.call('POST', '/api/v1/resolve', { config }, runToken)).body.config).toBe('second');
}

async function inTurns(items: readonly string[], one: (item: string) => Promise<void>): Promise<void> {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of waiting) await one(item);
    }),
  );
}

/** A server on a restored store, which the old admin key opens. */
async function startRestored(dataDir: string): Promise<TestServer> {
  const admin = { api_url: '', api_key: adminKey, org: 'default' };
  writeFileSync(at(`${dataDir}/admin.json`), JSON.stringify(admin), { mode: 0o600 });
  return startServer(at(dataDir));
}

const fm = (args: readonly string[], dataDir: string, settings = {}) =>
  runFm(args, { FM_DATA_DIR: at(dataDir), ...settings });
const recovery = ['--identity', at('identity.txt'), '--recovery-identity', at('identity.txt')];

describe('the keyring is gone', () => {
  test('every version opens by the recovery identity', async () => {
    const verified = await fm(['admin', 'backup', 'verify', at('backup.age'), ...recovery, '--json'], 'none');
    expect([verified.code, verified.stderr]).toEqual([0, '']);
    const report = JSON.parse(verified.stdout);
    expect(report).toMatchObject({ problems: [], without_recovery: 0, opened: SECRETS + 3 });
    expect(report.counts).toMatchObject({
      secret: SECRETS + 2,
      version: SECRETS + 3,
      run: 1,
      organization: 1,
    });
  });

  test('another identity opens none of them', async () => {
    const other = ['--identity', at('identity.txt'), '--recovery-identity', at('other.txt')];
    const verified = await fm(['admin', 'backup', 'verify', at('backup.age'), ...other], 'none');
    expect(verified.code).toBe(1);
    expect(verified.stdout).toMatch(/data key .*: decryption_failed/);
  });

  test('all is as it was, on another machine', async () => {
    mkdirSync(at('after'), { mode: 0o700 });
    const restored = await fm(['admin', 'restore', at('backup.age'), ...recovery], 'after');
    expect([restored.code, restored.stderr]).toEqual([0, '']);
    await using server = await startRestored('after');
    const configs = Array.from({ length: Math.ceil(SECRETS / PER_CONFIG) }, (_, i) =>
      names.slice(i * PER_CONFIG, (i + 1) * PER_CONFIG),
    );
    for (const config of configs) {
      const references = config.map((name) => `{{secrets.${name}}}`);
      const body = { config: references, environment: 'production' };
      const answer = await server.call('POST', '/api/v1/resolve', body, runtimeKey);
      expect(answer.body.config).toEqual(config.map(secretOf));
    }
    const history = await server.call('GET', '/api/v1/secrets/rotated/history');
    expect(history.body.map(({ version }: { version: number }) => version)).toEqual([2, 1]);
    const back = await server.call('POST', '/api/v1/secrets/rotated/rollback', { version: 1 });
    expect(back.body.version).toBe(3);
    expect((await server.call('POST', '/api/v1/secrets/gone/restore')).status).toBe(200);
    expect((await server.call('GET', '/api/v1/runs/run_1')).body.run_id).toBe('run_1');
    await auditSettled(server);
    const { body: audit } = await server.call('GET', '/api/v1/secrets/audit/verify');
    expect(audit.verified).toBe(true);
    expect(audit.events).toBeGreaterThan(SECRETS);
    for (const action of ['backup', 'restore_backup', 'create']) {
      const found = await server.call('GET', `/api/v1/secrets/audit?action=${action}&limit=5`);
      expect(found.body.length, action).toBeGreaterThan(0);
    }
    // Its signing key is gone: a run begins anew.
    expect((await server.call('POST', '/api/v1/resolve', { config: 'x' }, runToken)).status).toBe(401);
  });
});

test('with the keyring, run tokens are in force too', async () => {
  mkdirSync(at('moved'), { mode: 0o700 });
  writeFileSync(at('moved/keyring.json'), readFileSync(at('keyring.json')), { mode: 0o600 });
  const restored = await fm(['admin', 'restore', at('plain.jsonl')], 'moved');
  expect([restored.code, restored.stderr]).toEqual([0, '']);
  await using server = await startRestored('moved');
  const config = '{{secrets.rotated}}';
  expect((await server.call('POST', '/api/v1/resolve', { config }, runToken)).body.config).toBe('second');
});

test('a backup holds no value', () => {
  const bytes = readFileSync(at('plain.jsonl'));
  expect(findForms(secretOf('secret_0'), bytes)).toEqual([]);
  expect(findForms('secret_0', bytes)).not.toEqual([]);
});

describe('nothing is restored', () => {
  const lines = () => readFileSync(at('plain.jsonl'), 'utf8').split('\n');
  const changed = (change: (all: string[]) => string[]) => change(lines()).join('\n');
  const swap = (from: string, to: string) => changed((all) => all.map((line) => line.replace(from, to)));

  test.each([
    ['cut short', () => changed((all) => all.slice(0, -5))],
    ['without a row', () => changed((all) => all.toSpliced(3, 1))],
    ['with a row twice', () => changed((all) => all.toSpliced(3, 0, all[3] ?? ''))],
    ['with another name in a row', () => swap('secret_1#', 'secret_x#')],
    ['not a backup', () => '{"kind":"something else"}\n'],
    ['empty', () => ''],
  ])('from one %s', async (_how, content) => {
    writeFileSync(at('changed.jsonl'), content());
    const restored = await fm(['admin', 'restore', at('changed.jsonl'), ...recovery.slice(2)], 'empty');
    expect(restored.code).toBe(2);
    expect(restored.stderr).toMatch(/not a whole backup/);
  });

  test('from one that another key signed', async () => {
    await using other = await startServer(at('other'));
    const { body } = await other.call('GET', '/health');
    expect(body.status).toBe('ok');
    expect((await fm(['admin', 'backup', 'create', at('other.jsonl')], 'other')).code).toBe(0);
    const pem = JSON.parse(readFileSync(at('other.jsonl'), 'utf8').split('\n')[0] ?? '').public_key;
    writeFileSync(at('other.pem'), pem);
    const args = [
      'admin',
      'restore',
      at('plain.jsonl'),
      '--public-key',
      at('other.pem'),
      ...recovery.slice(2),
    ];
    const restored = await fm(args, 'empty');
    expect(restored.code).toBe(2);
    expect(restored.stderr).toMatch(/signed by another key/);
  });

  test('into a store that is in use, nor written over a file that is there', async () => {
    await using _used = await startServer(at('used'));
    const restored = await fm(['admin', 'restore', at('plain.jsonl')], 'used');
    expect(restored.code).toBe(2);
    expect(restored.stderr).toMatch(/in use/);
    const again = await fm(['admin', 'backup', 'create', at('plain.jsonl')], 'used');
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(/is there already/);
  });
});
