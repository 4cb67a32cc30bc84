import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsClient } from 'aws4fetch';
import * as z from 'zod';
import { createOrganization } from '../../shared/callers/create-organization.ts';
import { organizationId } from '../../shared/contract/ids.ts';
import type { Services } from '../../shared/services.ts';
import { type CliRun, runFm } from '../testkit/cli.ts';
import { guardedMinistack } from './guarded-emulator.ts';

/** The account's root, whom everything is allowed. */
export const ACCOUNT = '000000000000';
const STAGE = 'test';

/** The environment in which the CDK, the SDK and the deployed functions find the emulator. */
const awsEnvironment = {
  AWS_ACCESS_KEY_ID: ACCOUNT,
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'us-east-1',
  AWS_ENDPOINT_URL: guardedMinistack.endpoint,
  NODE_EXTRA_CA_CERTS: guardedMinistack.certificate,
  AWS_CA_BUNDLE: guardedMinistack.certificate,
  AWS_EC2_METADATA_DISABLED: 'true',
  CDK_DEFAULT_ACCOUNT: ACCOUNT,
  CDK_DEFAULT_REGION: 'us-east-1',
  CDK_DISABLE_CLI_TELEMETRY: 'true',
};

export interface Deployment {
  /** Where the API's routes begin. */
  readonly api: string;
  readonly resolveFunction: string;
  readonly orchestratorAlias: string;
  readonly resolveUrl: string;
  /** What a stack says of itself. */
  readonly outputs: (stack: string) => Readonly<Record<string, string>>;
  readonly services: Services;
}

const folder = mkdtempSync(join(tmpdir(), 'fm-deploy-'));

/** Removes what {@link deploy} left on this machine. */
export function removeOutput(): void {
  rmSync(folder, { recursive: true });
}

/** Deploys the whole app as it is, by the unmodified CDK. */
export async function deploy(): Promise<Deployment> {
  const outputsFile = join(folder, 'outputs.json');
  const out = ['--output', join(folder, 'cdk.out')];
  const context = [
    '-c',
    `stage=${STAGE}`,
    '-c',
    'retain=false',
    '-c',
    'checkpointDays=1',
    '-c',
    'emulated=true',
  ];
  await cdk('bootstrap', '--app', '', `aws://${ACCOUNT}/us-east-1`);
  const quiet = ['--require-approval', 'never', '--progress', 'events'];
  await cdk('deploy', '--all', ...out, ...context, ...quiet, '--outputs-file', outputsFile);
  const outputs = z
    .record(z.string(), z.record(z.string(), z.string()))
    .parse(JSON.parse(readFileSync(outputsFile, 'utf8')));
  const of = (stack: string) => outputs[stackName(stack)] ?? {};
  const { ApiId = '', ResolveFunction = '', OrchestratorAlias = '', ResolveUrl = '' } = of('api');
  return {
    api: `${guardedMinistack.endpoint}/_aws/execute-api/${ApiId}/$default`,
    resolveFunction: ResolveFunction,
    orchestratorAlias: OrchestratorAlias,
    // The emulator answers there by the path, and not by the name that AWS gives it.
    resolveUrl: `${guardedMinistack.endpoint}/_aws/lambda-url/${new URL(ResolveUrl).hostname.split('.')[0]}/`,
    outputs: of,
    services: await servicesOf(of('storage')),
  };
}

function stackName(stack: string): string {
  return `flowmason-secrets-${STAGE}-${stack}`;
}

/** The services as a function of the deployment has them: opened, as there, when they are loaded. */
async function servicesOf(outputs: Readonly<Record<string, string>>): Promise<Services> {
  Object.assign(process.env, awsEnvironment, {
    FM_TABLE: outputs['TableName'],
    FM_DATA_KEY_ID: outputs['DataKeyArn'],
    FM_RECOVERY_KEY_ID: outputs['RecoveryKeyArn'],
    FM_SIGNING_KEY_ID: outputs['SigningKeyArn'],
    FM_MAC_KEY_ID: outputs['MacKeyArn'],
    FM_CHECKPOINT_BUCKET: outputs['CheckpointBucket'],
  });
  const { services } = await import('../../shared/aws/services.ts');
  return services;
}

/** `fm bootstrap`, with what the deployment said of itself. */
export function bootstrap(organization: string): Promise<CliRun> {
  const args = ['bootstrap', organization, '--outputs', join(folder, 'outputs.json'), '--json'];
  return runFm(args, awsEnvironment);
}

/** Makes an organization as somebody does whom IAM lets at the table. @returns its first admin key */
export async function newOrganization(services: Services, id: string): Promise<string> {
  let key = '';
  await createOrganization(services, organizationId.parse(id), (made) => {
    key = made;
  });
  return key;
}

/** A request to a service of AWS or to a function's URL, signed as the account's root. */
export function signed(service: string, url: string, init: RequestInit = {}): Promise<Response> {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = awsEnvironment;
  const client = new AwsClient({ accessKeyId, secretAccessKey, service, region: 'us-east-1', retries: 0 });
  return client.fetch(new URL(url, guardedMinistack.endpoint), init);
}

/** Invokes a function directly, as somebody whom IAM lets do so. */
export async function invoke(functionName: string, payload: unknown): Promise<unknown> {
  const path = `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`;
  const answer = await signed('lambda', path, { method: 'POST', body: JSON.stringify(payload) });
  return answer.json();
}

async function cdk(...args: string[]): Promise<void> {
  const child = spawn('npx', ['cdk', ...args], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, ...awsEnvironment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`cdk ${args[0]} failed:\n${said.slice(-4000)}`);
}
