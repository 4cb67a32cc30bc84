import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import * as z from 'zod';
import { type Deployment, invoke, signed } from './deployment.ts';
import type { Attempt } from './probe.ts';

const page = z.object({
  Functions: z.array(
    z.object({
      FunctionName: z.string(),
      Role: z.string(),
      Environment: z.object({ Variables: z.record(z.string(), z.string()) }).optional(),
    }),
  ),
  NextMarker: z.string().nullish(),
});
const answers = z.array(z.object({ status: z.number(), text: z.string() }));

/** What each deployed function is named, and its role, by what it is called in its logs. */
export async function listFunctions(): Promise<ReadonlyMap<string, { function: string; role: string }>> {
  const functions = new Map<string, { function: string; role: string }>();
  for (let marker: string | null | undefined = ''; typeof marker === 'string'; ) {
    const path = `/2015-03-31/functions?MaxItems=50${marker === '' ? '' : `&Marker=${marker}`}`;
    const { Functions, NextMarker } = page.parse(await (await signed('lambda', path)).json());
    for (const { FunctionName, Role, Environment } of Functions) {
      const name = Environment?.Variables['POWERTOOLS_SERVICE_NAME'];
      if (name !== undefined) functions.set(name, { function: FunctionName, role: Role });
    }
    marker = NextMarker;
  }
  return functions;
}

/** What can be tried, by a name that says it. */
export function attemptsAt(outputs: Deployment['outputs']): ReadonlyMap<string, Attempt> {
  const storage = outputs('storage');
  const { TableName, DataKeyArn, RecoveryKeyArn, SigningKeyArn, MacKeyArn, CheckpointBucket } = storage;
  const context = { EncryptionContext: { organization: 'acme' } };
  const bytes = Buffer.from('bytes').toString('base64');
  const key = { pk: { S: 'org#acme#probe' }, sk: { S: 'probe' } };
  const kms = (operation: string, input: unknown) => json('kms', `TrentService.${operation}`, input);
  const table = (operation: string, input: Readonly<Record<string, unknown>>) =>
    json('dynamodb', `DynamoDB_20120810.${operation}`, { TableName, ...input });
  return new Map([
    ['kms:Decrypt', kms('Decrypt', { KeyId: DataKeyArn, CiphertextBlob: bytes, ...context })],
    ['kms:GenerateDataKey', kms('GenerateDataKey', { KeyId: DataKeyArn, NumberOfBytes: 32, ...context })],
    ['kms:Encrypt', kms('Encrypt', { KeyId: DataKeyArn, Plaintext: bytes, ...context })],
    ['kms:Encrypt, recovery', kms('Encrypt', { KeyId: RecoveryKeyArn, Plaintext: bytes, ...context })],
    ['kms:Decrypt, recovery', kms('Decrypt', { KeyId: RecoveryKeyArn, CiphertextBlob: bytes, ...context })],
    ['kms:Sign', kms('Sign', { KeyId: SigningKeyArn, Message: bytes, SigningAlgorithm: 'ECDSA_SHA_256' })],
    ['kms:GetPublicKey', kms('GetPublicKey', { KeyId: SigningKeyArn })],
    [
      'kms:GenerateMac',
      kms('GenerateMac', { KeyId: MacKeyArn, Message: bytes, MacAlgorithm: 'HMAC_SHA_256' }),
    ],
    ['kms:DisableKey', kms('DisableKey', { KeyId: DataKeyArn })],
    ['dynamodb:GetItem', table('GetItem', { Key: key })],
    ['dynamodb:DeleteItem', table('DeleteItem', { Key: key })],
    ['dynamodb:Scan', table('Scan', {})],
    ['dynamodb:DeleteTable', table('DeleteTable', {})],
    ['s3:GetObject', object('GET', `/${CheckpointBucket}/probe`)],
    ['s3:PutObject', object('PUT', `/${CheckpointBucket}/probe`)],
    ['s3:DeleteObject', object('DELETE', `/${CheckpointBucket}/probe`)],
    ['sns:Publish', publish(outputs('reminders')['ReminderTopic'] ?? '')],
    ['lambda:Invoke', orchestrate(outputs('api')['OrchestratorAlias'] ?? '')],
  ]);
}

function json(service: string, target: string, input: unknown): Attempt {
  const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target };
  return { service, path: '/', method: 'POST', headers, body: JSON.stringify(input) };
}

function object(method: string, path: string): Attempt {
  return { service: 's3', path, method, headers: {}, body: method === 'PUT' ? 'probe' : null };
}

function publish(topic: string): Attempt {
  const body = new URLSearchParams({
    Action: 'Publish',
    Version: '2010-03-31',
    TopicArn: topic,
    Message: 'm',
  });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return { service: 'sns', path: '/', method: 'POST', headers, body: body.toString() };
}

function orchestrate(alias: string): Attempt {
  const path = `/2015-03-31/functions/${encodeURIComponent(alias)}/invocations`;
  return { service: 'lambda', path, method: 'POST', headers: {}, body: '{}' };
}

/**
 * Makes functions of the probe's code with somebody else's role. The emulator checks signatures, session tokens and
 * actions on resources; of DynamoDB's conditions it knows no `dynamodb:LeadingKeys` (`dynamodb_service_context` in its
 * core/iam_actions.py), so what a role is denied of the table's partitions shows in iam.test.ts alone.
 */
export class Probes implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'fm-probe-'));
  #code = '';

  /** Bundles the probe. */
  async prepare(): Promise<void> {
    const file = join(this.#folder, 'index.js');
    const entryPoints = [join(import.meta.dirname, 'probe.ts')];
    await build({ entryPoints, outfile: file, bundle: true, platform: 'node', format: 'cjs' });
    const zip = join(this.#folder, 'probe.zip');
    const { status, stderr } = spawnSync('python3', ['-m', 'zipfile', '-c', zip, file], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`python3 -m zipfile: ${stderr}`);
    this.#code = readFileSync(zip).toString('base64');
  }

  /** @returns which of the attempts were not refused for want of a right */
  async allowed(name: string, role: string, attempts: ReadonlyMap<string, Attempt>): Promise<string[]> {
    const made = await signed('lambda', '/2015-03-31/functions', {
      method: 'POST',
      body: JSON.stringify({
        FunctionName: `probe-${name}`,
        Role: role,
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Timeout: 60,
        Code: { ZipFile: this.#code },
      }),
    });
    if (!made.ok) throw new Error(await made.text());
    const tried = [...attempts.keys()];
    const said = answers.parse(await invoke(`probe-${name}`, { attempts: [...attempts.values()] }));
    return tried.filter(
      (_, index) => !/AccessDenied|AuthorizationError|not authorized/i.test(said[index]?.text ?? ''),
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}
