import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runFm } from '../testkit/cli.ts';
import { startServer, type TestServer } from '../testkit/server.ts';
import { clientFor, ministack, moto } from './emulators.ts';

let server: TestServer;
let runtimeKey: string;

beforeAll(async () => {
  server = await startServer();
  runtimeKey = (await server.call('POST', '/api/v1/api-keys', { name: 'r', role: 'runtime' })).body.api_key;
});
afterAll(() => server[Symbol.asyncDispose]());

describe.each([
  ['moto', moto, 'staging'],
  ['MiniStack', ministack, 'production'],
])('from AWS, by %s', (_name, endpoint, environment) => {
  const settings = () => ({
    FM_API_URL: server.url,
    FM_API_KEY: server.adminKey,
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: '111111111111',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
  const resolve = async (names: readonly string[]) => {
    const config = names.map((name) => `{{secrets.${name}}}`);
    const { body } = await server.call('POST', '/api/v1/resolve', { config, environment }, runtimeKey);
    return body.config;
  };

  test('Secrets Manager: text, JSON and bytes, more than one page', async () => {
    const client = new SecretsManagerClient(clientFor(endpoint));
    const json = '{"user":"ada","password":"p"}';
    await client.send(
      new CreateSecretCommand({ Name: 'prod/db', SecretString: json, Description: 'the database' }),
    );
    await client.send(
      new CreateSecretCommand({ Name: 'prod/bytes', SecretBinary: Buffer.from([0xff, 0xfe]) }),
    );
    for (let index = 0; index < 12; index += 1)
      await client.send(
        new CreateSecretCommand({ Name: `prod/many/${index}`, SecretString: `value ${index}` }),
      );
    await client.send(new CreateSecretCommand({ Name: 'other', SecretString: 'not asked for' }));
    const args = [
      'secrets',
      'import',
      '--from',
      'aws-secrets-manager',
      '--prefix',
      'prod/',
      '--env',
      environment,
    ];
    const plan = await runFm(args, settings());
    expect(plan).toMatchObject({ code: 0, stderr: 'create 14. Nothing was written; --apply does it.\n' });
    expect(await runFm([...args, '--apply'], settings())).toEqual({
      code: 0,
      stdout: 'Imported: create 14.\n',
      stderr: '',
    });
    expect(await runFm([...args, '--apply'], settings())).toEqual({
      code: 0,
      stdout: 'Imported: same 14.\n',
      stderr: '',
    });
    expect(await resolve(['db', 'db.user', 'bytes', 'many_11'])).toEqual([json, 'ada', '//4=', 'value 11']);
  });

  test('Parameter Store: decrypted, more than one page', async () => {
    const client = new SSMClient(clientFor(endpoint));
    const put = (Name: string, Value: string) =>
      client.send(new PutParameterCommand({ Name, Value, Type: 'SecureString' }));
    for (let index = 0; index < 12; index += 1) await put(`/app/many/p${index}`, `value ${index}`);
    await put('/app/token', 'tok-1\nsecond line');
    await put('/elsewhere/x', 'not asked for');
    const args = ['secrets', 'import', '--from', 'aws-ssm', '--prefix', '/app/', '--env', environment];
    expect(await runFm([...args, '--apply'], settings())).toEqual({
      code: 0,
      stdout: 'Imported: create 13.\n',
      stderr: '',
    });
    expect(await resolve(['token', 'many_p11'])).toEqual(['tok-1\nsecond line', 'value 11']);
  });
});

test('what AWS refuses is named by its kind alone', async () => {
  const settings = {
    FM_API_URL: server.url,
    FM_API_KEY: server.adminKey,
    AWS_ENDPOINT_URL: 'http://127.0.0.1:45999',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'canary',
    AWS_MAX_ATTEMPTS: '1',
  };
  const run = await runFm(['secrets', 'import', '--from', 'aws-ssm'], settings);
  expect([run.code, run.stdout]).toEqual([1, '']);
  expect(run.stderr).toMatch(/^fm: AWS could not be read\. \w+\.\n/);
});
