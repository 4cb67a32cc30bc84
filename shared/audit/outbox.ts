import type { Replay } from '../access/replay.ts';
import type { AuditEvent } from './event.ts';

/** Where an event is put, durably, before anything that it tells of is answered. */
export interface AuditOutbox {
  /**
   * Keeps an event. When this returns, it survives a power cut.
   * @throws SecretsError `unavailable` when it could not be kept: then nothing may be answered
   */
  append(event: AuditEvent): Promise<void>;
}

/** What a write leaves in its own transaction beside what it writes. */
export interface Trail {
  readonly event: AuditEvent;
  readonly replay: Replay | null;
}
