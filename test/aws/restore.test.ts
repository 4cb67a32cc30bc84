import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentClient } from '../../shared/aws/clients.ts';
import { runFm } from '../testkit/cli.ts';
import { auditSettled, newDataDir, startServer } from '../testkit/server.ts';
import { startFunctions } from './bundled-functions.ts';
import { createTable } from './dynamo-host.ts';
import { clientFor, dynamodbLocal, ministack } from './emulators.ts';

// A store on one machine moves to AWS by its backup file: what callers have goes on there, through the functions as
// they are deployed. Once with the keyring, once with the recovery identity alone.

const folder = newDataDir();
const at = (name: string) => join(folder, name);
const SECRETS = 60;
const names = Array.from({ length: SECRETS }, (_, index) => `secret_${index}`);
const config = Object.fromEntries(names.map((name) => [name, `{{secrets.${name}}}`]));
const values = Object.fromEntries(names.map((name) => [name, `canary ${name}`]));
const s3 = new S3Client({ ...clientFor(ministack), forcePathStyle: true });

let functions: Awaited<ReturnType<typeof startFunctions>>;
let [admin, runtime] = ['', ''];

/** A table and a bucket of their own, as the outputs of a deployment name them. */
async function deployed(table: string): Promise<{ outputs: string; bucket: string }> {
  const bucket = `fm-restore-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const { FM_DATA_KEY_ID, FM_RECOVERY_KEY_ID, FM_SIGNING_KEY_ID, FM_MAC_KEY_ID } = process.env;
  const storage = {
    ...{ TableName: table, CheckpointBucket: bucket, DataKeyArn: FM_DATA_KEY_ID },
    ...{ RecoveryKeyArn: FM_RECOVERY_KEY_ID, SigningKeyArn: FM_SIGNING_KEY_ID, MacKeyArn: FM_MAC_KEY_ID },
  };
  const outputs = at(`outputs-${bucket}.json`);
  writeFileSync(outputs, JSON.stringify({ 'secrets-storage': storage }));
  return { outputs, bucket };
}

/** Who restores: somebody with AWS credentials, an empty folder, and no server. */
function restore(args: readonly string[]) {
  const { AWS_REGION = '', AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = process.env;
  const { AWS_ENDPOINT_URL_KMS = '' } = process.env;
  mkdirSync(at('elsewhere'), { recursive: true });
  return runFm(['admin', 'restore', at('backup.jsonl'), ...args], {
    ...{ AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL_S3: ministack },
    ...{ AWS_ENDPOINT_URL_DYNAMODB: dynamodbLocal, AWS_ENDPOINT_URL_KMS },
    FM_DATA_DIR: at('elsewhere'),
  });
}

beforeAll(async () => {
  const identity = await generateIdentity();
  writeFileSync(at('identity.txt'), `${identity}\n`, { mode: 0o600 });
  const recipient = await identityToRecipient(identity);
  await using server = await startServer(at('before'), { FM_RECOVERY_RECIPIENT: recipient });
  admin = server.adminKey;
  for (const name of names) {
    const body = { name, value: values[name], environment: 'production' };
    expect((await server.call('POST', '/api/v1/secrets', body)).status).toBe(201);
  }
  for (const new_value of ['second', 'third'])
    await server.call('POST', '/api/v1/secrets/secret_0/rotate', { new_value });
  await server.call('POST', '/api/v1/secrets/secret_0/rollback', { version: 1 });
  await server.call('POST', '/api/v1/secrets', { name: 'kept', value: 'canary kept' });
  const kept = { new_value: 'canary kept too', keep_previous_for: '1d' };
  expect((await server.call('POST', '/api/v1/secrets/kept/rotate', kept)).status).toBe(200);
  await server.call('POST', '/api/v1/secrets', { name: 'gone', value: 'canary gone' });
  await server.call('DELETE', '/api/v1/secrets/gone');
  const key = { name: 'orchestrator', role: 'runtime' };
  runtime = (await server.call('POST', '/api/v1/api-keys', key)).body.api_key;
  await server.call(
    'POST',
    '/api/v1/runs',
    { pipeline_id: 'p', environment: 'production', run_id: 'r1' },
    runtime,
  );
  await auditSettled(server);
  expect(
    (await runFm(['admin', 'backup', 'create', at('backup.jsonl')], { FM_DATA_DIR: at('before') })).code,
  ).toBe(0);
  writeFileSync(at('keyring.json'), readFileSync(at('before/keyring.json')), { mode: 0o600 });
  functions = await startFunctions();
}, 120_000);
afterAll(async () => {
  await functions.stop();
  rmSync(folder, { recursive: true });
});

describe('the store moves to AWS', () => {
  it('by the keyring that opens its data keys', { timeout: 120_000 }, async () => {
    const { outputs, bucket } = await deployed(process.env['FM_TABLE'] ?? '');
    Object.assign(process.env, { FM_CHECKPOINT_BUCKET: bucket, AWS_ENDPOINT_URL_S3: ministack });
    const restored = await restore(['--outputs', outputs, '--keyring', at('keyring.json')]);
    expect([restored.code, restored.stderr]).toEqual([0, '']);
    expect(restored.stdout).not.toContain('canary');
    expect(functions.kms.ledger.map(({ operation }) => operation)).not.toContain('Decrypt');
  });

  it('and the functions serve what it held, to the keys that callers have', {
    timeout: 120_000,
  }, async () => {
    const body = { config, environment: 'production' };
    const answer = await functions.call(runtime, 'resolve-config', { body });
    expect([answer.status, answer.json()['config']]).toEqual([200, values]);
    const history = await functions.call(admin, 'secret-history', { params: { name: 'secret_0' } });
    expect(JSON.parse(history.text).map(({ version }: { version: number }) => version)).toEqual([4, 3, 2, 1]);
    const back = await functions.call(admin, 'rollback-secret', {
      params: { name: 'secret_0' },
      body: { version: 3 },
    });
    expect(back.json()['version']).toBe(5);
    const again = await functions.call(admin, 'restore-secret', { params: { name: 'gone' } });
    expect(again.status).toBe(200);
    expect((await functions.call(admin, 'describe-run', { params: { run_id: 'r1' } })).json()).toMatchObject({
      run_id: 'r1',
    });
    const tended = await functions.stores.secrets.tendable('9', 10);
    expect(tended.map((one) => one.at.name)).toEqual(['kept']);
  });

  it('with its audit log whole, under a checkpoint of the new key', { timeout: 120_000 }, async () => {
    const verified = await functions.call(admin, 'verify-audit');
    expect(verified.json()).toMatchObject({ verified: true, checkpoints: 1 });
    expect(Number(verified.json()['events'])).toBeGreaterThan(SECRETS);
    const query = { secret_name: 'secret_7', action: 'create' };
    const found = JSON.parse((await functions.call(admin, 'query-audit', { query })).text);
    expect(found).toMatchObject([{ secret_name: 'secret_7', action: 'create' }]);
    const texts = (await functions.stores.waiting()).map((text) => JSON.parse(text).action);
    expect(texts).toContain('restore_backup');
  });

  it('into an empty table only', async () => {
    const { outputs } = await deployed(process.env['FM_TABLE'] ?? '');
    const restored = await restore(['--outputs', outputs, '--keyring', at('keyring.json')]);
    expect(restored.code).toBe(2);
    expect(restored.stderr).toMatch(/in use/);
  });

  it('with the recovery identity alone, the keyring being gone', { timeout: 120_000 }, async () => {
    const table = await createTable(documentClient(clientFor(dynamodbLocal)));
    const { outputs } = await deployed(table);
    const lost = await restore(['--outputs', outputs]);
    expect(lost.code).not.toBe(0);
    expect(lost.stderr).toMatch(/Nothing was restored/);
    const restored = await restore([
      '--outputs',
      outputs,
      '--recovery-identity',
      at('identity.txt'),
      '--json',
    ]);
    expect([restored.code, restored.stderr]).toEqual([0, '']);
    expect(JSON.parse(restored.stdout)).toMatchObject({ problems: [], without_recovery: 0 });
    const FM_TABLE = table;
    const { openServices } = await import('../../shared/aws/open-services.ts');
    const services = openServices({ ...process.env, FM_TABLE });
    const { resolveConfig } = await import('../../shared/secrets/resolve-config.ts');
    const { keyCaller } = await import('../testkit/callers.ts');
    const caller = { ...keyCaller('runtime'), org: 'default' as never };
    const answer = await resolveConfig(services, caller, { config, environment: 'production' as never });
    expect(answer.config).toEqual(values);
    const { resealVersions } = await import('../../shared/backup/reseal-versions.ts');
    const choice = { before: new Date().toISOString(), apply: true };
    const { versions, resealed } = await resealVersions(services, choice);
    expect([resealed, versions > SECRETS]).toEqual([versions, true]);
    services.dataKeys.clear();
    const again = await resolveConfig(services, caller, { config, environment: 'production' as never });
    expect(again.config).toEqual(values);
  });

  it('not by a keyring that is not there', async () => {
    const { outputs } = await deployed('fm-none');
    const restored = await restore(['--outputs', outputs, '--keyring', at('missing.json')]);
    expect([restored.code, restored.stderr]).toEqual([1, expect.stringMatching(/cannot be read/)]);
  });
});
