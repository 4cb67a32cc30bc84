import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import * as z from 'zod';
import { environmentName } from '../contract/ids.ts';
import { DataKeys } from '../envelope/data-keys.ts';
import { SignatureVerifier } from '../envelope/signature.ts';
import type { Services } from '../services.ts';
import { EmbeddedArchive } from './archive.ts';
import { EmbeddedAuditStore } from './audit-store.ts';
import { EmbeddedCallerStore } from './caller-store.ts';
import { CheckpointFolder } from './checkpoint-store.ts';
import { EmbeddedDataKeyStore } from './data-key-store.ts';
import { Database } from './database.ts';
import { newTimeOrderedId } from './ids.ts';
import { Keyring } from './keyring.ts';
import { embeddedNotifier } from './notifier.ts';
import { RecoveryRecipient } from './recovery-recipient.ts';
import { EmbeddedReminderStore } from './reminder-store.ts';
import { EmbeddedSecretStore } from './secret-store.ts';

const mailSettings = z
  .object({
    FM_SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
    FM_MAIL_FROM: z.string().min(3).optional(),
    FM_CONSOLE_URL: z.url({ protocol: /^https?$/ }).optional(),
    // Where this server listens, which infra/local/settings.ts checks: it serves the console too.
    FM_HOST: z.string().default('127.0.0.1'),
    FM_PORT: z.string().default('4310'),
    FM_TLS_CERT: z.string().optional(),
  })
  .refine(({ FM_SMTP_URL, FM_MAIL_FROM }) => FM_SMTP_URL === undefined || FM_MAIL_FROM !== undefined, {
    path: ['FM_MAIL_FROM'],
    message: 'must be set together with FM_SMTP_URL',
  });

const settings = z.object({
  FM_DATA_DIR: z.string().min(1).default('.flowmason'),
  FM_CHECKPOINT_DIR: z.string().min(1).optional(),
  FM_KEYRING: z.string().min(1).optional(),
  FM_RECOVERY_RECIPIENT: z
    .string()
    .regex(/^age1[a-z0-9]{8,}$/, 'must be a recipient of age (age1…), as age-keygen prints it')
    .optional(),
  FM_ENVIRONMENTS: z
    .string()
    .default('development,staging,production')
    .transform((list) => list.split(',').map((name) => name.trim()))
    .pipe(z.array(environmentName).min(1)),
});

/** What the embedded host has beside the ports. */
export interface EmbeddedServices extends Services {
  readonly dataDir: string;
  readonly database: Database;
  readonly auditStore: EmbeddedAuditStore;
  readonly callerStore: EmbeddedCallerStore;
  /** The store as a whole. */
  readonly archive: EmbeddedArchive;
  readonly keyService: Keyring;
  readonly keyringPath: string;
  /** Adds a root key to the keyring file; it is used from the next start on. */
  readonly addRootKey: () => void;
  /** Whom data keys are wrapped for a second time. */
  readonly recovery: RecoveryRecipient | null;
}

/** Opens the store and the keyring of a data dir, making them where there are none. @throws SecretsError `unavailable` */
export function openServices(env: Readonly<Record<string, string | undefined>>): EmbeddedServices {
  const { FM_DATA_DIR, FM_KEYRING, FM_RECOVERY_RECIPIENT, FM_CHECKPOINT_DIR, FM_ENVIRONMENTS } =
    settings.parse(env);
  const { FM_SMTP_URL, FM_MAIL_FROM, ...console } = mailSettings.parse(env);
  const dataDir = resolve(FM_DATA_DIR);
  // SQLite makes its WAL beside the file with the file's own mode.
  if (isMainThread) process.umask(0o077);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const database = new Database(join(dataDir, 'store.db'));
  const now = () => new Date();
  const newId = () => newTimeOrderedId(now());
  const store = new EmbeddedSecretStore(database);
  const dataKeyStore = new EmbeddedDataKeyStore(database);
  const callers = new EmbeddedCallerStore(database, now);
  const auditStore = new EmbeddedAuditStore(database);
  const storeHoldsKeys = database.get('SELECT 1 FROM organizations LIMIT 1') !== undefined;
  const recovery = FM_RECOVERY_RECIPIENT === undefined ? null : new RecoveryRecipient(FM_RECOVERY_RECIPIENT);
  const keyringPath = resolve(FM_KEYRING ?? join(dataDir, 'keyring.json'));
  const keyService = Keyring.open(keyringPath, storeHoldsKeys, recovery);
  const checkpoints = new CheckpointFolder(resolve(FM_CHECKPOINT_DIR ?? join(dataDir, 'checkpoints')));
  return {
    keyService,
    dataKeyStore,
    secrets: store,
    callers,
    replays: callers,
    outbox: auditStore,
    auditLog: auditStore,
    checkpoints,
    reminders: new EmbeddedReminderStore(database),
    notifier: embeddedNotifier({
      smtpUrl: FM_SMTP_URL,
      from: FM_MAIL_FROM,
      outbox: join(dataDir, 'outbox'),
      print: (line) => process.stdout.write(line),
    }),
    consoleUrl: consoleUrlOf(console),
    dataKeys: new DataKeys({ keyService, dataKeyStore, newId, now }),
    signatures: new SignatureVerifier(keyService),
    environments: FM_ENVIRONMENTS,
    log: (entry) => process.stderr.write(`${JSON.stringify({ time: now().toISOString(), ...entry })}\n`),
    measure: async () => undefined,
    now,
    newId,
    auditLag: async () => auditStore.lag(),
    dataDir,
    database,
    auditStore,
    callerStore: callers,
    archive: new EmbeddedArchive(database, checkpoints),
    keyringPath,
    addRootKey: () => Keyring.addRootKey(keyringPath),
    recovery,
  };
}

/** Where links lead; null when only the system knows the port. */
function consoleUrlOf(own: {
  FM_CONSOLE_URL?: string | undefined;
  FM_HOST: string;
  FM_PORT: string;
  FM_TLS_CERT?: string | undefined;
}): string | null {
  if (own.FM_CONSOLE_URL !== undefined) return own.FM_CONSOLE_URL;
  if (own.FM_PORT === '0') return null;
  const host = own.FM_HOST.includes(':') ? `[${own.FM_HOST}]` : own.FM_HOST;
  return `${own.FM_TLS_CERT === undefined ? 'http' : 'https'}://${host}:${own.FM_PORT}`;
}

/** The services of this process. */
export const services: EmbeddedServices = openServices(process.env);
