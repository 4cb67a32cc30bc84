import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { environmentName } from '../contract/ids.ts';
import { DataKeys } from '../envelope/data-keys.ts';
import { SignatureVerifier } from '../envelope/signature.ts';
import type { Log } from '../http/problem.ts';
import type { Services } from '../services.ts';
import { DynamoAuditLog } from './audit-log.ts';
import { DynamoAuditOutbox } from './audit-outbox.ts';
import { DynamoCallerStore } from './caller-store.ts';
import { documentClient, kmsClient } from './clients.ts';
import { DynamoDataKeyStore } from './data-key-store.ts';
import { KmsKeyService } from './kms.ts';
import { lazyCheckpoints } from './lazy-checkpoints.ts';
import { lazyNotifier } from './lazy-notifier.ts';
import { DynamoReminderStore } from './reminder-store.ts';
import { DynamoReplayStore } from './replay-store.ts';
import { DynamoSecretStore } from './secret-store.ts';
import { Table } from './table.ts';

const settings = z.object({
  FM_TABLE: z.string().min(1),
  /** The ARN of the KMS key that wraps data keys. */
  FM_DATA_KEY_ID: z.string().min(1),
  /** The ARN of the KMS key that signs. */
  FM_SIGNING_KEY_ID: z.string().min(1),
  /** The ARN of the KMS key that data keys are wrapped for a second time, in any account and region. */
  FM_RECOVERY_KEY_ID: z.string().regex(/^arn:[^:]*:kms:[^:]+:\d{12}:key\/[^:]+$/),
  /** The ARN of the KMS key that makes fingerprints. */
  FM_MAC_KEY_ID: z.string().min(1),
  FM_CHECKPOINT_BUCKET: z.string().min(1),
  /** The ARN of the topic of reminders; only the function that sends them has it. */
  FM_REMINDER_TOPIC: z.string().min(1).optional(),
  /** A sender that SES knows; without one, reminders go to the topic and to webhooks alone. */
  FM_MAIL_FROM: z.string().min(3).optional(),
  FM_CONSOLE_URL: z.url().optional(),
  FM_ENVIRONMENTS: z
    .string()
    .default('development,staging,production')
    .transform((list) => list.split(',').map((name) => name.trim()))
    .pipe(z.array(environmentName).min(1)),
});

/** Makes the clients and the ports. Region, credentials and endpoints are the SDK's own settings. @throws ZodError */
export function openServices(env: Readonly<Record<string, string | undefined>>): Services {
  const { FM_TABLE, FM_CHECKPOINT_BUCKET, FM_ENVIRONMENTS, ...others } = settings.parse(env);
  const { FM_REMINDER_TOPIC, FM_MAIL_FROM, FM_CONSOLE_URL, ...keys } = others;
  // Loaded with the first line: a resolve that goes well has nothing to say.
  const log: Log = (entry) => void import('./log.ts').then(({ writeLine }) => writeLine(entry));
  // The name of an error only: its message may quote what was sent.
  const failed = (dependency: string) => (error: string) => log({ level: 'error', dependency, error });
  const table = new Table(documentClient(), FM_TABLE, failed('dynamodb'));
  const arns = {
    dataKeyId: keys.FM_DATA_KEY_ID,
    signingKeyId: keys.FM_SIGNING_KEY_ID,
    macKeyId: keys.FM_MAC_KEY_ID,
  };
  const recovery = {
    client: kmsClient({ region: keys.FM_RECOVERY_KEY_ID.split(':')[3] ?? '' }),
    id: keys.FM_RECOVERY_KEY_ID,
  };
  const keyService = new KmsKeyService(kmsClient(), arns, recovery, failed('kms'));
  const dataKeyStore = new DynamoDataKeyStore(table);
  const outbox = new DynamoAuditOutbox(table);
  const now = () => new Date();
  const newId = () => randomUUID();
  return {
    keyService,
    dataKeyStore,
    secrets: new DynamoSecretStore(table),
    callers: new DynamoCallerStore(table),
    replays: new DynamoReplayStore(table, now),
    outbox,
    auditLog: new DynamoAuditLog(table),
    checkpoints: lazyCheckpoints(async () => {
      const { CheckpointBucket } = await import('./checkpoint-bucket.ts');
      return new CheckpointBucket(FM_CHECKPOINT_BUCKET);
    }),
    reminders: new DynamoReminderStore(table),
    notifier: lazyNotifier(FM_REMINDER_TOPIC, FM_MAIL_FROM),
    consoleUrl: FM_CONSOLE_URL ?? null,
    dataKeys: new DataKeys({ keyService, dataKeyStore, newId, now }),
    signatures: new SignatureVerifier(keyService),
    environments: FM_ENVIRONMENTS,
    log,
    // Loaded by the recorder alone.
    measure: async (measures) => (await import('./measures.ts')).publishMeasures(measures),
    now,
    newId,
    auditLag: () => outbox.lag(),
  };
}
