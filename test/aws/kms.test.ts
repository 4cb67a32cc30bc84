import { CreateKeyCommand, DisableKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { kmsClient } from '../../shared/aws/clients.ts';
import { KmsKeyService } from '../../shared/aws/kms.ts';
import { environmentName } from '../../shared/contract/ids.ts';
import { keyServiceSuite } from '../conformance/key-service.ts';
import { faultyTest, type KnownFaults } from '../conformance/known-faults.ts';
import { acme } from '../conformance/samples.ts';
import { codeOfRejection } from '../testkit/failure.ts';
import { clientFor, ministack, moto } from './emulators.ts';
import { FakeKms } from './fake-kms.ts';

const CONTEXT = { org: acme, environment: environmentName.parse('production'), data_key: 'dk-1' };

/** Two key services of one account, with keys of their own. */
function emulatedKeys(endpoint: string) {
  const client = kmsClient(clientFor(endpoint));
  return async () => {
    const recovery = { client, id: await createDataKey(client) };
    const arns = await arnsOf(client);
    const restorer = new KmsKeyService(client, { ...arns, dataKeyId: recovery.id });
    return {
      keys: new KmsKeyService(client, arns, recovery),
      otherKeys: new KmsKeyService(client, await arnsOf(client)),
      openRecovery: restorer.unwrapDataKey.bind(restorer),
    };
  };
}

async function arnsOf(client: KMSClient) {
  return {
    dataKeyId: await createDataKey(client),
    signingKeyId: await createSigningKey(client),
    macKeyId: await createMacKey(client),
  };
}

async function createDataKey(client: KMSClient): Promise<string> {
  return (await client.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
}

async function createSigningKey(client: KMSClient): Promise<string> {
  const command = new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
  return (await client.send(command)).KeyMetadata?.Arn ?? '';
}

async function createMacKey(client: KMSClient): Promise<string> {
  const command = new CreateKeyCommand({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
  return (await client.send(command)).KeyMetadata?.Arn ?? '';
}

/** What only KMS has: a key that is disabled. */
function disabledKeySuite(endpoint: string, faults: KnownFaults): void {
  const test = faultyTest(faults);
  test('a disabled key is unavailable, and its data keys are not lost', async () => {
    const client = kmsClient(clientFor(endpoint));
    const keyId = await createDataKey(client);
    const keys = new KmsKeyService(client, { dataKeyId: keyId, signingKeyId: keyId, macKeyId: keyId });
    const { wrapped } = await keys.generateDataKey(CONTEXT);
    await client.send(new DisableKeyCommand({ KeyId: keyId }));
    expect(await codeOfRejection(keys.unwrapDataKey(wrapped, CONTEXT))).toBe('unavailable');
    expect(await codeOfRejection(keys.generateDataKey(CONTEXT))).toBe('unavailable');
  });
}

describe('KMS in this process', () => {
  const kms = new FakeKms();
  let client: KMSClient;
  let keys: KmsKeyService;
  let arns = { dataKeyId: '', signingKeyId: '', macKeyId: '' };
  let recoveryKeyId = '';
  const newArns = () => ({
    dataKeyId: kms.createDataKey(),
    signingKeyId: kms.createSigningKey(),
    macKeyId: kms.createMacKey(),
  });

  const start = async () => {
    client = kmsClient(clientFor(await kms.start()));
    arns = newArns();
    recoveryKeyId = kms.createDataKey();
    keys = new KmsKeyService(client, arns, { client, id: recoveryKeyId });
    const restorer = new KmsKeyService(client, { ...arns, dataKeyId: recoveryKeyId });
    return {
      keys,
      otherKeys: new KmsKeyService(client, newArns()),
      openRecovery: restorer.unwrapDataKey.bind(restorer),
    };
  };
  let started: ReturnType<typeof start> | undefined;
  const startOnce = () => {
    started ??= start();
    return started;
  };
  beforeAll(async () => {
    await startOnce();
  });
  beforeEach(() => {
    kms.failure = null;
    kms.failing = null;
    kms.ledger.length = 0;
  });
  afterAll(() => kms.stop());

  keyServiceSuite(startOnce);

  it('is told the key and the whole context on every call', async () => {
    const { wrapped } = await keys.generateDataKey(CONTEXT);
    await keys.unwrapDataKey(wrapped, CONTEXT);
    await keys.generateDataKey({ ...CONTEXT, environment: null });
    const bare = { use: 'flowmason/data-key/v1', org: 'acme', data_key: 'dk-1' };
    const context = { ...bare, environment: 'production' };
    expect(kms.ledger).toEqual([
      { operation: 'GenerateDataKey', keyId: arns.dataKeyId, context },
      { operation: 'Encrypt', keyId: recoveryKeyId, context },
      { operation: 'Decrypt', keyId: arns.dataKeyId, context },
      { operation: 'GenerateDataKey', keyId: arns.dataKeyId, context: bare },
      { operation: 'Encrypt', keyId: recoveryKeyId, context: bare },
    ]);
  });

  it('makes no data key that the recovery key could not open', async () => {
    for (const operation of ['GenerateDataKey', 'Encrypt'] as const) {
      kms.failing = operation;
      kms.failure = 'DisabledException';
      expect(await codeOfRejection(keys.generateDataKey(CONTEXT))).toBe('unavailable');
    }
  });

  it('is asked for the public key once, and again only after a failure', async () => {
    const fresh = new KmsKeyService(client, arns);
    kms.failure = 'KMSInvalidStateException';
    expect(await codeOfRejection(fresh.publicKey())).toBe('unavailable');
    kms.failure = null;
    await Promise.all([fresh.publicKey(), fresh.publicKey()]);
    await fresh.publicKey();
    expect(kms.ledger.map(({ operation }) => operation)).toEqual(['GetPublicKey', 'GetPublicKey']);
  });

  for (const name of [
    'DisabledException',
    'KMSInvalidStateException',
    'NotFoundException',
    'AccessDeniedException',
    'KeyUnavailableException',
    'ExpiredTokenException',
    'InvalidGrantTokenException',
  ]) {
    it(`is unavailable when it answers ${name}`, async () => {
      const { wrapped } = await keys.generateDataKey(CONTEXT);
      kms.failure = name;
      expect(await codeOfRejection(keys.generateDataKey(CONTEXT))).toBe('unavailable');
      expect(await codeOfRejection(keys.unwrapDataKey(wrapped, CONTEXT))).toBe('unavailable');
      expect(await codeOfRejection(keys.sign('run-token', wrapped))).toBe('unavailable');
      expect(await codeOfRejection(keys.mac('fingerprint', Buffer.of(1)))).toBe('unavailable');
    });
  }

  it('is tried again when it throttles, and then is unavailable', async () => {
    kms.failure = 'ThrottlingException';
    expect(await codeOfRejection(keys.generateDataKey(CONTEXT))).toBe('unavailable');
    expect(kms.ledger.length).toBeGreaterThan(1);
  });

  it('refuses a key of another use', async () => {
    const mixedUp = new KmsKeyService(client, {
      dataKeyId: arns.signingKeyId,
      signingKeyId: arns.macKeyId,
      macKeyId: arns.dataKeyId,
    });
    expect(await codeOfRejection(mixedUp.generateDataKey(CONTEXT))).toBe('unavailable');
    expect(await codeOfRejection(mixedUp.sign('api-key', Buffer.of(1)))).toBe('unavailable');
    expect(await codeOfRejection(mixedUp.mac('fingerprint', Buffer.of(1)))).toBe('unavailable');
  });

  it('that cannot be reached is unavailable', async () => {
    const nobody = kmsClient({ ...clientFor('http://127.0.0.1:9'), maxAttempts: 1 });
    const alone = new KmsKeyService(nobody, arns);
    expect(await codeOfRejection(alone.generateDataKey(CONTEXT))).toBe('unavailable');
  });
});

describe('MiniStack’s KMS', () => {
  keyServiceSuite(emulatedKeys(ministack), {
    // Its cipher is an XOR pad: nothing is authenticated, and the named key is not compared.
    'unwraps nothing that was changed in any byte': 'always',
    'unwraps nothing that another root wrapped': 'always',
    'opens nothing of it by itself': 'always',
  });
  disabledKeySuite(ministack, {});
});

describe('moto’s KMS', () => {
  keyServiceSuite(emulatedKeys(moto), {
    // It calls another key, also one that a changed byte made up, AccessDeniedException: IAM's answer as well.
    'unwraps nothing that another root wrapped': 'always',
    'opens nothing of it by itself': 'always',
    'unwraps nothing that was changed in any byte': 'always',
    'unwraps nothing that was cut or lengthened': {
      sometimes: 'it breaks when what is left, which is random, names a key by bytes that are no text',
    },
    // It hashes a digest again.
    'are ECDSA P-256 over the purpose and the message, of any size': 'always',
  });
  disabledKeySuite(moto, { 'a disabled key is unavailable, and its data keys are not lost': 'always' });
});
