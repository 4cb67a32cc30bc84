import type { Replay } from '../access/replay.ts';
import type { Page } from '../contract/page.ts';
import type { AuditEvent } from './event.ts';

/** Where an event is put, durably, before anything that it tells of is answered. */
export interface AuditOutbox {
  /**
   * Keeps an event. When this returns, it survives a power cut.
   * @throws SecretsError `unavailable` when it could not be kept: then nothing may be answered
   */
  append(event: AuditEvent): Promise<void>;
}

/** What the outbox still holds, recorded or not. */
export interface HeldEvents {
  /**
   * The texts of events that happened between two moments, in no order that means anything.
   * @param after the `next` of the page before
   * @throws SecretsError `unavailable`
   */
  held(
    range: { readonly from: string; readonly to: string },
    limit: number,
    after: string | undefined,
  ): Promise<Page<string>>;
}

/** What a write leaves in its own transaction beside what it writes. */
export interface Trail {
  readonly event: AuditEvent;
  readonly replay: Replay | null;
}
