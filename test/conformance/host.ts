import type { CallerStore } from '../../shared/access/caller-store.ts';
import type { ReplayStore } from '../../shared/access/replay.ts';
import type { AuditLog } from '../../shared/audit/log.ts';
import type { AuditOutbox, HeldEvents, Trail } from '../../shared/audit/outbox.ts';
import type { ArchiveTarget } from '../../shared/backup/archive.ts';
import type { DataKeyStore } from '../../shared/envelope/data-keys.ts';
import type { ReminderStore } from '../../shared/reminders/reminder-store.ts';
import type { SecretStore } from '../../shared/secrets/secret-store.ts';

/** The stores of one host over one empty store, and what a suite must see of it beside its ports. */
export interface StoreHost {
  readonly secrets: SecretStore;
  readonly dataKeyStore: DataKeyStore;
  readonly callers: CallerStore<Trail>;
  readonly replays: ReplayStore;
  readonly reminders: ReminderStore;
  readonly outbox: AuditOutbox & HeldEvents;
  readonly auditLog: AuditLog;
  readonly archive: ArchiveTarget;
  /** The texts of all events that wait in the outbox, in any order. */
  readonly waiting: () => Promise<readonly string[]>;
  readonly auditLag: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/** Makes an empty store. @param now the host's clock */
export type MakeStores = (now: () => Date) => Promise<StoreHost>;
