import type { CallerStore } from './access/caller-store.ts';
import type { ReplayStore } from './access/replay.ts';
import type { CheckpointStore } from './audit/checkpoint-store.ts';
import type { AuditLog } from './audit/log.ts';
import type { Measures } from './audit/measures.ts';
import type { AuditOutbox, HeldEvents, Trail } from './audit/outbox.ts';
import type { DataKeyStore, DataKeys } from './envelope/data-keys.ts';
import type { KeyService } from './envelope/key-service.ts';
import type { SignatureVerifier } from './envelope/signature.ts';
import type { Log } from './http/problem.ts';
import type { Notifier } from './reminders/notifier.ts';
import type { ReminderStore } from './reminders/reminder-store.ts';
import type { SecretStore } from './secrets/secret-store.ts';

/** Every port on one page: what a host must bring. A use-case names those of them that it needs. */
export interface Services {
  readonly keyService: KeyService;
  readonly dataKeyStore: DataKeyStore;
  readonly secrets: SecretStore;
  readonly callers: CallerStore<Trail>;
  readonly replays: ReplayStore;
  readonly outbox: AuditOutbox & HeldEvents;
  readonly auditLog: AuditLog;
  readonly checkpoints: CheckpointStore;
  readonly reminders: ReminderStore;
  readonly notifier: Notifier;

  /** Made of the ports above, once per process: they remember. */
  readonly dataKeys: DataKeys;
  readonly signatures: SignatureVerifier;

  readonly environments: readonly string[];
  /** Where the console is, for links in mails; null when nobody said. */
  readonly consoleUrl: string | null;
  readonly log: Log;
  /** Tells whoever watches the service what was recorded. A host that nobody watches by numbers does nothing. */
  readonly measure: (measures: Measures) => Promise<void>;
  readonly now: () => Date;
  readonly newId: () => string;
  /** How many audit events are not yet in the log. @throws SecretsError `unavailable` when nothing can be served */
  readonly auditLag: () => Promise<number>;
}
