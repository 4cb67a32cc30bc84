import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedArchive } from '../../shared/embedded/archive.ts';
import { EmbeddedAuditStore } from '../../shared/embedded/audit-store.ts';
import { EmbeddedCallerStore } from '../../shared/embedded/caller-store.ts';
import { CheckpointFolder } from '../../shared/embedded/checkpoint-store.ts';
import { EmbeddedDataKeyStore } from '../../shared/embedded/data-key-store.ts';
import { Database } from '../../shared/embedded/database.ts';
import { EmbeddedReminderStore } from '../../shared/embedded/reminder-store.ts';
import { EmbeddedSecretStore } from '../../shared/embedded/secret-store.ts';
import type { MakeStores } from './host.ts';

/** The embedded stores over a file of their own. */
export const makeEmbedded: MakeStores = async (now) => {
  const folder = mkdtempSync(join(tmpdir(), 'fm-conformance-'));
  const database = new Database(join(folder, 'store.db'));
  const secrets = new EmbeddedSecretStore(database);
  const callers = new EmbeddedCallerStore(database, now);
  const audit = new EmbeddedAuditStore(database);
  return {
    secrets,
    dataKeyStore: new EmbeddedDataKeyStore(database),
    callers,
    replays: callers,
    reminders: new EmbeddedReminderStore(database),
    outbox: audit,
    auditLog: audit,
    archive: new EmbeddedArchive(database, new CheckpointFolder(join(folder, 'checkpoints'))),
    waiting: async () => audit.pending(100_000).map(({ event }) => event),
    auditLag: async () => audit.lag(),
    close: async () => {
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
};
