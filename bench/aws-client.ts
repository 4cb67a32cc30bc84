import { CreateKeyCommand, type CreateKeyCommandInput, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Context } from 'aws-lambda';
import type { Caller } from '../shared/access/caller.ts';
import { eventText } from '../shared/audit/chain.ts';
import type { AuditEvent } from '../shared/audit/event.ts';
import { recordAudit } from '../shared/audit/record-audit.ts';
import { DynamoAuditOutbox } from '../shared/aws/audit-outbox.ts';
import { documentClient } from '../shared/aws/clients.ts';
import { organizationId } from '../shared/contract/ids.ts';
import { createSecretRequest } from '../shared/contract/secrets.ts';
import { createSecret } from '../shared/secrets/create-secret.ts';
import { createTable } from '../test/aws/dynamo-host.ts';
import { nameOf, VALUE } from './store.ts';

/**
 * `node --conditions=aws bench/aws-client.ts`, with AWS_ENDPOINT_URL of an emulator: resolves 1, 10 and 50
 * references by the resolve function's own handler, and reads as many secrets from Secrets Manager. Prints
 * times, CPU, and what was asked of DynamoDB and KMS.
 */
const SIZES = [1, 10, 50];
const WARM = 20;
const TURNS = 40;
/** Events that the stream hands to the recorder together. */
const BATCH = 100;

const kms = new KMSClient();
const newKey = async (input: CreateKeyCommandInput) =>
  (await kms.send(new CreateKeyCommand(input))).KeyMetadata?.Arn;
Object.assign(process.env, {
  FM_TABLE: await createTable(documentClient()),
  FM_DATA_KEY_ID: await newKey({}),
  FM_RECOVERY_KEY_ID: await newKey({}),
  FM_SIGNING_KEY_ID: await newKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
  FM_MAC_KEY_ID: await newKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }),
  FM_CHECKPOINT_BUCKET: 'bench',
});
const { services } = await import('../shared/aws/services.ts');
const { handler } = await import('../functions/resolve.ts');

/** What was asked since it was last looked at. */
let asked: Record<string, number> = {};
let units = { read: 0, write: 0 };
count(DynamoDBDocumentClient.prototype);
count(KMSClient.prototype);
const events: string[] = [];
const append = DynamoAuditOutbox.prototype.append;
DynamoAuditOutbox.prototype.append = function (this: DynamoAuditOutbox, event: AuditEvent) {
  events.push(eventText(event));
  return append.call(this, event);
};

function take() {
  const taken = { asked, ...units };
  asked = {};
  units = { read: 0, write: 0 };
  return taken;
}

/** Counts what a client sends, and the capacity that DynamoDB says it took. */
function count(client: { send: unknown }): void {
  const send = client.send as (command: { input: object }) => Promise<Answer>;
  client.send = async function (this: unknown, command: { input: object }) {
    const name = command.constructor.name.replace('Command', '');
    asked[name] = (asked[name] ?? 0) + 1;
    const isOfTable = client === DynamoDBDocumentClient.prototype;
    if (isOfTable) Object.assign(command.input, { ReturnConsumedCapacity: 'TOTAL' });
    const answer = await send.call(this, command);
    if (name === 'BatchGet') units.read += keysOf(command.input);
    for (const { CapacityUnits = 0 } of [answer.ConsumedCapacity ?? []].flat()) {
      if (name !== 'BatchGet') units[/Get|Query/.test(name) ? 'read' : 'write'] += CapacityUnits;
    }
    return answer;
  };
}

/** The emulator does not say what a BatchGet takes: one unit a key, as long as the items are below 4 KB. */
function keysOf(input: object): number {
  const { RequestItems } = input as { RequestItems: Record<string, { Keys: readonly unknown[] }> };
  return Object.values(RequestItems).reduce((sum, { Keys }) => sum + Keys.length, 0);
}

interface Answer {
  readonly ConsumedCapacity?: { readonly CapacityUnits?: number } | { readonly CapacityUnits?: number }[];
}

const org = organizationId.parse('bench');
const admin = {
  kind: 'api-key',
  org,
  key_id: 'bench',
  role: 'admin',
  subject: 'bench',
  pipelines: null,
  environments: null,
  request_id: 'seed',
  ip_address: null,
  idempotency: null,
} as unknown as Caller;
const manager = new SecretsManagerClient();
for (let at = 0; at < 50; at += 1) {
  const secret = createSecretRequest.parse({ name: nameOf(at), value: VALUE, environment: 'production' });
  await createSecret(services, admin, secret);
  await manager.send(new CreateSecretCommand({ Name: nameOf(at), SecretString: VALUE }));
}

async function resolve(size: number): Promise<void> {
  const config = Object.fromEntries(
    Array.from({ length: size }, (_, at) => [`k${at}`, `{{secrets.${nameOf(at)}}}`]),
  );
  const payload = { org, environment: 'production', pipeline_id: 'p', run_id: 'r', config };
  const invokedFunctionArn = 'arn:aws:lambda:us-east-1:000000000000:function:resolve:orchestrator';
  const answer = await handler(payload, { awsRequestId: 'r', invokedFunctionArn } as Context);
  if ('status' in answer) throw new Error(`a resolve was answered ${answer.code}`);
}

async function readAll(size: number): Promise<void> {
  await Promise.all(
    Array.from({ length: size }, (_, at) =>
      manager.send(new GetSecretValueCommand({ SecretId: nameOf(at) })),
    ),
  );
}

/** Wall and CPU of one turn, in milliseconds: the median and the mean. */
async function timed(turn: () => Promise<void>): Promise<{ ms: number; cpu: number }> {
  for (let at = 0; at < WARM; at += 1) await turn();
  take();
  const taken: number[] = [];
  const before = process.cpuUsage();
  for (let at = 0; at < TURNS; at += 1) {
    const started = performance.now();
    await turn();
    taken.push(performance.now() - started);
  }
  const { user, system } = process.cpuUsage(before);
  taken.sort((a, b) => a - b);
  return { ms: taken[TURNS >> 1] ?? 0, cpu: (user + system) / 1000 / TURNS };
}

const results = [];
for (const size of SIZES) {
  const ours = await timed(() => resolve(size));
  const served = take();
  const theirs = await timed(() => readAll(size));
  // Events of BATCH resolves, as the stream brings them.
  while (events.length < BATCH) await resolve(size);
  take();
  await recordAudit(services, events.splice(-BATCH));
  const recorded = take();
  events.length = 0;
  results.push({ size, ours, theirs, turns: TURNS, batch: BATCH, served, recorded });
}
process.stdout.write(`${JSON.stringify(results)}\n`);
