import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createOrganization } from '../../shared/callers/create-organization.ts';
import { organizationId } from '../../shared/contract/ids.ts';
import { startFunctions } from './bundled-functions.ts';
import { allows, rolesOf, templatesOf } from './template-reader.ts';

// The functions as they are deployed, bundled and trimmed, on their way to DynamoDB and KMS.

let functions: Awaited<ReturnType<typeof startFunctions>>;
let [admin, runtime] = ['', ''];

const names = Array.from({ length: 50 }, (_, index) => `s${index}`);
const config = Object.fromEntries(names.map((name) => [name, `{{secrets.${name}}}`]));
const asked = { config, environment: 'production', pipeline_id: 'p1', user: 'ada' };
const operations = (by: string) =>
  functions.proxy.asked
    .filter((one) => one.by === by)
    .map(({ operation }) => operation)
    .sort();
const forget = () => {
  functions.proxy.asked.length = 0;
  functions.kms.ledger.length = 0;
};

beforeAll(async () => {
  functions = await startFunctions();
  const { services } = await import('../../shared/aws/services.ts');
  await createOrganization(services, organizationId.parse('acme'), (made) => {
    admin = made;
  });
  const made = await functions.call(admin, 'create-api-key', {
    body: { name: 'orchestrator', role: 'runtime' },
  });
  runtime = String(made.json()['api_key']);
  for (const name of names) {
    const body = { name, value: `canary-${name}`, environment: 'production' };
    expect((await functions.call(admin, 'create-secret', { body })).status).toBe(201);
  }
}, 300_000);
afterAll(async () => {
  await functions.stop();
});
afterEach(() => {
  functions.proxy.faults.length = 0;
  functions.kms.failure = null;
  functions.kms.failing = null;
});

describe('what a resolve of fifty references costs', () => {
  it('cold: three reads at once, one of the data key, one unwrap, one record', async () => {
    await functions.call(runtime, 'resolve-config', { body: asked });
    forget();
    const answer = await functions.call(runtime, 'resolve-config', { body: asked, cold: true });
    expect(answer.json()['config']).toEqual(
      Object.fromEntries(names.map((name) => [name, `canary-${name}`])),
    );
    expect(operations('api/resolve-config')).toEqual([...Array(4).fill('BatchGetItem'), 'PutItem']);
    expect(functions.kms.ledger.map(({ operation }) => operation)).toEqual(['Decrypt']);
  });

  it('warm: three reads at once, one record, nothing of KMS', async () => {
    forget();
    expect((await functions.call(runtime, 'resolve-config', { body: asked })).status).toBe(200);
    expect(operations('api/resolve-config')).toEqual([...Array(3).fill('BatchGetItem'), 'PutItem']);
    expect(functions.kms.ledger).toEqual([]);
  });
});

describe('when AWS does not do as it should', () => {
  const one = { config: '{{secrets.s0}}', environment: 'production' };
  const expectUnavailable = (answer: Awaited<ReturnType<typeof functions.call>>) => {
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(answer.json()).toMatchObject({ code: 'unavailable' });
    expect(answer.text).not.toContain('canary');
  };

  it('a throttled read is tried again, and nobody notices', async () => {
    functions.proxy.faults.push({ operation: 'BatchGetItem', times: 2, error: 'ThrottlingException' });
    expect((await functions.call(runtime, 'resolve-config', { body: one })).json()).toMatchObject({
      config: 'canary-s0',
    });
  });

  it.each([
    ['BatchGetItem', 'ThrottlingException'],
    ['BatchGetItem', 'ExpiredTokenException'],
    ['BatchGetItem', 'InternalServerError'],
    ['PutItem', 'AccessDeniedException'],
    ['PutItem', 'ProvisionedThroughputExceededException'],
  ])('%s that always answers %s lets no value out, and says when to come again', async (operation, error) => {
    functions.proxy.faults.push({ operation, times: 1000, error });
    expectUnavailable(await functions.call(runtime, 'resolve-config', { body: one }));
  });

  it('a record whose answer is lost is put again, and then the value leaves', async () => {
    functions.proxy.faults.push({ operation: 'PutItem', times: 1 });
    expect((await functions.call(runtime, 'resolve-config', { body: one })).status).toBe(200);
  });

  it('a write whose answer is lost is carried out once', async () => {
    functions.proxy.faults.push({ operation: 'TransactWriteItems', times: 1 });
    const body = { name: 'once', value: 'canary-once' };
    expect((await functions.call(admin, 'create-secret', { body })).status).toBe(201);
    expect((await functions.call(admin, 'create-secret', { body })).status).toBe(409);
    const history = await functions.call(admin, 'secret-history', { params: { name: 'once' } });
    expect(JSON.parse(history.text)).toHaveLength(1);
  });

  it.each([
    'DisabledException',
    'KMSInvalidStateException',
    'ExpiredTokenException',
    'AccessDeniedException',
    'ThrottlingException',
  ])('KMS that answers %s at a cold start lets no value out', async (failure) => {
    functions.kms.failing = 'Decrypt';
    functions.kms.failure = failure;
    expectUnavailable(await functions.call(runtime, 'resolve-config', { body: one, cold: true }));
  });

  it('a wrapped key that KMS does not know is a stored secret that is not what was stored', async () => {
    functions.kms.failing = 'Decrypt';
    functions.kms.failure = 'InvalidCiphertextException';
    const answer = await functions.call(runtime, 'resolve-config', { body: one, cold: true });
    expect([answer.status, answer.json()['code']]).toEqual([500, 'decryption_failed']);
  });

  it('a recovery key that cannot be used stops writes, and no read', async () => {
    functions.kms.failing = 'Encrypt';
    functions.kms.failure = 'DisabledException';
    const body = { name: 'never', value: 'canary-never' };
    expectUnavailable(await functions.call(admin, 'create-secret', { body, cold: true }));
    expect((await functions.call(admin, 'describe-secret', { params: { name: 'never' } })).status).toBe(404);
    expect((await functions.call(runtime, 'resolve-config', { body: one, cold: true })).status).toBe(200);
  });
});

describe('the recorder', () => {
  const streamOf = (texts: readonly string[]) => ({
    Records: texts.map((text, index) => ({
      dynamodb: { SequenceNumber: String(index), NewImage: { event: { S: text } } },
    })),
  });

  it('says that the batch failed from its first record on, and takes it again', async () => {
    const texts = await functions.stores.waiting();
    functions.proxy.faults.push({
      operation: 'TransactWriteItems',
      times: 1000,
      error: 'InternalServerError',
    });
    expect(await functions.invoke('record-audit', streamOf(texts))).toEqual({
      batchItemFailures: [{ itemIdentifier: '0' }],
    });
    functions.proxy.faults.length = 0;
    for (let times = 0; times < 2; times++)
      expect(await functions.invoke('record-audit', streamOf(texts))).toEqual({ batchItemFailures: [] });
    const head = await functions.stores.auditLog.head(organizationId.parse('acme'));
    expect(head.sequence).toBe(texts.length);
  });

  it('takes an empty batch, and records without an event', async () => {
    expect(await functions.invoke('record-audit', { Records: [] })).toEqual({ batchItemFailures: [] });
    const removed = { Records: [{ eventName: 'REMOVE', dynamodb: { SequenceNumber: '1' } }] };
    expect(await functions.invoke('record-audit', removed)).toEqual({ batchItemFailures: [] });
  });
});

describe('roles', () => {
  const params = { name: 'rolled' };
  /** What is left of the routes: each once, and what runs by schedule. */
  const story: readonly [name: string, request: Parameters<typeof functions.call>[2]][] = [
    ['put-secret', { params, body: { value: 'canary-1', rotation_days: 30 } }],
    ['rotate-secret', { params, body: { new_value: 'canary-2' } }],
    ['rollback-secret', { params, body: { version: 1 } }],
    ['update-secret', { params, body: { description: 'd' } }],
    ['snooze-secret', { params, body: { days: 2 } }],
    ['list-secrets', {}],
    ['delete-secret', { params }],
    ['restore-secret', { params }],
    ['delete-secret', { params, query: { recovery_days: '0' } }],
    ['query-audit', {}],
    ['list-runs', { query: { secret_name: 's0' } }],
    ['list-api-keys', {}],
    ['describe-caller', {}],
    ['describe-organization', {}],
    ['update-organization', { body: { record_reads: false } }],
  ];

  it('let every function do what it does', async () => {
    for (const [name, request] of story) {
      const answer = await functions.call(admin, name, request);
      expect([name, answer.status, answer.status < 300 ? '' : answer.text]).toEqual([
        name,
        answer.status,
        '',
      ]);
    }
    const begun = await functions.call(runtime, 'start-run', {
      body: { pipeline_id: 'p1', environment: 'production' },
    });
    const { run_id, run_token } = begun.json();
    const resolved = await functions.invoke('resolve', { run_token, config: '{{secrets.s0}}' });
    expect(resolved).toMatchObject({ config: 'canary-s0' });
    expect((await functions.call(runtime, 'describe-run', { params: { run_id } })).status).toBe(200);
    expect((await functions.call(runtime, 'end-run', { params: { run_id } })).status).toBe(204);
    const id = String(
      (await functions.call(admin, 'describe-caller')).json()['key_id'] ?? runtime.split('_')[1],
    );
    await functions.call(admin, 'revoke-api-key', { params: { id } });
    await functions.invoke('purge-deleted', {});

    const roles = rolesOf(templatesOf({ stage: 'test' }));
    // Without what this test itself asked, by no function.
    const denied = functions.proxy.all
      .filter(({ by }) => by !== '')
      .flatMap(({ by, checks }) =>
        checks
          .filter(({ action, keys, index }) => !allows(roles.get(by) ?? [], action, keys, { index }))
          .map(({ action, keys }) => `${by} ${action} ${keys}`),
      );
    expect(new Set(functions.proxy.all.map(({ by }) => by)).size).toBeGreaterThan(20);
    expect([...new Set(denied)]).toEqual([]);
  });
});

it('in all of this no log had a value, a message of AWS or a credential, and each failure was named', () => {
  const lines = functions.logged.join('');
  expect(lines).not.toMatch(/canary|fm[kr]_/);
  expect(lines).toContain('"dependency":"kms","error":"DisabledException"');
  expect(lines).toContain('"dependency":"dynamodb","error":"ExpiredTokenException"');
  expect(lines).toContain('"Namespace":"test"');
});
